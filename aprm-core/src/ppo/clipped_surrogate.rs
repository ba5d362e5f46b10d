//! The clipped policy loss.

use crate::policy::bounded_log_ratio;
use crate::policy::kl_estimate::k3;
use crate::scalar::Scalar;
use crate::sum::masked_sums;

/// How far below and above one the probability ratio is followed.
///
/// PPO has `low = high = 0.2`; DAPO raises `high` alone, to 0.28.
/// An infinite `high` and a `low` of at least one leave the plain ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipRange<T> {
    /// The ratio is clipped below `1 − low`.
    pub low: T,
    /// The ratio is clipped above `1 + high`.
    pub high: T,
}

/// Loss of one token, and its gradient with respect to `log_prob`.
///
/// ```text
/// r = exp(log_prob − old_log_prob)
/// L = −min(r A, clip(r, 1 − low, 1 + high) A)
/// ∂L/∂log_prob = −r A    where r A ≤ clip(r) A
///              = 0       where the clip is active
/// ```
///
/// A log-ratio above [`MAX_LOG_RATIO`](crate::policy::MAX_LOG_RATIO) counts as that, and has a gradient of zero.
/// Equal log-probabilities give a ratio of exactly one and the gradient of the policy gradient, −A.
///
/// # Panics
/// If the clip range is negative or NaN.
///
/// # Examples
/// ```
/// use aprm_core::ppo::{ClipRange, clipped_surrogate};
///
/// let clip_range = ClipRange { low: 0.2, high: 0.2 };
/// assert_eq!(clipped_surrogate(-1.0, -1.0, 3.0, clip_range), (-3.0, -3.0));
/// assert_eq!(clipped_surrogate(-1.0, -1.5, 3.0, clip_range), (-1.2 * 3.0, 0.0));
/// ```
///
/// # Reference
/// Schulman et al. 2017, arXiv 1707.06347, equation 7, negated; two ranges as in Yu et al. 2025, arXiv 2503.14476 (DAPO).
pub fn clipped_surrogate<T: Scalar>(log_prob: T, old_log_prob: T, advantage: T, clip_range: ClipRange<T>) -> (T, T) {
    let Token { loss, gradient, .. } = Token::new(log_prob, old_log_prob, advantage, clip_range.ratios());
    (loss, gradient)
}

/// Mean loss over the unmasked tokens, with statistics of the ratio.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClippedSurrogate {
    /// Mean of [`clipped_surrogate`].
    pub loss: f64,
    /// Share of the tokens whose clip is active, that is whose gradient it cuts.
    pub clip_fraction: f64,
    /// Mean of [`k3`], an estimate of `KL(old policy ‖ policy)`.
    pub approx_kl: f64,
    /// Mean of the ratio.
    pub ratio_mean: f64,
    /// Largest ratio.
    pub ratio_max: f64,
    /// Number of unmasked tokens.
    pub tokens: usize,
}

/// Mean of [`clipped_surrogate`] over the tokens whose `mask` is true; writes its gradient with respect to `log_probs`.
///
/// ```text
/// L = (1 / n) Σ_{t unmasked} L_t,   n = number of unmasked tokens
/// ```
///
/// All slices have one entry per token.
/// `clip_fraction` counts as TRL does; a ratio that left the range on the side where the loss still pulls it back is not
/// clipped.
///
/// # Panics
/// If the lengths differ, or if the clip range is negative or NaN.
///
/// # Examples
/// ```
/// use aprm_core::ppo::{ClipRange, mean_clipped_surrogate};
///
/// let mut grad_log_probs = [f64::NAN; 3];
/// let surrogate = mean_clipped_surrogate(
///     &[-1.0, -0.5, f64::NAN],
///     &[-1.0, -1.0, f64::NAN],
///     &[2.0, 1.0, f64::NAN],
///     &[true, true, false],
///     ClipRange { low: 0.2, high: 0.2 },
///     &mut grad_log_probs,
/// );
/// assert_eq!((surrogate.loss, surrogate.clip_fraction), (-1.6, 0.5));
/// assert_eq!(grad_log_probs, [-1.0, 0.0, 0.0]);
/// ```
///
/// # Reference
/// See [`clipped_surrogate`]; the mean over all tokens of the batch is that of Yu et al. 2025, arXiv 2503.14476.
pub fn mean_clipped_surrogate<T: Scalar>(
    log_probs: &[T],
    old_log_probs: &[T],
    advantages: &[T],
    mask: &[bool],
    clip_range: ClipRange<T>,
    grad_log_probs: &mut [T],
) -> ClippedSurrogate {
    let tokens = super::unmasked(mask);
    let lengths = [old_log_probs.len(), advantages.len(), mask.len(), grad_log_probs.len()];
    assert!(
        lengths.iter().all(|&length| length == log_probs.len()),
        "mean_clipped_surrogate: {} log_probs, but {lengths:?} old_log_probs, advantages, mask, grad_log_probs",
        log_probs.len(),
    );
    let ratios = clip_range.ratios();
    let count = tokens.max(1) as f64;
    let columns = [log_probs, old_log_probs, advantages];
    let sums = masked_sums(columns, mask, grad_log_probs, |[log_prob, old_log_prob, advantage]| {
        let token = Token::new(log_prob, old_log_prob, advantage, ratios);
        let clipped = if token.clipped { T::one() } else { T::zero() };
        (token.gradient / T::of(count), [token.loss, clipped, k3(old_log_prob, log_prob), token.ratio])
    });
    let [loss, clip_fraction, approx_kl, ratio_mean] = sums.map(|sum| sum / count);
    // That of the largest log-ratio, since the exponential is monotone.
    let mut log_ratio_max = T::neg_infinity();
    for ((&log_prob, &old_log_prob), &kept) in log_probs.iter().zip(old_log_probs).zip(mask) {
        let log_ratio = if kept { log_prob - old_log_prob } else { T::neg_infinity() };
        // `max` would drop a NaN.
        if log_ratio > log_ratio_max || log_ratio.is_nan() {
            log_ratio_max = log_ratio;
        }
    }
    let ratio_max = bounded_log_ratio(log_ratio_max).0.exp().widen();
    ClippedSurrogate { loss, clip_fraction, approx_kl, ratio_mean, ratio_max, tokens }
}

impl<T: Scalar> ClipRange<T> {
    /// The lowest and the highest ratio that are followed.
    fn ratios(self) -> (T, T) {
        assert!(self.low >= T::zero() && self.high >= T::zero(), "clip_range: {self:?}");
        (T::one() - self.low, T::one() + self.high)
    }
}

struct Token<T> {
    loss: T,
    gradient: T,
    ratio: T,
    clipped: bool,
}

impl<T: Scalar> Token<T> {
    fn new(log_prob: T, old_log_prob: T, advantage: T, (lowest, highest): (T, T)) -> Self {
        let (log_ratio, bounded) = bounded_log_ratio(log_prob - old_log_prob);
        let ratio = log_ratio.exp();
        let plain = ratio * advantage;
        let clip = ratio.clamp(lowest, highest) * advantage;
        let clipped = clip < plain;
        let objective = if clipped { clip } else { plain };
        let gradient = if clipped || bounded { T::zero() } else { -plain };
        Self { loss: -objective, gradient, ratio, clipped }
    }
}
