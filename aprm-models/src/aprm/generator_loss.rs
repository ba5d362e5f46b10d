//! What the generator minimises: its negative utility.

use std::ops::Range;

use aprm_core::ppo::{ClipRange, clipped_surrogate};
use aprm_core::scalar::Scalar;

use super::config::Divergence;
use super::token_policy::{TokenLoss, TokenStatistics, TokenTerms};

/// The negative of `U_G = E[r_G] − τ D(G, G_0) + c_H H(G)`, over the tokens of rewrites.
///
/// ```text
/// L = (1/N) Σ_rewrites Σ_tokens ( L_clip(π / π_old, A) + τ D(π ‖ π_0) − c_H H(π) )
/// ```
///
/// Divergence and entropy are exact at each token, and their gradients are taken where the rewrite's tokens lie;
/// that they also change which tokens are written is left out, as is usual.
/// In the reverse divergence of the symmetric form the gradient is `−E_π[(π_0/π) ∇ log π]`, on the token drawn.
#[derive(Debug)]
pub struct GeneratorLoss<'a, T> {
    /// Tokens of each rewrite.
    pub lengths: &'a [usize],
    /// The advantage of each token, rewrites end to end.
    pub advantages: &'a [T],
    /// What the policy that wrote them found of each token; in the first epoch it is filled, so that ratios are one.
    pub old_log_probs: &'a mut Vec<T>,
    /// ε.
    pub clip_range: T,
    /// τ.
    pub tau: T,
    /// D.
    pub divergence: Divergence,
    /// c_H.
    pub entropy: T,
    /// What was found on the way.
    pub found: GeneratorStatistics,
}

/// Sums over the tokens of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GeneratorStatistics {
    /// Tokens.
    pub tokens: usize,
    /// Σ `KL(π ‖ π_0)`.
    pub kl: f64,
    /// Σ `H(π)`.
    pub entropy: f64,
    /// Σ of the clipped surrogate's loss.
    pub policy_loss: f64,
    /// Σ `π / π_old`.
    pub ratio: f64,
    /// Tokens whose gradient was clipped away.
    pub clipped: usize,
    /// Σ of the estimate k3 of `KL(π_old ‖ π)`.
    pub approx_kl: f64,
}

impl<T: Scalar> GeneratorLoss<'_, T> {
    /// The first token of a rewrite.
    fn start(&self, rewrite: usize) -> usize {
        self.lengths[..rewrite].iter().sum()
    }

    fn clip_range(&self) -> ClipRange<T> {
        ClipRange { low: self.clip_range, high: self.clip_range }
    }

    /// One over the number of rewrites.
    fn share(&self) -> T {
        T::one() / T::of_usize(self.lengths.len())
    }
}

impl<T: Scalar> TokenLoss<T> for GeneratorLoss<'_, T> {
    /// In the first epoch all ratios are one.
    fn terms(&mut self, range: Range<usize>) -> TokenTerms<T> {
        let (start, end, share) = (self.start(range.start), self.start(range.end), self.share());
        let old = self.old_log_probs.get(start..end).filter(|old| !old.is_empty());
        TokenTerms {
            advantages: self.advantages[start..end].iter().map(|&advantage| advantage * share).collect(),
            old: old.map(|old| (old.to_vec(), self.clip_range())),
            kl: self.tau * share,
            reverse_kl: match self.divergence {
                Divergence::Plain => T::zero(),
                Divergence::Symmetric => self.tau * share,
            },
            entropy: -self.entropy * share,
        }
    }

    fn observe(&mut self, range: Range<usize>, statistics: &TokenStatistics<T>) {
        let start = self.start(range.start);
        if self.old_log_probs.len() == start {
            self.old_log_probs.extend_from_slice(&statistics.log_prob);
        }
        for (i, &log_prob) in statistics.log_prob.iter().enumerate() {
            let (old_log_prob, advantage) = (self.old_log_probs[start + i], self.advantages[start + i]);
            let (loss, gradient) = clipped_surrogate(log_prob, old_log_prob, advantage, self.clip_range());
            self.found.observe(log_prob - old_log_prob, loss, gradient.is_zero() && !advantage.is_zero());
            self.found.kl += statistics.kl[i].widen();
            self.found.entropy += statistics.entropy[i].widen();
        }
    }
}

impl GeneratorStatistics {
    fn observe<T: Scalar>(&mut self, log_ratio: T, loss: T, clipped: bool) {
        self.tokens += 1;
        self.policy_loss += loss.widen();
        self.ratio += log_ratio.exp().widen();
        self.clipped += usize::from(clipped);
        self.approx_kl += (log_ratio.exp_m1() - log_ratio).widen();
    }
}
