//! Supervised learning before the game.

use serde::{Deserialize, Serialize};

/// A phase of supervised learning.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Updates.
    pub steps: u64,
    /// Solutions, or steps of them, in an update.
    pub batch: usize,
    /// Of AdamW, warmed up over a twentieth of the steps and then lowered to a tenth along a cosine.
    pub learning_rate: f64,
}

/// The players' phases on rule-made corruptions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmStartPhases {
    /// The generator's; its batches are of rewrites.
    pub generator: Phase,
    /// The verifier's; its batches are of wrong steps, beside as many gold ones.
    pub verifier: Phase,
    /// What the generator learns to write beside what the rules write.
    pub own_errors: OwnErrors,
}

/// The wrong steps among those that the language model writes behind gold ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnErrors {
    /// Share of the generator's warm start that they are; the rest is the rules'.
    pub share: f64,
    /// Steps that it writes.
    pub attempts: usize,
    /// Divides its log-probabilities, that it may err more often.
    pub temperature: f64,
}
