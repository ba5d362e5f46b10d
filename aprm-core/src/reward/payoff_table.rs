use super::{Judged, Payoff, Reward};
use crate::oracle::Verdict;
use crate::player::Label;
use crate::scalar::Scalar;

/// The general-sum payoff table of APRM.
///
/// | case | oracle | verifier says | verifier gets | generator gets |
/// |---|---|---|---|---|
/// | fooled | incorrect | correct | 0 | `fooled` |
/// | detected | incorrect | incorrect | 1 | `detected` |
/// | uncorrupted | correct | either | 1 if it agrees, else 0 | `uncorrupted` |
/// | undecidable | undecidable | either | 0 | `uncorrupted` |
///
/// The verifier's column and `fooled = 1` are the paper's.
/// `detected = 0`, `uncorrupted = -1` and the undecidable row are this library's choice: of the orderings
/// that we computed only `fooled > detected > uncorrupted` keeps the generator corrupting, and an undecidable step
/// must not pay, or the generator learns to write what cannot be parsed.
///
/// ```
/// use aprm_core::{oracle::Verdict, player::Label, reward::{Payoff, PayoffTable, Reward}};
///
/// let payoff = PayoffTable::<f64>::default().payoff(&(Verdict::Incorrect, Label::Correct));
/// assert_eq!(payoff, Payoff { generator: 1.0, verifier: 0.0 });
/// ```
///
/// # Reference
/// APRM, 2025, arXiv 2511.22888.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PayoffTable<T> {
    /// The generator's payoff for a wrong step that the verifier calls correct.
    pub fooled: T,
    /// The generator's payoff for a wrong step that the verifier calls incorrect.
    pub detected: T,
    /// The generator's payoff for a step that is not wrong, or of which the oracle cannot say that it is.
    pub uncorrupted: T,
}

impl<T: Scalar> Default for PayoffTable<T> {
    fn default() -> Self {
        Self { fooled: T::one(), detected: T::zero(), uncorrupted: -T::one() }
    }
}

impl<T: Scalar, Outcome: Judged> Reward<Outcome> for PayoffTable<T> {
    type Scalar = T;

    fn payoff(&self, outcome: &Outcome) -> Payoff<T> {
        let (generator, verifier) = match (outcome.verdict(), outcome.label()) {
            (Verdict::Incorrect, Label::Correct) => (self.fooled, T::zero()),
            (Verdict::Incorrect, Label::Incorrect) => (self.detected, T::one()),
            (Verdict::Correct, Label::Correct) => (self.uncorrupted, T::one()),
            (Verdict::Correct, Label::Incorrect) => (self.uncorrupted, T::zero()),
            (Verdict::Undecidable, _) => (self.uncorrupted, T::zero()),
        };
        Payoff { generator, verifier }
    }
}
