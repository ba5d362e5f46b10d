use super::{Payoff, Reward};
use crate::scalar::Scalar;

/// An outcome together with how much likelier each player's action is under its policy than under its reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WithLogRatio<Outcome, T> {
    /// What happened.
    pub outcome: Outcome,
    /// `log π(a) − log π_ref(a)` of each player's action.
    pub log_ratio: Payoff<T>,
}

/// A reward less each player's departure from its reference policy.
///
/// ```text
/// r̃ = r − τ (log π(a) − log π_ref(a))
/// ```
///
/// Its expectation under the policy is `E[r] − τ KL(π ‖ π_ref)`.
///
/// ```
/// use aprm_core::{oracle::Verdict, player::Label};
/// use aprm_core::reward::{KlPenalized, Payoff, PayoffTable, Reward, WithLogRatio};
///
/// let reward = KlPenalized { reward: PayoffTable::default(), kl_coef: Payoff { generator: 0.5, verifier: 0.25 } };
/// let payoff = reward.payoff(&WithLogRatio {
///     outcome: (Verdict::Incorrect, Label::Correct),
///     log_ratio: Payoff { generator: 1.0, verifier: -2.0 },
/// });
/// assert_eq!(payoff, Payoff { generator: 0.5, verifier: 0.5 });
/// ```
///
/// # Reference
/// Ziegler et al. 2019, arXiv 1909.08593, equation 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KlPenalized<R, T> {
    /// What is paid before the penalty.
    pub reward: R,
    /// τ of each player.
    pub kl_coef: Payoff<T>,
}

impl<Outcome, T: Scalar, R: Reward<Outcome, Scalar = T>> Reward<WithLogRatio<Outcome, T>> for KlPenalized<R, T> {
    type Scalar = T;

    fn payoff(&self, outcome: &WithLogRatio<Outcome, T>) -> Payoff<T> {
        let paid = self.reward.payoff(&outcome.outcome);
        Payoff {
            generator: paid.generator - self.kl_coef.generator * outcome.log_ratio.generator,
            verifier: paid.verifier - self.kl_coef.verifier * outcome.log_ratio.verifier,
        }
    }
}
