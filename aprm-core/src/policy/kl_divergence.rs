//! The Kullback-Leibler divergence and its symmetric sum, over all actions.

use super::{unmasked, weighted};
use crate::scalar::Scalar;
use crate::sum::sum;

/// Divergence of `p` from `q`, in nats, from their log-probabilities.
///
/// ```text
/// KL(p ‖ q) = Σ_i p_i (ln p_i − ln q_i)
/// ```
///
/// Both slices have one entry per action; in a penalty `p` is the policy and `q` the frozen reference.
/// An action with p_i = 0 adds nothing, even where q_i = 0; one with p_i > 0 and q_i = 0 makes the divergence +∞.
/// It is never negative but for rounding.
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::policy::kl_divergence;
///
/// let p = [0.5_f64.ln(), 0.5_f64.ln()];
/// let q = [0.25_f64.ln(), 0.75_f64.ln()];
/// assert!((kl_divergence(&p, &q) - 0.143841).abs() < 1e-6);
/// assert!((kl_divergence(&q, &p) - 0.130812).abs() < 1e-6);
/// ```
///
/// # Reference
/// Kullback and Leibler 1951, "On information and sufficiency", Annals of Mathematical Statistics 22.
pub fn kl_divergence<T: Scalar>(p: &[T], q: &[T]) -> T {
    assert_eq!(p.len(), q.len(), "kl_divergence: p and q differ in length");
    T::of(sum([p, q], |[p, q]| weighted(p.exp(), p - q)))
}

/// Gradient with respect to the logits of `p`, given the gradient with respect to the divergence.
///
/// ```text
/// ∂KL(p ‖ q)/∂x_i = p_i (ln p_i − ln q_i − KL(p ‖ q))
/// ```
///
/// All slices have one entry per action.
/// Where the divergence is infinite, so is the gradient, or NaN.
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::policy::kl_divergence_backward_p;
///
/// let mut grad_logits = [f64::NAN; 2];
/// kl_divergence_backward_p(&[0.5_f64.ln(), 0.5_f64.ln()], &[0.25_f64.ln(), 0.75_f64.ln()], 1.0, &mut grad_logits);
/// assert!((grad_logits[0] - 0.25 * 3.0_f64.ln()).abs() < 1e-15);
/// ```
///
/// # Reference
/// Follows from the equation of [`kl_divergence()`].
pub fn kl_divergence_backward_p<T: Scalar>(p: &[T], q: &[T], grad_kl: T, grad_logits: &mut [T]) {
    assert_eq!(p.len(), grad_logits.len(), "kl_divergence_backward_p: p and grad_logits differ in length");
    let kl = kl_divergence(p, q);
    for ((grad_logit, &p), &q) in grad_logits.iter_mut().zip(p).zip(q) {
        *grad_logit = grad_kl * weighted(p.exp(), p - q - kl);
    }
}

/// Gradient with respect to the logits of `q`, given the gradient with respect to the divergence.
///
/// ```text
/// ∂KL(p ‖ q)/∂y_i = q_i − p_i
/// ```
///
/// All slices have one entry per action.
/// This is the gradient of distillation: `p` teaches, `q` learns.
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::policy::kl_divergence_backward_q;
///
/// let mut grad_logits = [f64::NAN; 2];
/// kl_divergence_backward_q(&[0.5_f64.ln(), 0.5_f64.ln()], &[0.25_f64.ln(), 0.75_f64.ln()], 1.0, &mut grad_logits);
/// assert_eq!(grad_logits, [-0.25, 0.25]);
/// ```
///
/// # Reference
/// Hinton, Vinyals and Dean 2015, arXiv 1503.02531, equation 2, at temperature 1.
pub fn kl_divergence_backward_q<T: Scalar>(p: &[T], q: &[T], grad_kl: T, grad_logits: &mut [T]) {
    assert!(
        p.len() == q.len() && p.len() == grad_logits.len(),
        "kl_divergence_backward_q: p has {} entries, q {}, grad_logits {}",
        p.len(),
        q.len(),
        grad_logits.len(),
    );
    for ((grad_logit, &p), &q) in grad_logits.iter_mut().zip(p).zip(q) {
        *grad_logit = unmasked(q, grad_kl * (q.exp() - p.exp()));
    }
}

/// Divergence both ways, in nats.
///
/// ```text
/// J(p, q) = KL(p ‖ q) + KL(q ‖ p)
/// ```
///
/// Both slices have one entry per action.
/// This is the sum, as Jeffreys has it; those who take the mean halve it.
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::policy::symmetric_kl;
///
/// let j = symmetric_kl(&[0.5_f64.ln(), 0.5_f64.ln()], &[0.25_f64.ln(), 0.75_f64.ln()]);
/// assert!((j - 0.25 * 3.0_f64.ln()).abs() < 1e-15);
/// ```
///
/// # Reference
/// Jeffreys 1946, "An invariant form for the prior probability in estimation problems".
pub fn symmetric_kl<T: Scalar>(p: &[T], q: &[T]) -> T {
    kl_divergence(p, q) + kl_divergence(q, p)
}

/// Gradient with respect to the logits of `p`, given the gradient with respect to the symmetric divergence.
///
/// ```text
/// ∂J/∂x_i = p_i (ln p_i − ln q_i − KL(p ‖ q)) + p_i − q_i
/// ```
///
/// All slices have one entry per action; for the logits of `q`, exchange `p` and `q`.
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::policy::symmetric_kl_backward;
///
/// let mut grad_logits = [f64::NAN; 2];
/// symmetric_kl_backward(&[0.5_f64.ln(), 0.5_f64.ln()], &[0.25_f64.ln(), 0.75_f64.ln()], 1.0, &mut grad_logits);
/// assert!((grad_logits[0] - (0.25 * 3.0_f64.ln() + 0.25)).abs() < 1e-15);
/// ```
///
/// # Reference
/// Follows from the equation of [`symmetric_kl()`].
pub fn symmetric_kl_backward<T: Scalar>(p: &[T], q: &[T], grad_kl: T, grad_logits: &mut [T]) {
    kl_divergence_backward_p(p, q, grad_kl, grad_logits);
    for ((grad_logit, &p), &q) in grad_logits.iter_mut().zip(p).zip(q) {
        *grad_logit += unmasked(p, grad_kl * (p.exp() - q.exp()));
    }
}
