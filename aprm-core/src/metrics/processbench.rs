//! ProcessBench: finding the first wrong step of a solution, or that there is none.

use super::share;
use crate::scalar::Scalar;

/// The first step whose score lies under `threshold`, counted from zero; `None` where every step passes.
///
/// ```text
/// min { h : s_h < threshold }
/// ```
///
/// A step that scores the threshold passes; a step that scores NaN does not.
/// The benchmark's files write −1 for `None`.
///
/// # Examples
/// ```
/// use aprm_core::metrics::processbench::first_error;
///
/// assert_eq!(first_error(&[0.9, 0.5, 0.1], 0.5), Some(2));
/// assert_eq!(first_error(&[0.9, 0.5], 0.5), None);
/// ```
///
/// # Reference
/// Zheng et al. 2024, arXiv 2412.06559.
pub fn first_error<T: Scalar>(step_scores: &[T], threshold: T) -> Option<usize> {
    step_scores.iter().position(|&score| score < threshold || score.is_nan())
}

/// Counts of solutions judged, by whether they hold an error and whether the prediction was right.
///
/// A prediction is right where it equals the label: the very step that is wrong first, or none.
///
/// # Examples
/// ```
/// use aprm_core::metrics::processbench::ProcessBench;
///
/// let mut bench = ProcessBench::default();
/// for (prediction, label) in [(Some(2), Some(2)), (Some(1), Some(2)), (None, None)] {
///     bench.observe(prediction, label);
/// }
/// assert_eq!(bench.acc_error(), Some(0.5));
/// assert_eq!(bench.acc_correct(), Some(1.0));
/// assert_eq!(bench.f1(), Some(2.0 / 3.0));
/// ```
///
/// # Reference
/// Zheng et al. 2024, arXiv 2412.06559.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessBench {
    /// Solutions with an error.
    pub erroneous: u64,
    /// Those among them whose first error was found.
    pub errors_found: u64,
    /// Solutions without an error.
    pub correct: u64,
    /// Those among them in which no error was found.
    pub correct_passed: u64,
}

impl ProcessBench {
    /// Counts one solution.
    pub fn observe(&mut self, prediction: Option<usize>, label: Option<usize>) {
        let right = u64::from(prediction == label);
        match label {
            Some(_) => (self.erroneous, self.errors_found) = (self.erroneous + 1, self.errors_found + right),
            None => (self.correct, self.correct_passed) = (self.correct + 1, self.correct_passed + right),
        }
    }

    /// The share of erroneous solutions whose first error was found; `None` without any.
    pub fn acc_error(&self) -> Option<f64> {
        share(self.errors_found, self.erroneous)
    }

    /// The share of correct solutions that passed; `None` without any.
    pub fn acc_correct(&self) -> Option<f64> {
        share(self.correct_passed, self.correct)
    }

    /// The harmonic mean of both accuracies.
    ///
    /// ```text
    /// F1 = 2 acc_error acc_correct / (acc_error + acc_correct)
    /// ```
    ///
    /// Zero where both are zero, and `None` where either is not defined: a judge of one kind alone has no balance.
    pub fn f1(&self) -> Option<f64> {
        let (error, correct) = (self.acc_error()?, self.acc_correct()?);
        Some(if error + correct > 0.0 { 2.0 * error * correct / (error + correct) } else { 0.0 })
    }
}

/// A scored solution and its label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Example<'a, T> {
    /// One score per step.
    pub step_scores: &'a [T],
    /// The first wrong step, counted from zero; `None` where there is none.
    pub label: Option<usize>,
}

/// Judges every example at one threshold.
///
/// ```
/// use aprm_core::metrics::processbench::{Example, evaluate};
///
/// let examples = [Example { step_scores: &[0.9, 0.2], label: Some(1) }, Example { step_scores: &[0.4], label: None }];
/// let sweep = [0.3, 0.5].map(|threshold| evaluate(&examples, threshold).f1());
/// assert_eq!(sweep, [Some(1.0), Some(0.0)]);
/// ```
pub fn evaluate<T: Scalar>(examples: &[Example<'_, T>], threshold: T) -> ProcessBench {
    let mut bench = ProcessBench::default();
    for example in examples {
        bench.observe(first_error(example.step_scores, threshold), example.label);
    }
    bench
}

/// The first of `thresholds` with the highest F1, and the counts at it.
///
/// `None` where F1 is not defined, or where there is no threshold to try.
/// Fit on one subset, report on the others, and say so: the threshold is a parameter of the judge.
///
/// # Examples
/// ```
/// use aprm_core::metrics::processbench::{Example, fit_threshold};
///
/// let examples = [Example { step_scores: &[0.9, 0.2], label: Some(1) }, Example { step_scores: &[0.4], label: None }];
/// let (threshold, bench) = fit_threshold(&examples, &[0.1, 0.3, 0.5]).unwrap();
/// assert_eq!((threshold, bench.f1()), (0.3, Some(1.0)));
/// ```
pub fn fit_threshold<T: Scalar>(examples: &[Example<'_, T>], thresholds: &[T]) -> Option<(T, ProcessBench)> {
    let fits = thresholds.iter().map(|&threshold| (threshold, evaluate(examples, threshold)));
    fits.filter(|(_, bench)| bench.f1().is_some())
        .reduce(|best, next| if next.1.f1() > best.1.f1() { next } else { best })
}
