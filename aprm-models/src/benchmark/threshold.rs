//! The score below which a step counts as wrong.

use aprm_core::metrics::processbench::{self, Example};

/// The threshold with the best F1 on a subset; none where no F1 exists, for want of solutions with or without an error.
///
/// ```text
/// argmax_t F1(t),   t in { s_1 } ∪ { (s_i + s_{i+1}) / 2 },   s the distinct scores in ascending order
/// ```
///
/// These tell apart all that any threshold can tell apart, but for one that lets no step pass; the lowest of equals is
/// taken. ProcessBench's authors fit on GSM8K and report the other subsets at the same threshold; where the choice
/// lies between neighbouring scores is ours.
///
/// ```
/// use aprm_core::metrics::processbench::Example;
/// use aprm_models::benchmark::threshold::fit_threshold;
///
/// let examples =
///     [Example { step_scores: &[0.875, 0.25], label: Some(1) }, Example { step_scores: &[0.5], label: None }];
/// assert_eq!(fit_threshold(&examples), Some(0.375));
/// ```
///
/// # Reference
/// Zheng et al. 2024, arXiv 2412.06559 (the threshold of GSM8K for all subsets).
pub fn fit_threshold(examples: &[Example<'_, f64>]) -> Option<f64> {
    let scores = examples.iter().flat_map(|example| example.step_scores).copied();
    let mut scores: Vec<f64> = scores.filter(|score| score.is_finite()).collect();
    scores.sort_unstable_by(f64::total_cmp);
    scores.dedup();
    let between = scores.windows(2).map(|pair| {
        let middle = pair[0] + (pair[1] - pair[0]) / 2.0;
        // Between two neighbours among the numbers there is none.
        if middle > pair[0] { middle } else { pair[1] }
    });
    let thresholds: Vec<f64> = scores.first().copied().into_iter().chain(between).collect();
    processbench::fit_threshold(examples, &thresholds).map(|(threshold, _)| threshold)
}
