use core::marker::PhantomData;

use super::{Judged, Payoff, Reward};
use crate::oracle::Verdict;
use crate::player::Label;
use crate::scalar::Scalar;

/// The zero-sum twin of [`super::PayoffTable`]: the verifier is paid as there, the generator the negative of it.
///
/// ```text
/// r_G = −r_R
/// ```
///
/// An undecidable step pays the verifier 1 whatever it says, so that the generator gets its least payoff and the
/// verifier learns nothing from it.
///
/// ```
/// use aprm_core::{oracle::Verdict, player::Label, reward::{Payoff, Reward, ZeroSum}};
///
/// let payoff = ZeroSum::<f64>::new().payoff(&(Verdict::Incorrect, Label::Incorrect));
/// assert_eq!(payoff, Payoff { generator: -1.0, verifier: 1.0 });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ZeroSum<T>(PhantomData<T>);

impl<T> ZeroSum<T> {
    /// The table has nothing to configure.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Scalar, Outcome: Judged> Reward<Outcome> for ZeroSum<T> {
    type Scalar = T;

    fn payoff(&self, outcome: &Outcome) -> Payoff<T> {
        let verifier = match (outcome.verdict(), outcome.label()) {
            (Verdict::Incorrect, Label::Incorrect) | (Verdict::Correct, Label::Correct) => T::one(),
            (Verdict::Incorrect, Label::Correct) | (Verdict::Correct, Label::Incorrect) => T::zero(),
            (Verdict::Undecidable, _) => T::one(),
        };
        Payoff { generator: -verifier, verifier }
    }
}
