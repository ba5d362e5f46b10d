//! What the players are paid.

pub mod adv_rm;
mod kl_penalized;
pub mod pav;
mod payoff_table;
mod zero_sum;

pub use kl_penalized::{KlPenalized, WithLogRatio};
pub use payoff_table::PayoffTable;
pub use zero_sum::ZeroSum;

use crate::oracle::Verdict;
use crate::player::Label;

/// One amount for each player.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Payoff<T> {
    /// What the generator gets.
    pub generator: T,
    /// What the verifier gets.
    pub verifier: T,
}

/// Pays both players for an outcome.
///
/// # For implementors
/// A reward must be a function of the outcome alone, so that a replayed game pays the same.
pub trait Reward<Outcome: ?Sized> {
    /// The number type of the payoff.
    type Scalar;

    /// Pays for `outcome`.
    fn payoff(&self, outcome: &Outcome) -> Payoff<Self::Scalar>;
}

/// An outcome on which a payoff table can be read: one with a verdict and a label.
pub trait Judged {
    /// What the oracle found.
    fn verdict(&self) -> Verdict;
    /// What the verifier said.
    fn label(&self) -> Label;
}

impl Judged for (Verdict, Label) {
    fn verdict(&self) -> Verdict {
        self.0
    }
    fn label(&self) -> Label {
        self.1
    }
}
