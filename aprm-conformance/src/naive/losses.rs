//! Losses of rows, with their gradients.

use aprm_core::backend::ClassDims;

use super::policy::log_sum_exp;
use crate::Number;

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
