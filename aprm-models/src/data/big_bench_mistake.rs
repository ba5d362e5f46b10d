use serde::Deserialize;

use super::Row;
use super::json_lines::{RowProblem, object};

/// A generated solution and where people found its first mistake.
///
/// ```text
/// {"input": str, "steps": [str], "target": str, "answer": str, "mistake_index": int or null}
/// ```
///
/// # Reference
/// Tyen, Mansoor, Cărbune, Chen and Mak 2023, arXiv 2311.08516.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BigBenchMistake {
    /// The problem.
    pub input: String,
    /// The steps of the solution; there is at least one.
    pub steps: Vec<String>,
    /// The right answer.
    pub target: String,
    /// The solution's answer.
    pub answer: String,
    /// The first wrong step, from zero; none if all are right.
    pub first_error: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    input: String,
    steps: Vec<String>,
    target: String,
    answer: String,
    mistake_index: Option<usize>,
}

impl Row for BigBenchMistake {
    fn parse(line: &str) -> Result<Self, RowProblem> {
        let Written { input, steps, target, answer, mistake_index: first_error } = object(line)?;
        let least = first_error.unwrap_or(0);
        if least >= steps.len() {
            let expected = "null or the index of one of the steps";
            return Err(RowProblem::value("mistake_index", &least.to_string(), expected));
        }
        Ok(Self { input, steps, target, answer, first_error })
    }
}
