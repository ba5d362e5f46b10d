use serde::{Deserialize, Serialize};

use super::Row;
use super::json_lines::{RowProblem, object};

/// A generated solution and where people found its first wrong step.
///
/// ```text
/// {"id": str, "generator": str, "problem": str, "steps": [str], "final_answer_correct": bool, "label": int}
/// ```
///
/// # Reference
/// Zheng et al. 2024, arXiv 2412.06559.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessBench {
    /// The row's name, such as `gsm8k-0`.
    pub id: String,
    /// Which model wrote the solution.
    pub generator: String,
    /// The problem.
    pub problem: String,
    /// The steps of the solution; there is at least one.
    pub steps: Vec<String>,
    /// Whether the solution comes to the right answer.
    pub final_answer_correct: bool,
    /// The first wrong step, from zero; none, written as -1, if all are right.
    pub first_error: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    generator: String,
    problem: String,
    steps: Vec<String>,
    final_answer_correct: bool,
    label: i64,
}

impl Row for ProcessBench {
    fn parse(line: &str) -> Result<Self, RowProblem> {
        let Written { id, generator, problem, steps, final_answer_correct, label } = object(line)?;
        if steps.is_empty() {
            return Err(RowProblem::value("steps", "[]", "at least one step"));
        }
        let first_error = match usize::try_from(label) {
            Ok(step) if step < steps.len() => Some(step),
            Err(_) if label == -1 => None,
            _ => return Err(RowProblem::value("label", &label.to_string(), "-1 or the index of one of the steps")),
        };
        Ok(Self { id, generator, problem, steps, final_answer_correct, first_error })
    }
}

impl ProcessBench {
    /// The row with a judge's word on it, as the benchmark's own scripts write it: its fields and
    /// `"prediction": int, "match": bool`, the prediction being -1 where no step is found wrong.
    ///
    /// ```
    /// use aprm_models::data::{ProcessBench, Row};
    ///
    /// let row = r#"{"id":"a-0","generator":"g","problem":"?","steps":["x"],"final_answer_correct":true,"label":-1}"#;
    /// let row = ProcessBench::parse(row)?;
    /// let judged = serde_json::to_string(&row.judged(Some(0))).unwrap();
    /// assert!(judged.ends_with(r#""label":-1,"prediction":0,"match":false}"#));
    /// # Ok::<_, aprm_models::data::RowProblem>(())
    /// ```
    pub fn judged(&self, prediction: Option<usize>) -> impl Serialize {
        let Self { id, generator, problem, steps, final_answer_correct, first_error } = self;
        Judged {
            id,
            generator,
            problem,
            steps,
            final_answer_correct: *final_answer_correct,
            label: or_minus_one(*first_error),
            prediction: or_minus_one(prediction),
            matches: prediction == *first_error,
        }
    }
}

#[derive(Serialize)]
struct Judged<'a> {
    id: &'a str,
    generator: &'a str,
    problem: &'a str,
    steps: &'a [String],
    final_answer_correct: bool,
    label: i64,
    prediction: i64,
    #[serde(rename = "match")]
    matches: bool,
}

fn or_minus_one(step: Option<usize>) -> i64 {
    step.map_or(-1, |step| step as i64)
}
