//! Drawing tokens.

use aprm_core::backend::VocabDims;
use aprm_core::policy::Sampler;

use super::policy::log_sum_exp;

/// The token that [`Sampler::invert`] gives for each row, and its log-probability.
pub fn sample(
    dims: VocabDims,
    sampler: Sampler<f64>,
    logits: &[f64],
    uniforms: &[f64],
    tokens: &mut [u32],
    log_probs: &mut [f64],
) {
    let VocabDims { rows, vocab } = dims;
    let mut scratch = vec![(0.0, 0); vocab];
    for r in 0..rows {
        let logits = &logits[r * vocab..][..vocab];
        let lse = log_sum_exp(logits);
        let row: Vec<f64> = logits.iter().map(|logit| logit - lse).collect();
        let (token, log_prob) = sampler.invert(uniforms[r], &row, &mut scratch).unwrap_or((0, f64::NAN));
        (tokens[r], log_probs[r]) = (token as u32, log_prob);
    }
}
