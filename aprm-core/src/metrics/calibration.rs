//! Whether probabilities mean what they say.

use crate::scalar::Scalar;

/// What fell into one bin of a reliability diagram.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin<T> {
    /// How many predictions.
    pub count: usize,
    /// How many of them were of a positive.
    pub positives: usize,
    /// The sum of the predicted probabilities.
    pub probability_sum: T,
}

/// The expected gap between the predicted probability and the share of positives.
///
/// ```text
/// ECE = Σ_b (n_b / n) |positives_b / n_b − mean probability_b| = (1/n) Σ_b |positives_b − Σ_{i in b} p_i|
/// ```
///
/// `probabilities` and `labels` have one entry per prediction.
/// The bins are of equal width over [0, 1], each without its upper end except the last; what they held is overwritten,
/// and afterwards they are the reliability diagram.
/// `None` where there is no prediction, or one outside [0, 1].
///
/// # Panics
/// If the lengths differ, or if there are no bins.
///
/// # Examples
/// ```
/// use aprm_core::metrics::calibration::{Bin, expected_calibration_error};
///
/// let mut bins = [Bin::default(); 2];
/// let error = expected_calibration_error(&[0.25, 0.25, 1.0, 1.0], &[false, true, true, true], &mut bins);
/// assert_eq!(error, Some(0.125));
/// assert_eq!(bins[1].count, 2);
/// ```
///
/// # Reference
/// Guo, Pleiss, Sun and Weinberger 2017, arXiv 1706.04599, whose bins are without their lower ends instead.
pub fn expected_calibration_error<T: Scalar>(probabilities: &[T], labels: &[bool], bins: &mut [Bin<T>]) -> Option<T> {
    let count = probabilities.len();
    assert_eq!(count, labels.len(), "expected_calibration_error: one label per probability");
    assert!(!bins.is_empty(), "expected_calibration_error: no bins");
    if count == 0 || !probabilities.iter().all(is_probability) {
        return None;
    }
    bins.fill(Bin::default());
    for (&probability, &positive) in probabilities.iter().zip(labels) {
        let index = (probability * T::of_usize(bins.len())).to_usize().expect("a probability is finite");
        let bin = &mut bins[index.min(bins.len() - 1)];
        bin.count += 1;
        bin.positives += usize::from(positive);
        bin.probability_sum += probability;
    }
    let gaps: T = bins.iter().map(|bin| (T::of_usize(bin.positives) - bin.probability_sum).abs()).sum();
    Some(gaps / T::of_usize(count))
}

/// The mean squared distance of the predicted probabilities from what came true.
///
/// ```text
/// (1/n) Σ_i (p_i − y_i)²
/// ```
///
/// `probabilities` and `labels` have one entry per prediction; a label counts 1 or 0.
/// `None` where there is no prediction, or one outside [0, 1].
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::metrics::calibration::brier_score;
///
/// assert_eq!(brier_score(&[1.0, 0.5], &[true, true]), Some(0.125));
/// ```
///
/// # Reference
/// Brier 1950, "Verification of forecasts expressed in terms of probability", whose two-class score is twice this one.
pub fn brier_score<T: Scalar>(probabilities: &[T], labels: &[bool]) -> Option<T> {
    let count = probabilities.len();
    assert_eq!(count, labels.len(), "brier_score: one label per probability");
    if count == 0 || !probabilities.iter().all(is_probability) {
        return None;
    }
    let miss = |(&probability, &positive): (&T, &bool)| if positive { T::one() - probability } else { probability };
    let total: T = probabilities.iter().zip(labels).map(miss).map(|miss| miss * miss).sum();
    Some(total / T::of_usize(count))
}

fn is_probability<T: Scalar>(value: &T) -> bool {
    (T::zero()..=T::one()).contains(value)
}
