//! How verifiers are judged.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::arithmetic::Preset;

/// How the verifier is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// The sets, beside a held-out one that thresholds are fitted on.
    pub sets: Vec<Preset>,
    /// Who attempts their problems; with several, each set is judged once for each of them.
    pub solvers: Vec<Solver>,
    /// Problems in each set; the held-out one has a quarter as many.
    pub problems: usize,
    /// Attempts at each.
    pub attempts: usize,
    /// Tokens of an attempt at most.
    pub max_tokens: usize,
    /// Rounds between two checkpoints of an arm.
    pub every: u64,
    /// How many of the last checkpoints are judged; what is reported is their mean.
    pub checkpoints: usize,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        let sets = vec![Preset::InDistribution, Preset::Longer, Preset::LargerNumbers];
        Self {
            sets,
            solvers: vec![Solver::Weak],
            problems: 500,
            attempts: 8,
            max_tokens: 160,
            every: 20,
            checkpoints: 3,
        }
    }
}

/// A language model that attempts problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Solver {
    /// The one that was stopped early, `weak_solver`.
    Weak,
    /// The one that both players begin from.
    Strong,
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Weak => "weak",
            Self::Strong => "strong",
        })
    }
}
