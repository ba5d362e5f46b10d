//! ProcessBench's question: which step of a solution is the first wrong one, if any?

use aprm_core::metrics::processbench::ProcessBench;
use serde::Serialize;

use super::estimate::{Bootstrap, Estimate};

/// The first wrong step of a solution as a judge has it, and as people have it; none where all steps are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the judge says, from zero.
    pub prediction: Option<usize>,
    /// The truth, from zero.
    pub label: Option<usize>,
}

/// How well a judge finds first errors, each number none where it is not defined.
///
/// Both accuracies stand apart, since one is bought with the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstErrors {
    /// Share of the wrong solutions whose first error is found.
    pub acc_error: Option<Estimate>,
    /// Share of the right solutions that pass.
    pub acc_correct: Option<Estimate>,
    /// The harmonic mean of both.
    pub f1: Option<Estimate>,
}

impl FirstErrors {
    /// Judges predictions; intervals are over problems, and hold a threshold that led to the predictions fixed.
    ///
    /// ```
    /// use aprm_models::benchmark::estimate::Bootstrap;
    /// use aprm_models::benchmark::first_error::{FirstErrors, Outcome};
    ///
    /// let outcome = |prediction, label| Outcome { prediction, label };
    /// let outcomes = [outcome(Some(2), Some(2)), outcome(Some(0), Some(1)), outcome(None, None)];
    /// let found = FirstErrors::new(&outcomes, &Bootstrap::default());
    /// assert_eq!([found.acc_error, found.acc_correct].map(|it| it.unwrap().value), [0.5, 1.0]);
    /// assert_eq!(found.f1.unwrap().value, 2.0 / 3.0);
    /// ```
    ///
    /// # Reference
    /// Zheng et al. 2024, arXiv 2412.06559.
    pub fn new(outcomes: &[Outcome], bootstrap: &Bootstrap) -> Self {
        let of = |metric: fn(&ProcessBench) -> Option<f64>| {
            bootstrap.estimate(&[outcomes.len()], |drawn| metric(&count(outcomes, &drawn[0])))
        };
        Self {
            acc_error: of(ProcessBench::acc_error),
            acc_correct: of(ProcessBench::acc_correct),
            f1: of(ProcessBench::f1),
        }
    }
}

/// The mean of the F1 of several subsets, however many solutions each has; none where one of them is not defined.
///
/// ```text
/// (1/K) Σ_k F1_k
/// ```
///
/// Each subset is resampled by itself.
///
/// ```
/// use aprm_models::benchmark::estimate::Bootstrap;
/// use aprm_models::benchmark::first_error::{Outcome, average_f1};
///
/// let outcome = |prediction, label| Outcome { prediction, label };
/// let one = [outcome(Some(0), Some(0)), outcome(None, None)];
/// let other = [outcome(None, Some(0)), outcome(None, None), outcome(None, None)];
/// assert_eq!(average_f1(&[&one, &other], &Bootstrap::default()).unwrap().value, 0.5);
/// ```
pub fn average_f1(subsets: &[&[Outcome]], bootstrap: &Bootstrap) -> Option<Estimate> {
    let sizes: Vec<usize> = subsets.iter().map(|outcomes| outcomes.len()).collect();
    let average = |drawn: &[Vec<usize>]| {
        let of_subsets = subsets.iter().zip(drawn).map(|(outcomes, drawn)| count(outcomes, drawn).f1());
        Some(of_subsets.sum::<Option<f64>>()? / subsets.len() as f64)
    };
    if subsets.is_empty() { None } else { bootstrap.estimate(&sizes, average) }
}

fn count(outcomes: &[Outcome], drawn: &[usize]) -> ProcessBench {
    let mut bench = ProcessBench::default();
    for &i in drawn {
        bench.observe(outcomes[i].prediction, outcomes[i].label);
    }
    bench
}
