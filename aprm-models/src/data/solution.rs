use serde::Deserialize;

use super::Row;
use super::json_lines::{RowProblem, either, object};

/// A prompt and the steps that answer it: `{"prompt": str, "steps": [str]}`.
///
/// TRL calls the steps `completions`, and ProcessBench the prompt `problem`. Further fields are not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The problem.
    pub prompt: String,
    /// The steps; there is at least one.
    pub steps: Vec<String>,
}

#[derive(Deserialize)]
struct Written {
    prompt: Option<String>,
    problem: Option<String>,
    steps: Option<Vec<String>>,
    completions: Option<Vec<String>>,
}

impl Row for Solution {
    fn parse(line: &str) -> Result<Self, RowProblem> {
        let Written { prompt, problem, steps, completions } = object(line)?;
        let prompt = either([("prompt", prompt), ("problem", problem)])?;
        let steps = either([("steps", steps), ("completions", completions)])?;
        if steps.is_empty() { Err(RowProblem::NoSteps) } else { Ok(Self { prompt, steps }) }
    }
}
