//! Drawing tokens.

use aprm_core::backend::VocabDims;
use aprm_core::policy::Sampler;
use aprm_core::scalar::Scalar;

use super::policy::log_sum_exp;
use crate::Number;

/// The token that [`Sampler::invert`] gives for each row, and its log-probability.
pub fn sample<T: Scalar + Number>(
    dims: VocabDims,
    sampler: Sampler<T>,
    logits: &[T],
    uniforms: &[T],
    tokens: &mut [u32],
    log_probs: &mut [T],
) {
    let VocabDims { rows, vocab } = dims;
    let mut scratch = vec![(0.0, 0); vocab];
    for r in 0..rows {
        let logits = &logits[r * vocab..][..vocab];
        let lse = log_sum_exp(logits);
        let row: Vec<T> = logits.iter().map(|&logit| logit - lse).collect();
        let (token, log_prob) = sampler.invert(uniforms[r].widen(), &row, &mut scratch).unwrap_or((0, T::nan()));
        (tokens[r], log_probs[r]) = (token as u32, log_prob);
    }
}
