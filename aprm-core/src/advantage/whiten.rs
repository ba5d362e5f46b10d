//! Whitening under a mask.

use super::{mean, standard_deviation, standardized};
use crate::scalar::Scalar;

/// Shifts and scales the unmasked values to mean zero and variance one.
///
/// ```text
/// y_i = (x_i − mean x) / std x              with shift_mean
/// y_i = (x_i − mean x) / std x + mean x     without
/// ```
///
/// Mean and population standard deviation are taken over the entries whose `mask` is true, and divided by their count,
/// not by the length.
/// Masked entries come out zero and have no effect, even if they are NaN.
/// Where all unmasked values are equal the fraction is exactly zero.
///
/// All slices have one entry per token.
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::advantage::whiten;
///
/// let mut whitened = [0.0; 3];
/// whiten(&[3.0, f64::NAN, 7.0], &[true, false, true], true, &mut whitened);
/// assert_eq!(whitened, [-1.0, 0.0, 1.0]);
/// ```
///
/// # Reference
/// Huang et al. 2022, "The 37 implementation details of proximal policy optimization", detail 7; `shift_mean` as in
/// the code of Ziegler et al. 2019, arXiv 1909.08593, who whiten rewards without it and add 1e-8 to the variance.
pub fn whiten<T: Scalar>(values: &[T], mask: &[bool], shift_mean: bool, whitened: &mut [T]) {
    assert!(
        values.len() == mask.len() && values.len() == whitened.len(),
        "whiten: {} values, {} in the mask, {} whitened",
        values.len(),
        mask.len(),
        whitened.len(),
    );
    let unmasked = values.iter().zip(mask).filter_map(|(&value, &kept)| kept.then_some(value));
    let mean = mean(unmasked.clone());
    let standard_deviation = standard_deviation(unmasked, mean);
    let offset = if shift_mean { T::zero() } else { mean };
    for ((whitened, &value), &kept) in whitened.iter_mut().zip(values).zip(mask) {
        *whitened = if kept { standardized(value - mean, standard_deviation) + offset } else { T::zero() };
    }
}
