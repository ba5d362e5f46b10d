//! The gradient of ratios of policies, found where their log-probabilities lie.

use aprm_core::backend::Backend;
use aprm_core::ppo::ClipRange;
use num_traits::float::FloatCore;
use num_traits::{One, Zero};

use super::token_policy::TokenTerms;
use crate::transformer::PolicyHead;

/// Room for it.
#[derive(Debug)]
pub(super) struct Surrogate<B: Backend> {
    old_log_prob: B::Buffer,
    advantages: B::Buffer,
    gradient: B::Buffer,
}

impl<B: Backend> Surrogate<B> {
    /// Room for so many tokens at a time.
    pub(super) fn new(backend: &mut B, tokens: usize) -> Result<Self, B::Error> {
        Ok(Self {
            old_log_prob: backend.allocate(tokens)?,
            advantages: backend.allocate(tokens)?,
            gradient: backend.allocate(tokens)?,
        })
    }

    /// Gives a head the gradients with respect to its statistics.
    pub(super) fn follow(
        &mut self,
        backend: &mut B,
        terms: &TokenTerms<B::Scalar>,
        head: &mut PolicyHead<B>,
        ref_head: &PolicyHead<B>,
    ) -> Result<(), B::Error> {
        let Self { old_log_prob, advantages, gradient } = self;
        let tokens = terms.advantages.len();
        let (log_prob, of_head) = (&head.statistics.log_prob, &mut head.gradients);
        backend.fill(tokens, terms.kl, &mut of_head.kl)?;
        backend.fill(tokens, terms.entropy, &mut of_head.entropy)?;
        let of_log_prob = &mut of_head.log_prob;
        if let Some((old, clip_range)) = &terms.old {
            backend.write(&terms.advantages, advantages, 0)?;
            backend.write(old, old_log_prob, 0)?;
            backend.clipped_surrogate(tokens, *clip_range, log_prob, old_log_prob, advantages, of_log_prob)?;
        } else {
            backend.write(&terms.advantages, of_log_prob, 0)?;
            backend.scale(tokens, -B::Scalar::one(), of_log_prob)?;
        }
        if !terms.reverse_kl.is_zero() {
            let unclipped = ClipRange { low: B::Scalar::one(), high: B::Scalar::infinity() };
            backend.fill(tokens, terms.reverse_kl, advantages)?;
            let ref_log_prob = &ref_head.statistics.log_prob;
            backend.clipped_surrogate(tokens, unclipped, ref_log_prob, log_prob, advantages, gradient)?;
            backend.axpy(tokens, B::Scalar::one(), gradient, of_log_prob)?;
        }
        Ok(())
    }
}
