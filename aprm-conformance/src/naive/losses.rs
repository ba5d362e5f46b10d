//! Losses of rows, with their gradients.

use aprm_core::backend::ClassDims;
use aprm_core::policy::MAX_LOG_RATIO;
use aprm_core::ppo::ClipRange;

use super::policy::log_sum_exp;
use crate::Number;

/// ```text
/// r_i = exp(log_prob_i − old_log_prob_i)
/// grad_i = 0         where A_i > 0 and r_i > 1 + high, where A_i < 0 and r_i < 1 − low, or where ln r_i > 20
///        = −A_i r_i  elsewhere
/// ```
pub fn clipped_surrogate<N: Number>(
    tokens: usize,
    clip_range: ClipRange<f64>,
    log_prob: &[N],
    old_log_prob: &[N],
    advantages: &[N],
    grad_log_prob: &mut [N],
) {
    for i in 0..tokens {
        let (log_ratio, advantage) = (log_prob[i] - old_log_prob[i], advantages[i]);
        let ratio = log_ratio.exp();
        let is_clipped = match advantage.value() > 0.0 {
            true => ratio.value() > 1.0 + clip_range.high,
            false => ratio.value() < 1.0 - clip_range.low,
        };
        let is_cut = is_clipped || log_ratio.value() > MAX_LOG_RATIO;
        grad_log_prob[i] = if is_cut { N::exactly(0.0) } else { -advantage * ratio };
    }
}

/// ```text
/// loss_r = −w_r Σ_c y_rc log softmax(logits_r)_c,   grad_rc = w_r (softmax(logits_r)_c Σ_k y_rk − y_rc)
/// ```
pub fn soft_cross_entropy<N: Number>(
    dims: ClassDims,
    logits: &[N],
    labels: &[N],
    weights: &[N],
    loss: &mut [N],
    grad_logits: &mut [N],
) {
    let ClassDims { rows, classes } = dims;
    for r in 0..rows {
        let row = r * classes..(r + 1) * classes;
        let lse = log_sum_exp(&logits[row.clone()]);
        loss[r] = -weights[r] * row.clone().map(|c| labels[c] * (logits[c] - lse)).sum::<N>();
        let total = row.clone().map(|c| labels[c]).sum::<N>();
        for c in row {
            grad_logits[c] = weights[r] * ((logits[c] - lse).exp() * total - labels[c]);
        }
    }
}

/// `loss_r = w_r (x_r − y_r)² / 2`, `grad_r = w_r (x_r − y_r)`.
pub fn squared_error<N: Number>(
    rows: usize,
    predictions: &[N],
    targets: &[N],
    weights: &[N],
    loss: &mut [N],
    grad_predictions: &mut [N],
) {
    for r in 0..rows {
        let error = predictions[r] - targets[r];
        loss[r] = weights[r] * error * error / N::exactly(2.0);
        grad_predictions[r] = weights[r] * error;
    }
}
