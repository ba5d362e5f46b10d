//! Drawing tokens.

use aprm_core::backend::VocabDims;
use aprm_core::policy::Sampler;
use aprm_core::scalar::Scalar;

use crate::lanes;
use crate::threads::{self, Rows, Workspaces};

pub(crate) fn sample<T: Scalar>(
    dims: VocabDims,
    sampler: Sampler<T>,
    logits: &[T],
    uniforms: &[T],
    tokens: &mut [u32],
    log_probs: &mut [T],
    (rows_of_log_probs, candidates): (&Workspaces<T>, &Workspaces<(f64, usize)>),
) {
    let VocabDims { rows, vocab } = dims;
    threads::for_each_range(
        rows,
        1,
        (Rows::new(tokens, 1), Rows::new(log_probs, 1)),
        #[inline(always)]
        |range, (tokens, log_probs)| {
            let outputs = tokens.entries.iter_mut().zip(log_probs.entries);
            for (r, (token, log_prob)) in range.zip(outputs) {
                let logits = &logits[r * vocab..][..vocab];
                let max = lanes::max(logits);
                let [sum] = lanes::sums([logits], |[x]| [(x - max).exp()]);
                let log_sum = sum.ln();
                rows_of_log_probs.with(
                    #[inline(always)]
                    |row| {
                        for (row, &logit) in row.iter_mut().zip(logits) {
                            *row = (logit - max) - log_sum;
                        }
                        candidates.with(
                            #[inline(always)]
                            |candidates| {
                                let drawn =
                                    sampler.invert(uniforms[r].widen(), &row[..vocab], &mut candidates[..vocab]);
                                let (drawn, drawn_log_prob) = drawn.unwrap_or((0, T::nan()));
                                (*token, *log_prob) = (drawn as u32, drawn_log_prob);
                            },
                        );
                    },
                );
            }
        },
    );
}
