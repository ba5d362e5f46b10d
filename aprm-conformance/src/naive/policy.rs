//! Log-probability, entropy and divergence of distributions over a vocabulary.

use core::ops::{Deref, DerefMut};

use aprm_core::backend::{PolicyGradients, PolicyStatistics, VocabDims};

use crate::Number;

/// `ln Σ_v exp(x_v)`, shifted by the maximum.
pub(crate) fn log_sum_exp<N: Number>(x: &[N]) -> N {
    let max = N::exactly(x.iter().fold(f64::NEG_INFINITY, |max, x| max.max(x.value())));
    max + x.iter().map(|&x| (x - max).exp()).sum::<N>().ln()
}

/// ```text
/// log π = logits − lse,   H = −Σ_v π_v log π_v,   KL = Σ_v π_v (log π_v − log π_ref,v)
/// ```
pub fn forward<N: Number, Buffer: DerefMut<Target = [N]>>(
    dims: VocabDims,
    logits: &[N],
    ref_logits: Option<&[N]>,
    targets: &[u32],
    statistics: &mut PolicyStatistics<Buffer>,
) {
    let VocabDims { rows, vocab } = dims;
    for r in 0..rows {
        let logits = &logits[r * vocab..][..vocab];
        let lse = log_sum_exp(logits);
        let possible = || (0..vocab).filter(|&v| !logits[v].is_masked());
        let log_prob = |v: usize| logits[v] - lse;
        statistics.log_prob[r] = log_prob(targets[r] as usize);
        statistics.entropy[r] = -possible().map(|v| log_prob(v).exp() * log_prob(v)).sum::<N>();
        statistics.log_sum_exp[r] = lse;
        statistics.kl[r] = N::exactly(0.0);
        if let Some(ref_logits) = ref_logits {
            let ref_logits = &ref_logits[r * vocab..][..vocab];
            let ref_lse = log_sum_exp(ref_logits);
            let log_ratio = |v: usize| log_prob(v) - (ref_logits[v] - ref_lse);
            statistics.kl[r] = possible().map(|v| log_prob(v).exp() * log_ratio(v)).sum();
            statistics.ref_log_sum_exp[r] = ref_lse;
        }
    }
}

/// ```text
/// g_v = a (1[v = target] − π_v) − b π_v (log π_v + H) + c π_v (log π_v − log π_ref,v − KL)
/// ```
pub fn backward<N: Number, Buffer: Deref<Target = [N]>>(
    dims: VocabDims,
    ref_logits: Option<&[N]>,
    targets: &[u32],
    statistics: &PolicyStatistics<Buffer>,
    gradients: &PolicyGradients<Buffer>,
    logits: &mut [N],
) {
    let VocabDims { rows, vocab } = dims;
    for r in 0..rows {
        let (a, b, c) = (gradients.log_prob[r], gradients.entropy[r], gradients.kl[r]);
        for v in 0..vocab {
            let at = r * vocab + v;
            let target = N::exactly(if targets[r] as usize == v { 1.0 } else { 0.0 });
            if logits[at].is_masked() {
                logits[at] = a * target;
                continue;
            }
            let log_prob = logits[at] - statistics.log_sum_exp[r];
            let prob = log_prob.exp();
            let of_log_prob = a * (target - prob);
            let of_entropy = -b * prob * (log_prob + statistics.entropy[r]);
            let of_kl = ref_logits.map(|ref_logits| {
                let ref_log_prob = ref_logits[at] - statistics.ref_log_sum_exp[r];
                c * prob * (log_prob - ref_log_prob - statistics.kl[r])
            });
            logits[at] = [of_log_prob, of_entropy].into_iter().chain(of_kl).sum();
        }
    }
}
