//! What the verifier minimises, and what it says of each step on the way.

use aprm_core::player::Label;
use aprm_core::policy::{entropy, kl_divergence, log_softmax_forward, symmetric_kl};
use aprm_core::ppo::{ClipRange, clipped_surrogate};
use aprm_core::scalar::Scalar;

use super::config::{Divergence, GameConfig};

/// The class of a right step, as TRL has it.
pub const CORRECT: usize = 1;

/// The weights of the terms of the negative of `U_R = E[r_R] − τ D(R, R_0) + c_H H(R)`, and of the cross-entropy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VerifierLoss<T> {
    /// Of the policy gradient of the payoff.
    pub policy_gradient: T,
    /// Of the cross-entropy of the verdict.
    pub cross_entropy: T,
    /// τ.
    pub tau: T,
    /// D.
    pub divergence: Divergence,
    /// c_H.
    pub entropy: T,
    /// ε.
    pub clip_range: T,
}

impl<T: Scalar> VerifierLoss<T> {
    /// Nothing but the cross-entropy of what is known.
    pub fn cross_entropy() -> Self {
        let (zero, one) = (T::zero(), T::one());
        Self {
            policy_gradient: zero,
            cross_entropy: one,
            tau: zero,
            divergence: Divergence::Plain,
            entropy: zero,
            clip_range: zero,
        }
    }
}

impl GameConfig {
    /// What the verifier minimises.
    pub fn verifier_loss<T: Scalar>(&self) -> VerifierLoss<T> {
        VerifierLoss {
            policy_gradient: T::of(self.verifier_policy_gradient),
            cross_entropy: T::of(self.verifier_cross_entropy),
            tau: T::of(self.tau),
            divergence: self.divergence,
            entropy: T::of(self.entropy),
            clip_range: T::of(self.clip_range),
        }
    }
}

/// What the verifier says of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opinion<T> {
    /// `R(correct | step)`: the step's score.
    pub score: T,
    /// A label drawn from R.
    pub label: Label,
    /// `H(R)`.
    pub entropy: T,
    /// `D(R, R_0)`.
    pub divergence: T,
    /// `log R` of the classes.
    pub log_probs: [T; 2],
}

impl<T: Scalar> VerifierLoss<T> {
    /// The opinion that logits express; the label is drawn with a number in `[0, 1)`, and a small one accepts.
    pub fn opinion(&self, logits: [T; 2], ref_logits: Option<[T; 2]>, uniform: T) -> Opinion<T> {
        let log_probs = log_softmax(logits);
        let score = log_probs[CORRECT].exp();
        let divergence = ref_logits.map_or(T::zero(), |ref_logits| match self.divergence {
            Divergence::Plain => kl_divergence(&log_probs, &log_softmax(ref_logits)),
            Divergence::Symmetric => symmetric_kl(&log_probs, &log_softmax(ref_logits)),
        });
        Opinion {
            score,
            label: if uniform < score { Label::Correct } else { Label::Incorrect },
            entropy: entropy(&log_probs),
            divergence,
            log_probs,
        }
    }

    /// The loss of a step that is right with probability t.
    ///
    /// ```text
    /// L = a L_clip(R(label) / R_old(label), r_R − E_R[r_R]) − b (t ln R(right) + (1 − t) ln R(wrong))
    ///     + τ D(R ‖ R_0) − c_H H(R)
    /// r_R = t if the label is right, 1 − t if it is wrong
    /// ```
    ///
    /// An oracle's t is 0 or 1, and the cross-entropy that of its verdict.
    /// With two labels the expectation of the payoff under `R_old` is known, so it is the baseline.
    pub fn loss(&self, opinion: &Opinion<T>, old: &Opinion<T>, target: T) -> T {
        let cross_entropy: T =
            payoffs(target).into_iter().zip(opinion.log_probs).map(|(of_class, log_prob)| -of_class * log_prob).sum();
        let class = old.class();
        let advantage = old.advantage(target);
        let (surrogate, _) =
            clipped_surrogate(opinion.log_probs[class], old.log_probs[class], advantage, self.clip_range());
        self.policy_gradient * surrogate + self.cross_entropy * cross_entropy + self.tau * opinion.divergence
            - self.entropy * opinion.entropy
    }

    /// ε on either side.
    pub fn clip_range(&self) -> ClipRange<T> {
        ClipRange { low: self.clip_range, high: self.clip_range }
    }
}

/// What each label is paid where a step is right with some probability, which is also how likely it is to be true.
pub fn payoffs<T: Scalar>(target: T) -> [T; 2] {
    let mut payoffs = [T::one() - target; 2];
    payoffs[CORRECT] = target;
    payoffs
}

impl<T: Scalar> Opinion<T> {
    /// The label's class.
    pub fn class(&self) -> usize {
        if self.label == Label::Correct { CORRECT } else { 1 - CORRECT }
    }

    /// What the label is paid over what was to be expected.
    pub fn advantage(&self, target: T) -> T {
        let payoffs = payoffs(target);
        let expected: T = payoffs.iter().zip(self.log_probs).map(|(&payoff, log_prob)| log_prob.exp() * payoff).sum();
        payoffs[self.class()] - expected
    }
}

fn log_softmax<T: Scalar>(logits: [T; 2]) -> [T; 2] {
    let mut log_probs = [T::zero(); 2];
    log_softmax_forward(&logits, &mut log_probs);
    log_probs
}
