use serde::Deserialize;

use super::Row;
use super::json_lines::{RowProblem, object};
use super::solution::Solution;

/// A solution with a label for each step, as TRL's stepwise supervision has it.
///
/// ```text
/// {"prompt": str, "completions": [str], "labels": [bool or float]}
/// ```
///
/// A float is the chance that the step is right; it stays one, where TRL rounds it down.
#[derive(Clone, Debug, PartialEq)]
pub struct Stepwise {
    /// The problem and the steps.
    pub solution: Solution,
    /// For each step the chance that it is right, in `[0, 1]`.
    pub labels: Vec<f32>,
}

#[derive(Deserialize)]
struct Labels {
    labels: Vec<Label>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected true, false, or a number between 0 and 1")]
enum Label {
    Sure(bool),
    Chance(f64),
}

impl Row for Stepwise {
    fn parse(line: &str) -> Result<Self, RowProblem> {
        let solution = Solution::parse(line)?;
        let Labels { labels } = object(line)?;
        if labels.len() != solution.steps.len() {
            return Err(RowProblem::LabelCount { steps: solution.steps.len(), labels: labels.len() });
        }
        let chance = |(step, label)| match label {
            Label::Sure(is_right) => Ok(f32::from(u8::from(is_right))),
            Label::Chance(label) if (0.0..=1.0).contains(&label) => Ok(label as f32),
            Label::Chance(label) => Err(RowProblem::Label { step, label }),
        };
        Ok(Self { solution, labels: labels.into_iter().enumerate().map(chance).collect::<Result<_, _>>()? })
    }
}
