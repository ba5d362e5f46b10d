//! Area under the receiver operating characteristic.

use crate::scalar::Scalar;

/// The chance that a positive outscores a negative, a tie counting one half.
///
/// ```text
/// AUC = (1 / (P N)) Σ_{i positive} Σ_{j negative} ([s_i > s_j] + ½ [s_i = s_j])
/// ```
///
/// `outcomes` pairs each score with whether it is of a positive; the slice is sorted by score in place, which makes the
/// sum one pass over groups of equal scores.
/// `None` where a class is missing or a score is NaN.
///
/// # Examples
/// ```
/// use aprm_core::metrics::auc::auc;
///
/// assert_eq!(auc(&mut [(0.9, true), (0.4, true), (0.4, false), (0.1, false)]), Some(0.875));
/// ```
///
/// # Reference
/// Mann and Whitney 1947, "On a test of whether one of two random variables is stochastically larger than the other".
pub fn auc<T: Scalar>(outcomes: &mut [(T, bool)]) -> Option<f64> {
    if outcomes.iter().any(|(score, _)| score.is_nan()) {
        return None;
    }
    outcomes.sort_unstable_by(|a, b| a.0.partial_cmp(&b.0).expect("no score is NaN"));
    let (mut positives, mut negatives, mut twice_wins) = (0_u64, 0_u64, 0_u64);
    for ties in outcomes.chunk_by(|a, b| a.0 == b.0) {
        let tied_positives = ties.iter().filter(|(_, positive)| *positive).count() as u64;
        let tied_negatives = ties.len() as u64 - tied_positives;
        twice_wins += tied_positives * (2 * negatives + tied_negatives);
        positives += tied_positives;
        negatives += tied_negatives;
    }
    super::share(twice_wins, 2 * positives * negatives)
}
