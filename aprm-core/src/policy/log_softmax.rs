//! From logits to log-probabilities and back.

use super::unmasked;
use crate::scalar::Scalar;
use crate::sum::sum;

/// Log-probabilities of a row of logits.
///
/// ```text
/// log p_i = x_i − max x − ln Σ_j exp(x_j − max x)
/// ```
///
/// Both slices have one entry per action.
/// The shift by the maximum keeps logits of ±1e30 exact, and a shift of all logits changes nothing but rounding.
/// A logit of −∞ masks its action: its log-probability is −∞.
/// A NaN or a logit of +∞ makes the whole row NaN, so that a guard on the loss sees it.
///
/// # Panics
/// If the lengths differ, or if no action is left: the row is empty or all −∞.
///
/// # Examples
/// ```
/// use aprm_core::policy::log_softmax_forward;
///
/// let mut log_probs = [0.0; 3];
/// log_softmax_forward(&[1e30, 1e30, f64::NEG_INFINITY], &mut log_probs);
/// assert_eq!(log_probs, [-2.0_f64.ln(), -2.0_f64.ln(), f64::NEG_INFINITY]);
/// ```
///
/// # Reference
/// Blanchard, Higham and Higham 2019, arXiv 1909.03469; masking as in Huang and Ontañón 2020,
/// arXiv 2006.14171.
pub fn log_softmax_forward<T: Scalar>(logits: &[T], log_probs: &mut [T]) {
    assert_eq!(logits.len(), log_probs.len(), "log_softmax_forward: logits and log_probs differ in length");
    let [max, log_sum] = log_normalizer(logits);
    for (log_prob, &logit) in log_probs.iter_mut().zip(logits) {
        *log_prob = (logit - max) - log_sum;
    }
}

/// The same where the logits are.
pub(crate) fn log_softmax_in_place<T: Scalar>(logits: &mut [T]) {
    let [max, log_sum] = log_normalizer(logits);
    for logit in logits {
        *logit = (*logit - max) - log_sum;
    }
}

/// The largest logit, and what is left of the log-sum of exponentials: apart, since at 1e30 their sum would lose the latter.
fn log_normalizer<T: Scalar>(logits: &[T]) -> [T; 2] {
    let max = max(logits);
    assert!(
        max > T::neg_infinity() || logits.iter().any(|logit| logit.is_nan()),
        "log_softmax_forward: no action is possible",
    );
    [max, T::of(sum([logits], |[logit]| (logit - max).exp()).ln())]
}

/// Gradient with respect to the logits, given the gradient with respect to the log-probabilities.
///
/// ```text
/// ∂L/∂x_i = g_i − p_i Σ_j g_j,   g_j = ∂L/∂log p_j
/// ```
///
/// All slices have one entry per action; `log_probs` is what [`log_softmax_forward`] wrote.
/// The logit of a masked action (log-probability −∞) gets exactly zero, and `g` is not read there.
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::policy::log_softmax_backward;
///
/// let mut grad_logits = [0.0; 2];
/// log_softmax_backward(&[0.25_f64.ln(), 0.75_f64.ln()], &[1.0, 0.0], &mut grad_logits);
/// assert_eq!(grad_logits, [0.75, -0.75]);
/// ```
///
/// # Reference
/// Williams 1992, "Simple statistical gradient-following algorithms", Machine Learning 8.
pub fn log_softmax_backward<T: Scalar>(log_probs: &[T], grad_log_probs: &[T], grad_logits: &mut [T]) {
    assert!(
        log_probs.len() == grad_log_probs.len() && log_probs.len() == grad_logits.len(),
        "log_softmax_backward: {} log_probs, {} grad_log_probs, {} grad_logits",
        log_probs.len(),
        grad_log_probs.len(),
        grad_logits.len(),
    );
    let sum = T::of(sum([log_probs, grad_log_probs], |[log_prob, grad]| unmasked(log_prob, grad)));
    for ((grad_logit, &log_prob), &grad) in grad_logits.iter_mut().zip(log_probs).zip(grad_log_probs) {
        *grad_logit = unmasked(log_prob, grad - log_prob.exp() * sum);
    }
}

/// The largest of some numbers, without any NaN; of none, −∞.
fn max<T: Scalar>(values: &[T]) -> T {
    let larger = |a: T, b: T| if b > a { b } else { a };
    let mut lanes = [T::neg_infinity(); 8];
    for chunk in values.chunks(lanes.len()) {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, value);
        }
    }
    lanes.into_iter().fold(T::neg_infinity(), larger)
}
