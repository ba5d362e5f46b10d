use serde::Deserialize;

use super::Row;
use super::json_lines::{RowProblem, object};
use crate::oracle::{Expression, Rational};

/// A simple word problem, the arithmetic that solves it, and the answer.
///
/// ```text
/// {"ID": str, "Body": str, "Question": str, "Equation": str, "Answer": float, "Type": str, "idx": int}
/// ```
///
/// Whether the answer is what the equation comes to is for [`is_consistent`](Self::is_consistent) to say: in one row of
/// the published file it is not.
///
/// # Reference
/// Patel, Bhattamishra and Goyal 2021, arXiv 2103.07191.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Svamp {
    /// The row's name, such as `chal-777`.
    pub id: String,
    /// The story and the question, with a space between them.
    pub problem: String,
    /// What has to be computed.
    pub equation: Expression,
    /// What comes out, as the row says.
    pub answer: Rational,
    /// The kind of problem, such as `Subtraction`.
    pub kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Written {
    #[serde(rename = "ID")]
    id: String,
    body: String,
    question: String,
    equation: String,
    answer: serde_json::Number,
    r#type: String,
    #[serde(rename = "idx")]
    _index: u64,
}

impl Svamp {
    /// Whether the equation comes to the answer.
    pub fn is_consistent(&self) -> bool {
        self.equation.value() == Some(self.answer)
    }
}

impl Row for Svamp {
    fn parse(line: &str) -> Result<Self, RowProblem> {
        let Written { id, body, question, equation, answer, r#type: kind, .. } = object(line)?;
        let written = answer.to_string();
        let parsed =
            Expression::parse(&equation).map_err(|_| RowProblem::value("Equation", &equation, "arithmetic"))?;
        let answer = Expression::parse(&written).ok().and_then(|written| written.value());
        let answer = answer.ok_or_else(|| RowProblem::value("Answer", &written, "a decimal number"))?;
        Ok(Self { id, problem: format!("{body} {question}"), equation: parsed, answer, kind })
    }
}
