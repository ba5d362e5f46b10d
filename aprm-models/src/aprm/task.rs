//! What the game is played on.

use aprm_core::oracle::Verdict;
use aprm_core::rand_core::Rng;

use crate::arithmetic::ErrorKind;

/// Gold solutions, and the truth about steps put in their place.
pub trait Task {
    /// A problem with its gold solution.
    type Solution;
    /// Why the oracle could give no verdict at all.
    type Error: core::error::Error + Send + Sync + 'static;

    /// Deals a solution of at least one step.
    fn deal(&self, rng: &mut dyn Rng) -> Self::Solution;

    /// The problem as players read it.
    fn problem<'a>(&self, solution: &'a Self::Solution) -> &'a str;

    /// The gold steps.
    fn steps<'a>(&self, solution: &'a Self::Solution) -> &'a [String];

    /// A rule-made wrong step in the place of a gold one, and what the rule was; `None` where the rules know none.
    fn corrupt(&self, solution: &Self::Solution, step: usize, rng: &mut dyn Rng) -> Option<(ErrorKind, String)>;

    /// The oracle's verdict on a rewrite of a gold step.
    ///
    /// # Errors
    /// A failure of the oracle itself.
    fn judge(&mut self, solution: &Self::Solution, step: usize, rewrite: &str) -> Result<Verdict, Self::Error>;

    /// Whether steps that a solver wrote end in the right answer.
    fn solves(&self, solution: &Self::Solution, steps: &[String]) -> bool;

    /// The name of the kind of error that a rewrite is, for tables and plots.
    fn error_kind(&self, solution: &Self::Solution, step: usize, rewrite: &str) -> &'static str;
}
