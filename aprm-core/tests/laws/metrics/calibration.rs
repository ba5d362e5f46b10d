//! Calibration error and Brier score.

use aprm_core::metrics::calibration::{Bin, brier_score, expected_calibration_error};
use proptest::prelude::*;

fn ece(probabilities: &[f64], labels: &[bool], bins: usize) -> Option<f64> {
    expected_calibration_error(probabilities, labels, &mut vec![Bin::default(); bins])
}

/// Σ_b (n_b / n) |share of positives − mean probability|, bin by bin.
fn ece_definition(predictions: &[(f64, bool)], bins: usize) -> f64 {
    let index = |probability: f64| ((probability * bins as f64) as usize).min(bins - 1);
    (0..bins)
        .map(|bin| predictions.iter().filter(|p| index(p.0) == bin).collect::<Vec<_>>())
        .filter(|held| !held.is_empty())
        .map(|held| {
            let count = held.len() as f64;
            let positives = held.iter().filter(|p| p.1).count() as f64 / count;
            let probability = held.iter().map(|p| p.0).sum::<f64>() / count;
            count / predictions.len() as f64 * (positives - probability).abs()
        })
        .sum()
}

#[test]
fn calibration_known_answers() {
    assert_eq!(ece(&[0.5, 0.5], &[true, false], 10), Some(0.0), "calibrated, though it knows nothing");
    assert_eq!(ece(&[1.0, 1.0], &[true, false], 10), Some(0.5), "overconfident");
    assert_eq!(ece(&[0.0, 0.499, 0.5, 1.0], &[false; 4], 2), Some((0.499 + 1.5) / 4.0));
    assert_eq!(brier_score(&[0.5, 0.5], &[true, false]), Some(0.25));
    assert_eq!(brier_score(&[0.0, 1.0], &[true, false]), Some(1.0));
}

#[test]
fn the_bins_are_a_reliability_diagram_of_the_last_call() {
    let mut bins = [Bin { count: 9, positives: 9, probability_sum: f64::NAN }; 2];
    expected_calibration_error(&[0.25, 0.5, 1.0], &[true, false, true], &mut bins).unwrap();
    let expected = [(1, 1, 0.25), (2, 1, 1.5)];
    assert_eq!(bins.map(|bin| (bin.count, bin.positives, bin.probability_sum)), expected);
}

#[test]
fn calibration_is_not_defined_for_nothing_or_what_is_no_probability() {
    for probabilities in [&[][..], &[-0.1], &[1.1], &[f64::NAN]] {
        let labels = vec![true; probabilities.len()];
        assert_eq!(ece(probabilities, &labels, 10), None, "{probabilities:?}");
        assert_eq!(brier_score(probabilities, &labels), None, "{probabilities:?}");
    }
}

#[test]
#[should_panic(expected = "one label per probability")]
fn a_missing_label_panics() {
    brier_score(&[0.5], &[]);
}

proptest! {
    #[test]
    fn expected_calibration_error_equals_definition(
        predictions in prop::collection::vec((0.0..=1.0_f64, any::<bool>()), 1..60), bins in 1..20_usize,
    ) {
        let (probabilities, labels): (Vec<_>, Vec<_>) = predictions.iter().copied().unzip();
        let error = ece(&probabilities, &labels, bins).unwrap();
        prop_assert!((error - ece_definition(&predictions, bins)).abs() < 1e-12);
    }

    /// The Brier score is proper: the true frequency is the best constant.
    #[test]
    fn brier_score_is_lowest_at_the_true_frequency(positives in 0..=20_usize, other in 0.0..=1.0_f64) {
        let labels: Vec<_> = (0..20).map(|i| i < positives).collect();
        let score = |probability| brier_score(&[probability; 20], &labels).unwrap();
        let frequency = positives as f64 / 20.0;
        prop_assert!((score(other) - score(frequency) - (other - frequency) * (other - frequency)).abs() < 1e-12);
    }
}
