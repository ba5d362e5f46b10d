//! Estimates of `KL(policy ‖ reference)` from one action that the policy took.
//!
//! ```text
//! log r = ref_log_prob − log_prob,   action ~ policy
//! ```
//!
//! | | value | unbiased | never negative |
//! |---|---|---|---|
//! | [`k1`] | −log r | yes | no |
//! | [`k2`] | (log r)² / 2 | no | yes |
//! | [`k3`] | (r − 1) − log r | yes | yes |
//!
//! The gradients are those of the values, the action held fixed.
//! As estimates of the divergence's own gradient they differ: that of `k1` is zero in expectation, that of `k2` is
//! right, that of `k3` is that of the reverse divergence.
//! A penalty that is paid out as a reward needs no gradient of an estimate.
//!
//! # Reference
//! Schulman 2020, "Approximating KL divergence", <http://joschu.net/blog/kl-approx.html>; on the gradients, Tang and
//! Munos 2025, arXiv 2506.09477.

use super::bounded_log_ratio;
use crate::scalar::Scalar;

/// The log-ratio itself: unbiased, of either sign.
///
/// ```text
/// k1 = −log r
/// ```
///
/// # Examples
/// ```
/// use aprm_core::policy::kl_estimate::k1;
///
/// assert_eq!(k1(-1.0, -1.5), 0.5);
/// ```
///
/// # Reference
/// See the [module](self).
pub fn k1<T: Scalar>(log_prob: T, ref_log_prob: T) -> T {
    log_prob - ref_log_prob
}

/// Gradient of [`k1`] with respect to `log_prob`, given that with respect to the estimate.
///
/// ```text
/// ∂k1/∂log_prob = 1
/// ```
///
/// # Examples
/// ```
/// use aprm_core::policy::kl_estimate::k1_backward;
///
/// assert_eq!(k1_backward(-1.0, -1.5, 2.0), 2.0);
/// ```
///
/// # Reference
/// See the [module](self).
pub fn k1_backward<T: Scalar>(_log_prob: T, _ref_log_prob: T, grad_k1: T) -> T {
    grad_k1
}

/// Half the squared log-ratio: biased, of small variance.
///
/// ```text
/// k2 = (log r)² / 2
/// ```
///
/// # Examples
/// ```
/// use aprm_core::policy::kl_estimate::k2;
///
/// assert_eq!(k2(-1.0, -1.5), 0.125);
/// ```
///
/// # Reference
/// See the [module](self).
pub fn k2<T: Scalar>(log_prob: T, ref_log_prob: T) -> T {
    let log_ratio = ref_log_prob - log_prob;
    log_ratio * log_ratio / T::of(2.0)
}

/// Gradient of [`k2`] with respect to `log_prob`, given that with respect to the estimate.
///
/// ```text
/// ∂k2/∂log_prob = −log r
/// ```
///
/// # Examples
/// ```
/// use aprm_core::policy::kl_estimate::k2_backward;
///
/// assert_eq!(k2_backward(-1.0, -1.5, 1.0), 0.5);
/// ```
///
/// # Reference
/// See the [module](self).
pub fn k2_backward<T: Scalar>(log_prob: T, ref_log_prob: T, grad_k2: T) -> T {
    grad_k2 * (log_prob - ref_log_prob)
}

/// The log-ratio with a control variate: unbiased and never negative.
///
/// ```text
/// k3 = (r − 1) − log r,   log r ≤ 20
/// ```
///
/// A log-ratio above [`MAX_LOG_RATIO`](super::MAX_LOG_RATIO) is replaced by it in both places, so that the estimate is
/// constant beyond.
///
/// # Examples
/// ```
/// use aprm_core::policy::kl_estimate::k3;
///
/// assert!((k3(-1.1, -1.0) - 0.0051709_f64).abs() < 1e-7);
/// ```
///
/// # Reference
/// See the [module](self); Shao et al. 2024, arXiv 2402.03300, equation 4.
pub fn k3<T: Scalar>(log_prob: T, ref_log_prob: T) -> T {
    let (log_ratio, _) = bounded_log_ratio(ref_log_prob - log_prob);
    log_ratio.exp_m1() - log_ratio
}

/// Gradient of [`k3`] with respect to `log_prob`, given that with respect to the estimate.
///
/// ```text
/// ∂k3/∂log_prob = 1 − r    where log r ≤ 20
///               = 0        beyond
/// ```
///
/// # Examples
/// ```
/// use aprm_core::policy::kl_estimate::k3_backward;
///
/// assert!((k3_backward(-1.1, -1.0, 1.0) - -0.1051709_f64).abs() < 1e-7);
/// assert_eq!(k3_backward(-100.0, 0.0, 1.0), 0.0);
/// ```
///
/// # Reference
/// See the [module](self).
pub fn k3_backward<T: Scalar>(log_prob: T, ref_log_prob: T, grad_k3: T) -> T {
    match bounded_log_ratio(ref_log_prob - log_prob) {
        (_, true) => T::zero(),
        (log_ratio, false) => -grad_k3 * log_ratio.exp_m1(),
    }
}
