//! Judging a process reward model by what solvers wrote.

use aprm_core::metrics::auc::auc;
use aprm_core::metrics::processbench::{self, Example, ProcessBench};
use aprm_core::search::aggregate::Aggregate;
use aprm_core::search::best_of_n;
use serde::{Deserialize, Serialize};

use super::attempts::Attempts;

/// Step scores of all attempts at all problems: `scores[problem][attempt][step]`.
pub type StepScores = Vec<Vec<Vec<f32>>>;

/// What attempts say of a reward model, and of doing without one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// How many problems there are.
    pub problems: usize,
    /// How many attempts at each.
    pub attempts: usize,
    /// Area under the curve of steps before the first error against the first error itself.
    pub step_auc: Option<f64>,
    /// Harmonic mean of the two accuracies below, in ProcessBench's manner.
    pub first_error_f1: Option<f64>,
    /// Share of wrong solutions whose first error is found.
    pub acc_error: Option<f64>,
    /// Share of right solutions in which no error is found.
    pub acc_correct: Option<f64>,
    /// The score below which a step counts as wrong, fitted on another set.
    pub threshold: f32,
    /// Share of problems solved by the attempt with the largest product of step scores: the chance that every step is right,
    /// were they independent.
    pub best_of_n: f64,
    /// The same by the least step score.
    pub best_of_n_min: f64,
    /// The same by the last step's score.
    pub best_of_n_last: f64,
    /// The same by the mean of the step scores.
    pub best_of_n_mean: f64,
    /// The same by the answer whose attempts have the largest sum of such products.
    pub weighted: f64,
    /// Share of attempts that are right: what a blind choice gives.
    pub mean: f64,
    /// Share of problems solved by the most frequent answer.
    pub majority: f64,
    /// Share of problems with a right attempt: what a perfect choice gives.
    pub oracle: f64,
}

impl Evaluation {
    /// Judges scores at a threshold that was fitted elsewhere.
    ///
    /// # Panics
    /// If there is not one score for each step.
    pub fn new(set: &[Attempts], scores: &StepScores, threshold: f32) -> Self {
        assert_eq!(set.len(), scores.len(), "one list of scores for each problem");
        let bench = processbench::evaluate(&examples(set, scores), threshold);
        let by = |aggregate: Aggregate| {
            solved(set, scores, |scores, answers| best_of_n::naive(&aggregated(scores, aggregate), answers))
        };
        let attempts = set.iter().map(|problem| problem.attempts.len()).sum::<usize>();
        let right = set.iter().flat_map(|problem| &problem.attempts).filter(|attempt| attempt.solved).count();
        let solvable = set.iter().filter(|problem| problem.attempts.iter().any(|attempt| attempt.solved)).count();
        Self {
            problems: set.len(),
            attempts: attempts / set.len().max(1),
            step_auc: step_auc(set, scores),
            first_error_f1: bench.f1(),
            acc_error: bench.acc_error(),
            acc_correct: bench.acc_correct(),
            threshold,
            best_of_n: by(Aggregate::Product),
            best_of_n_min: by(Aggregate::Min),
            best_of_n_last: by(Aggregate::Last),
            best_of_n_mean: by(Aggregate::Mean),
            weighted: solved(set, scores, |scores, answers| {
                best_of_n::weighted(&aggregated(scores, Aggregate::Product), answers)
            }),
            mean: right as f64 / attempts.max(1) as f64,
            majority: solved(set, scores, |_, answers| best_of_n::majority(answers)),
            oracle: solvable as f64 / set.len().max(1) as f64,
        }
    }
}

impl Evaluation {
    /// The mean over several checkpoints of one reward model on the same set; a rate that one of them lacks is lacking.
    ///
    /// # Panics
    /// If there is none.
    pub fn mean(checkpoints: &[Self]) -> Self {
        let first = checkpoints.first().expect("at least one checkpoint");
        let mean = |rate: fn(&Self) -> f64| checkpoints.iter().map(rate).sum::<f64>() / checkpoints.len() as f64;
        let mean_of_some = |rate: fn(&Self) -> Option<f64>| {
            let sum: Option<f64> = checkpoints.iter().map(rate).sum();
            sum.map(|sum| sum / checkpoints.len() as f64)
        };
        Self {
            problems: first.problems,
            attempts: first.attempts,
            step_auc: mean_of_some(|found| found.step_auc),
            first_error_f1: mean_of_some(|found| found.first_error_f1),
            acc_error: mean_of_some(|found| found.acc_error),
            acc_correct: mean_of_some(|found| found.acc_correct),
            threshold: mean(|found| found.threshold.into()) as f32,
            best_of_n: mean(|found| found.best_of_n),
            best_of_n_min: mean(|found| found.best_of_n_min),
            best_of_n_last: mean(|found| found.best_of_n_last),
            best_of_n_mean: mean(|found| found.best_of_n_mean),
            weighted: mean(|found| found.weighted),
            mean: first.mean,
            majority: first.majority,
            oracle: first.oracle,
        }
    }
}

/// The threshold with the best F1 on a set, among the scores' own hundredths, and 0.5 where no F1 exists.
pub fn fit_threshold(set: &[Attempts], scores: &StepScores) -> f32 {
    let thresholds: Vec<f32> = (1..100).map(|percent| percent as f32 / 100.0).collect();
    let fit: Option<(f32, ProcessBench)> = processbench::fit_threshold(&examples(set, scores), &thresholds);
    fit.map_or(0.5, |(threshold, _)| threshold)
}

fn examples<'a>(set: &[Attempts], scores: &'a StepScores) -> Vec<Example<'a, f32>> {
    let attempts = set.iter().zip(scores).flat_map(|(problem, scores)| problem.attempts.iter().zip(scores));
    attempts.map(|(attempt, step_scores)| Example { step_scores, label: attempt.first_error }).collect()
}

fn step_auc(set: &[Attempts], scores: &StepScores) -> Option<f64> {
    let examples = examples(set, scores);
    let mut steps: Vec<(f32, bool)> = examples
        .iter()
        .flat_map(|Example { step_scores, label }| {
            let judged = label.map_or(step_scores.len(), |first_error| first_error + 1);
            step_scores[..judged].iter().enumerate().map(|(step, &score)| (score, Some(step) != *label))
        })
        .collect();
    auc(&mut steps)
}

fn aggregated(scores: &[Vec<f32>], aggregate: Aggregate) -> Vec<f32> {
    scores.iter().map(|scores| aggregate.of(scores.iter().copied())).collect()
}

/// Share of problems whose chosen attempt is right.
fn solved(
    set: &[Attempts],
    scores: &StepScores,
    choose: impl Fn(&[Vec<f32>], &[Option<&str>]) -> Option<usize>,
) -> f64 {
    let right = set.iter().zip(scores).filter(|(problem, scores)| {
        let answers: Vec<Option<&str>> = problem.attempts.iter().map(|attempt| attempt.answer.as_deref()).collect();
        choose(scores, &answers).is_some_and(|chosen| problem.attempts[chosen].solved)
    });
    right.count() as f64 / set.len().max(1) as f64
}
