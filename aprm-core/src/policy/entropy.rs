//! Shannon entropy.

use super::weighted;
use crate::scalar::Scalar;
use crate::sum::sum;

/// Entropy of a policy, in nats.
///
/// ```text
/// H(p) = −Σ_i p_i ln p_i,   0 ln 0 = 0
/// ```
///
/// `log_probs` has one entry per action.
/// It runs from zero, of a policy that is certain, to ln n, of a uniform one over n actions.
///
/// # Examples
/// ```
/// use aprm_core::policy::entropy;
///
/// let half = 0.5_f64.ln();
/// assert_eq!(entropy(&[half, half, f64::NEG_INFINITY]), 2.0_f64.ln());
/// ```
///
/// # Reference
/// Shannon 1948, "A mathematical theory of communication", section 6.
pub fn entropy<T: Scalar>(log_probs: &[T]) -> T {
    T::of(-sum([log_probs], |[log_prob]| weighted(log_prob.exp(), log_prob)))
}

/// Gradient with respect to the logits, given the gradient with respect to the entropy.
///
/// ```text
/// ∂H/∂x_i = −p_i (ln p_i + H)
/// ```
///
/// Both slices have one entry per action; `grad_entropy` is ∂L/∂H, that is −`entropy_coef` where a loss rewards entropy.
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::policy::entropy_backward;
///
/// let mut grad_logits = [f64::NAN; 2];
/// entropy_backward(&[0.25_f64.ln(), 0.75_f64.ln()], 1.0, &mut grad_logits);
/// assert!((grad_logits[0] - 0.75 * 0.25 * 3.0_f64.ln()).abs() < 1e-15);
/// ```
///
/// # Reference
/// Mnih et al. 2016, arXiv 1602.01783, for the use; the equation follows from that of [`entropy()`].
pub fn entropy_backward<T: Scalar>(log_probs: &[T], grad_entropy: T, grad_logits: &mut [T]) {
    assert_eq!(log_probs.len(), grad_logits.len(), "entropy_backward: log_probs and grad_logits differ in length");
    let entropy = entropy(log_probs);
    for (grad_logit, &log_prob) in grad_logits.iter_mut().zip(log_probs) {
        *grad_logit = -grad_entropy * weighted(log_prob.exp(), log_prob + entropy);
    }
}
