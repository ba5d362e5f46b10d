//! Losses of small heads.

use aprm_core::backend::ClassDims;
use aprm_core::ppo::{self, ClipRange};
use aprm_core::scalar::Scalar;

use crate::threads::{self, Rows};

/// Rows that one thread takes at least.
const GRAIN: usize = 1 << 10;

pub(crate) fn clipped_surrogate<T: Scalar>(
    clip_range: ClipRange<T>,
    log_prob: &[T],
    old_log_prob: &[T],
    advantages: &[T],
    grad_log_prob: &mut [T],
) {
    let tokens = log_prob.iter().zip(old_log_prob).zip(advantages);
    for (grad, ((&log_prob, &old_log_prob), &advantage)) in grad_log_prob.iter_mut().zip(tokens) {
        *grad = ppo::clipped_surrogate(log_prob, old_log_prob, advantage, clip_range).1;
    }
}

pub(crate) fn soft_cross_entropy<T: Scalar>(
    dims: ClassDims,
    logits: &[T],
    labels: &[T],
    weights: &[T],
    loss: &mut [T],
    grad_logits: &mut [T],
) {
    let ClassDims { rows, classes } = dims;
    threads::for_each_range(
        rows,
        GRAIN,
        (Rows::new(loss, 1), Rows::new(grad_logits, classes)),
        #[inline(always)]
        |range, (loss, grad_logits)| {
            for ((r, loss), grad_logits) in range.zip(loss.entries).zip(grad_logits.iter()) {
                let (logits, labels) = (&logits[r * classes..][..classes], &labels[r * classes..][..classes]);
                let max = logits.iter().fold(T::neg_infinity(), |max, &x| if x > max { x } else { max });
                let sum: T = logits.iter().map(|&x| (x - max).exp()).sum();
                let log_prob = |x: T| (x - max) - sum.ln();
                let cross_entropy: T = logits.iter().zip(labels).map(|(&x, &label)| label * log_prob(x)).sum();
                *loss = -weights[r] * cross_entropy;
                let mass: T = labels.iter().copied().sum();
                for ((grad, &x), &label) in grad_logits.iter_mut().zip(logits).zip(labels) {
                    *grad = weights[r] * (log_prob(x).exp() * mass - label);
                }
            }
        },
    );
}

pub(crate) fn squared_error<T: Scalar>(
    predictions: &[T],
    targets: &[T],
    weights: &[T],
    loss: &mut [T],
    grad_predictions: &mut [T],
) {
    let inputs = predictions.iter().zip(targets).zip(weights);
    for ((loss, grad), ((&prediction, &target), &weight)) in loss.iter_mut().zip(grad_predictions).zip(inputs) {
        let error = prediction - target;
        *grad = weight * error;
        *loss = weight * error * error / T::of(2.0);
    }
}
