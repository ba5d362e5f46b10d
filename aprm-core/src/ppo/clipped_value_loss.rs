//! The clipped loss of the critic.

use crate::scalar::Scalar;
use crate::sum::masked_sums;

/// Loss of one token's value, and its gradient with respect to `value`.
///
/// ```text
/// v' = clip(v, old − range, old + range)
/// L = ½ max((v − R)², (v' − R)²)
/// ∂L/∂v = v − R    where (v − R)² ≥ (v' − R)²
///       = 0        where the clip is active
/// ```
///
/// The clipped square is the larger only where v left the range towards the return R, and there v' is constant.
/// An infinite `value_clip_range` leaves half the squared error.
///
/// # Panics
/// If `value_clip_range` is negative or NaN.
///
/// # Examples
/// ```
/// use aprm_core::ppo::clipped_value_loss;
///
/// assert_eq!(clipped_value_loss(0.5, 0.0, 1.0, 0.25), (0.5 * 0.75 * 0.75, 0.0));
/// assert_eq!(clipped_value_loss(-0.5, 0.0, 1.0, 0.25), (0.5 * 1.5 * 1.5, -1.5));
/// ```
///
/// # Reference
/// Huang et al. 2022, "The 37 implementation details of proximal policy optimization", detail 9, after the code of
/// Schulman et al. 2017, arXiv 1707.06347.
pub fn clipped_value_loss<T: Scalar>(value: T, old_value: T, returned: T, value_clip_range: T) -> (T, T) {
    assert!(value_clip_range >= T::zero(), "value_clip_range: {value_clip_range}");
    let (loss, gradient, _) = token(value, old_value, returned, value_clip_range);
    (loss, gradient)
}

/// Mean loss over the unmasked tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClippedValueLoss {
    /// Mean of [`clipped_value_loss`].
    pub loss: f64,
    /// Share of the tokens whose clip is active, that is whose gradient it cuts.
    pub clip_fraction: f64,
    /// Number of unmasked tokens.
    pub tokens: usize,
}

/// Mean of [`clipped_value_loss`] over the tokens whose `mask` is true; writes its gradient with respect to `values`.
///
/// ```text
/// L = (1 / n) Σ_{t unmasked} L_t,   n = number of unmasked tokens
/// ```
///
/// All slices have one entry per token.
///
/// # Panics
/// If the lengths differ, or if `value_clip_range` is negative or NaN.
///
/// # Examples
/// ```
/// use aprm_core::ppo::mean_clipped_value_loss;
///
/// let mut grad_values = [f64::NAN; 3];
/// let critic = mean_clipped_value_loss(
///     &[0.5, -0.5, f64::NAN],
///     &[0.0; 3],
///     &[1.0; 3],
///     &[true, true, false],
///     0.25,
///     &mut grad_values,
/// );
/// assert_eq!((critic.loss, critic.clip_fraction, critic.tokens), (0.703125, 0.5, 2));
/// assert_eq!(grad_values, [0.0, -0.75, 0.0]);
/// ```
///
/// # Reference
/// See [`clipped_value_loss`].
pub fn mean_clipped_value_loss<T: Scalar>(
    values: &[T],
    old_values: &[T],
    returns: &[T],
    mask: &[bool],
    value_clip_range: T,
    grad_values: &mut [T],
) -> ClippedValueLoss {
    let lengths = [old_values.len(), returns.len(), mask.len(), grad_values.len()];
    assert!(
        lengths.iter().all(|&length| length == values.len()),
        "mean_clipped_value_loss: {} values, but {lengths:?} old_values, returns, mask, grad_values",
        values.len(),
    );
    assert!(value_clip_range >= T::zero(), "value_clip_range: {value_clip_range}");
    let tokens = super::unmasked(mask);
    let count = tokens.max(1) as f64;
    let sums = masked_sums([values, old_values, returns], mask, grad_values, |[value, old_value, returned]| {
        let (loss, gradient, clipped) = token(value, old_value, returned, value_clip_range);
        (gradient / T::of(count), [loss, if clipped { T::one() } else { T::zero() }])
    });
    let [loss, clip_fraction] = sums.map(|sum| sum / count);
    ClippedValueLoss { loss, clip_fraction, tokens }
}

/// Loss, gradient, and whether the clip is active.
fn token<T: Scalar>(value: T, old_value: T, returned: T, value_clip_range: T) -> (T, T, bool) {
    // Not `old + clip(v − old)`, which inside of the range may differ from v by a rounding and cut its gradient.
    let (lowest, highest) = (old_value - value_clip_range, old_value + value_clip_range);
    let clip = if value > highest {
        highest
    } else if value >= lowest {
        value
    } else {
        // Also where the bounds are NaN, since the old value is.
        lowest
    };
    let (error, clip_error) = (value - returned, clip - returned);
    let clipped = clip_error * clip_error > error * error;
    let larger = if clipped || clip_error.is_nan() { clip_error } else { error };
    let gradient = if clipped { T::zero() } else { larger };
    (larger * larger / T::of(2.0), gradient, clipped)
}
