//! Categorical policies: log-probabilities, sampling, entropy and divergences.
//!
//! One call works on one row of `vocab` actions; a batch is `chunks_exact(vocab)` of a longer slice.
//! Everything here takes `log_probs`, as [`log_softmax_forward`] writes them, and every `_backward` overwrites its
//! output.
//!
//! An action of log-probability −∞ is masked: it is never drawn, adds nothing to a sum (`0 ln 0 = 0`) and its logit has
//! a gradient of exactly zero, whatever else stands at its index, NaN included.
//! A NaN that is not masked reaches every output that depends on it.
//! Sums over actions are taken in `f64`.

pub mod kl_estimate;

mod entropy;
mod kl_divergence;
mod log_softmax;
mod sample;

pub use entropy::{entropy, entropy_backward};
pub use kl_divergence::{
    kl_divergence, kl_divergence_backward_p, kl_divergence_backward_q, symmetric_kl, symmetric_kl_backward,
};
pub(crate) use log_softmax::log_softmax_in_place;
pub use log_softmax::{log_softmax_backward, log_softmax_forward};
pub use sample::{NotADistribution, Sampler};

use crate::scalar::Scalar;

/// The largest log-ratio of two probabilities that is exponentiated, `e^20 ≈ 4.9e8`.
///
/// A larger one counts as 20 and has a gradient of zero, which keeps ratios, losses and gradients finite in `f32`.
/// There is no lower bound, since nothing overflows on that side.
pub const MAX_LOG_RATIO: f64 = 20.0;

/// `min(log_ratio, MAX_LOG_RATIO)`, and whether the bound was in force; a NaN stays one.
pub(crate) fn bounded_log_ratio<T: Scalar>(log_ratio: T) -> (T, bool) {
    let bound = T::of(MAX_LOG_RATIO);
    if log_ratio > bound { (bound, true) } else { (log_ratio, false) }
}

/// `p x`, and zero where `p` is zero, whatever `x` is.
fn weighted<T: Scalar>(p: T, x: T) -> T {
    if p == T::zero() { T::zero() } else { p * x }
}

/// The gradient of an action's logit, and zero where the action is masked, whatever `grad` is.
fn unmasked<T: Scalar>(log_prob: T, grad: T) -> T {
    if log_prob == T::neg_infinity() { T::zero() } else { grad }
}
