//! What the verifier minimises, and what it says of each step on the way.

use aprm_core::player::Label;
use aprm_core::policy::{entropy, entropy_backward, kl_divergence, kl_divergence_backward_p, log_softmax_forward};
use aprm_core::policy::{symmetric_kl, symmetric_kl_backward};
use aprm_core::ppo::{ClipRange, clipped_surrogate};
use aprm_core::rand_core::Rng;
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
    /// The opinion that logits express; a label is drawn, with one number of the stream.
    pub fn opinion(&self, logits: [T; 2], ref_logits: Option<[T; 2]>, rng: &mut dyn Rng) -> Opinion<T> {
        let log_probs = log_softmax(logits);
        let score = log_probs[CORRECT].exp();
        let uniform = T::of(f64::from(rng.next_u32() >> 8) / f64::from(1_u32 << 24));
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

    /// The gradient with respect to the logits of a step that is right with probability t, and its loss.
    ///
    /// ```text
    /// L = a L_clip(R(label) / R_old(label), r_R − E_R[r_R]) − b (t ln R(right) + (1 − t) ln R(wrong))
    ///     + τ D(R ‖ R_0) − c_H H(R)
    /// r_R = t if the label is right, 1 − t if it is wrong
    /// ```
    ///
    /// An oracle's t is 0 or 1, and the cross-entropy that of its verdict.
    /// With two labels the expectation of the payoff under `R_old` is known, so it is the baseline.
    pub fn backward(
        &self,
        opinion: &Opinion<T>,
        old: &Opinion<T>,
        ref_logits: Option<[T; 2]>,
        target: T,
    ) -> ([T; 2], T) {
        let mut targets = [T::one() - target; 2];
        targets[CORRECT] = target;
        let probs = opinion.log_probs.map(Scalar::exp);
        let mut gradient = [T::zero(); 2];
        let mut loss = T::zero();
        for class in 0..2 {
            loss -= self.cross_entropy * targets[class] * opinion.log_probs[class];
            gradient[class] = self.cross_entropy * (probs[class] - targets[class]);
        }
        if !self.policy_gradient.is_zero() {
            let said = if old.label == Label::Correct { CORRECT } else { 1 - CORRECT };
            let expected: T = (0..2).map(|class| old.log_probs[class].exp() * targets[class]).sum();
            let advantage = targets[said] - expected;
            let clip_range = ClipRange { low: self.clip_range, high: self.clip_range };
            let (surrogate, slope) =
                clipped_surrogate(opinion.log_probs[said], old.log_probs[said], advantage, clip_range);
            loss += self.policy_gradient * surrogate;
            for class in 0..2 {
                let chosen = if class == said { T::one() } else { T::zero() };
                gradient[class] += self.policy_gradient * slope * (chosen - probs[class]);
            }
        }
        let mut add = |term: [T; 2]| gradient.iter_mut().zip(term).for_each(|(gradient, term)| *gradient += term);
        let mut term = [T::zero(); 2];
        entropy_backward(&opinion.log_probs, -self.entropy, &mut term);
        add(term);
        if let Some(ref_logits) = ref_logits {
            let reference = log_softmax(ref_logits);
            match self.divergence {
                Divergence::Plain => kl_divergence_backward_p(&opinion.log_probs, &reference, self.tau, &mut term),
                Divergence::Symmetric => symmetric_kl_backward(&opinion.log_probs, &reference, self.tau, &mut term),
            }
            add(term);
        }
        (gradient, loss + self.tau * opinion.divergence - self.entropy * opinion.entropy)
    }
}

fn log_softmax<T: Scalar>(logits: [T; 2]) -> [T; 2] {
    let mut log_probs = [T::zero(); 2];
    log_softmax_forward(&logits, &mut log_probs);
    log_probs
}
