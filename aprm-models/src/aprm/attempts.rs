//! What solvers wrote, with the truth about it: the material that reward models are judged on.

use serde::{Deserialize, Serialize};

/// One solution that a solver wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Its steps.
    pub steps: Vec<String>,
    /// The first wrong step, `None` where there is none.
    pub first_error: Option<usize>,
    /// The final answer in its canonical form, `None` where the solution has none.
    pub answer: Option<String>,
    /// Whether the final answer is right.
    pub solved: bool,
}

/// A problem and what a solver wrote in a number of independent attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempts {
    /// The problem.
    pub problem: String,
    /// The attempts.
    pub attempts: Vec<Attempt>,
}
