//! How much of the returns a critic accounts for.

use crate::scalar::Scalar;

/// The share of the variance of the returns that the values account for.
///
/// ```text
/// 1 − Var(returns − values) / Var(returns)
/// ```
///
/// 1 is a perfect critic, 0 one that might as well be constant, below 0 one that is worse than a constant.
/// A constant offset between values and returns is not seen.
/// `None` where the returns do not vary or an entry is not finite.
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::metrics::explained_variance::explained_variance;
///
/// assert_eq!(explained_variance(&[1.0, 1.0, 2.0, 2.0], &[1.0, 1.0, 3.0, 3.0]), Some(0.75));
/// ```
///
/// # Reference
/// Dhariwal et al. 2017, OpenAI Baselines, `explained_variance`, which gives NaN where this gives `None`.
pub fn explained_variance<T: Scalar>(values: &[T], returns: &[T]) -> Option<T> {
    assert_eq!(values.len(), returns.len(), "explained_variance: one value per return");
    // A mean is rounded, so the squares of a constant series need not sum to zero.
    let varies = returns.iter().any(|&ret| ret != returns[0]);
    let total = sum_of_squares(returns.iter().copied());
    let unexplained = sum_of_squares(returns.iter().zip(values).map(|(&ret, &value)| ret - value));
    let explained = T::one() - unexplained / total;
    (varies && explained.is_finite()).then_some(explained)
}

/// `Σ (x − mean)²`, in two passes so that a large mean cancels nothing.
fn sum_of_squares<T: Scalar>(series: impl ExactSizeIterator<Item = T> + Clone) -> T {
    let mean = series.clone().sum::<T>() / T::of_usize(series.len());
    series.map(|x| (x - mean) * (x - mean)).sum()
}
