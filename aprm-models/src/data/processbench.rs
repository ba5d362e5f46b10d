use serde::Deserialize;

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
