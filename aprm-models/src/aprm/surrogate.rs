//! The gradient of ratios of policies, found where their log-probabilities lie.

use aprm_core::backend::Backend;
use aprm_core::ppo::ClipRange;
use num_traits::float::FloatCore;
use num_traits::{One, Zero};

use super::token_policy::KnownTokens;
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

    /// Makes the gradient that a head has of its log-probabilities, which is that of ratios of one, the true one.
    pub(super) fn follow(
        &mut self,
        backend: &mut B,
        known: &KnownTokens<B::Scalar>,
        head: &mut PolicyHead<B>,
        ref_head: &PolicyHead<B>,
    ) -> Result<(), B::Error> {
        let Self { old_log_prob, advantages, gradient } = self;
        let (log_prob, tokens) = (&head.statistics.log_prob, known.gradients.log_prob.len());
        let of_head = &mut head.gradients.log_prob;
        if let Some((old, clip_range)) = &known.old {
            backend.write(old, old_log_prob, 0)?;
            backend.copy(tokens, of_head, advantages)?;
            backend.scale(tokens, -B::Scalar::one(), advantages)?;
            backend.clipped_surrogate(tokens, *clip_range, log_prob, old_log_prob, advantages, of_head)?;
        }
        if !known.reverse.is_zero() {
            let unclipped = ClipRange { low: B::Scalar::one(), high: B::Scalar::infinity() };
            backend.fill(tokens, known.reverse, advantages)?;
            let ref_log_prob = &ref_head.statistics.log_prob;
            backend.clipped_surrogate(tokens, unclipped, ref_log_prob, log_prob, advantages, gradient)?;
            backend.axpy(tokens, B::Scalar::one(), gradient, of_head)?;
        }
        Ok(())
    }
}
