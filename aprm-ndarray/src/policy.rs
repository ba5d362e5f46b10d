//! Statistics of policies over a vocabulary.

use aprm_core::backend::{PolicyGradients, PolicyStatistics, VocabDims};
use aprm_core::scalar::Scalar;

use crate::lanes;
use crate::threads::{self, Rows};

/// Logits that one thread takes at least.
const GRAIN: usize = 1 << 13;

pub(crate) fn forward<T: Scalar>(
    dims: VocabDims,
    logits: &[T],
    ref_logits: Option<&[T]>,
    targets: &[u32],
    statistics: PolicyStatistics<&mut [T]>,
) {
    let VocabDims { rows, vocab } = dims;
    let PolicyStatistics { log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp } = statistics;
    let [log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp] =
        [log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp].map(|entries| Rows::new(entries, 1));
    threads::for_each_range(
        rows,
        GRAIN / vocab.max(1),
        ((log_prob, entropy), (kl, (log_sum_exp, ref_log_sum_exp))),
        #[inline(always)]
        |range, ((log_prob, entropy), (kl, (log_sum_exp, ref_log_sum_exp)))| {
            for (i, r) in range.enumerate() {
                let row = &logits[r * vocab..][..vocab];
                let max = lanes::max(row);
                let [sum, mean] = lanes::sums(
                    [row],
                    #[inline(always)]
                    |[x]| {
                        let prob = (x - max).exp();
                        [prob, expected(x - max, prob, x - max)]
                    },
                );
                log_prob.entries[i] = row[targets[r] as usize] - max - sum.ln();
                entropy.entries[i] = sum.ln() - mean / sum;
                log_sum_exp.entries[i] = max + sum.ln();
                kl.entries[i] = T::zero();
                let Some(ref_logits) = ref_logits else { continue };
                // Loops of their own: with more exponentials in one the compiler finds no vectors.
                let ref_row = &ref_logits[r * vocab..][..vocab];
                let ref_max = lanes::max(ref_row);
                let [ref_sum] = lanes::sums(
                    [ref_row],
                    #[inline(always)]
                    |[y]| [(y - ref_max).exp()],
                );
                let [difference] = lanes::sums(
                    [row, ref_row],
                    #[inline(always)]
                    |[x, y]| [expected(x - max, (x - max).exp(), (x - max) - (y - ref_max))],
                );
                kl.entries[i] = difference / sum - (sum.ln() - ref_sum.ln());
                ref_log_sum_exp.entries[i] = ref_max + ref_sum.ln();
            }
        },
    );
}

pub(crate) fn backward<T: Scalar>(
    dims: VocabDims,
    ref_logits: Option<&[T]>,
    targets: &[u32],
    statistics: PolicyStatistics<&[T]>,
    gradients: PolicyGradients<&[T]>,
    logits: &mut [T],
) {
    let VocabDims { rows, vocab } = dims;
    threads::for_each_range(
        rows,
        GRAIN / vocab.max(1),
        Rows::new(logits, vocab),
        #[inline(always)]
        |range, logits| {
            for (r, logits) in range.zip(logits.iter()) {
                let (a, b, c) = (gradients.log_prob[r], gradients.entropy[r], gradients.kl[r]);
                let (lse, entropy, kl) = (statistics.log_sum_exp[r], statistics.entropy[r], statistics.kl[r]);
                if let Some(ref_logits) = ref_logits {
                    let ref_lse = statistics.ref_log_sum_exp[r];
                    for (logit, &ref_logit) in logits.iter_mut().zip(&ref_logits[r * vocab..]) {
                        let (log_prob, ref_log_prob) = (*logit - lse, ref_logit - ref_lse);
                        let log_ratio = log_prob - ref_log_prob;
                        *logit =
                            expected(log_prob, log_prob.exp(), c * (log_ratio - kl) - b * (log_prob + entropy) - a);
                    }
                } else {
                    for logit in logits.iter_mut() {
                        let log_prob = *logit - lse;
                        *logit = expected(log_prob, log_prob.exp(), -b * (log_prob + entropy) - a);
                    }
                }
                logits[targets[r] as usize] += a;
            }
        },
    );
}

/// `prob · value`, and zero where the log-probability is −∞, whatever the value.
#[inline(always)]
fn expected<T: Scalar>(log_prob: T, prob: T, value: T) -> T {
    if log_prob == T::neg_infinity() { T::zero() } else { prob * value }
}
