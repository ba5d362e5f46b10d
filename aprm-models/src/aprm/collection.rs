//! The labelled steps that somebody has collected: few, and the same for ever.

use std::collections::HashSet;
use std::sync::Arc;

use aprm_core::oracle::Verdict;
use aprm_core::rand_core::Rng;

use super::task::Task;
use crate::arithmetic::ErrorKind;
use crate::draw::choose;

/// Gold solutions, each of their steps with one rule-made error in its place that was made once.
///
/// It is the data of a static PRM, and all that the game has of gold solutions. Problems, steps and verdicts are those of
/// the task that it was collected from.
#[derive(Debug)]
pub struct Collection<K: Task> {
    task: K,
    /// Empty where there is no end of them.
    solutions: Vec<Arc<Collected<K::Solution>>>,
    errors_are_new: bool,
}

/// A gold solution, and the errors that were collected of it.
#[derive(Debug)]
pub struct Collected<S> {
    solution: S,
    /// Of each step; none where the rules know none.
    errors: Vec<Option<(ErrorKind, String)>>,
}

/// No solution that a task deals has a step that the rules know an error for, or none was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no solution can be collected that has a step which a rule can make wrong")]
pub struct NothingCollected;

/// Problems dealt again, one after the other, from which it follows that a task has no others.
const PATIENCE: usize = 10_000;

impl<K: Task> Collection<K> {
    /// Collects solutions of so many problems, or of all that the task deals where they are fewer.
    ///
    /// # Errors
    /// [`NothingCollected`].
    pub fn new(task: K, solutions: usize, rng: &mut dyn Rng) -> Result<Self, NothingCollected> {
        let (mut problems, mut collected, mut patience) = (HashSet::new(), Vec::new(), PATIENCE);
        while collected.len() < solutions && patience > 0 {
            let solution = task.deal(rng);
            if !problems.insert(task.problem(&solution).to_owned()) {
                patience -= 1;
                continue;
            }
            patience = PATIENCE;
            let steps = 0..task.steps(&solution).len();
            let errors: Vec<_> = steps.map(|step| task.corrupt(&solution, step, rng)).collect();
            if errors.iter().any(Option::is_some) {
                collected.push(Arc::new(Collected { solution, errors }));
            }
        }
        if collected.is_empty() {
            return Err(NothingCollected);
        }
        Ok(Self { task, solutions: collected, errors_are_new: false })
    }

    /// All that a task deals, every time with new errors: more than anybody collects.
    pub fn endless(task: K) -> Self {
        Self { task, solutions: Vec::new(), errors_are_new: true }
    }

    /// The same solutions, every time with new errors.
    #[must_use]
    pub fn with_new_errors(self) -> Self {
        Self { errors_are_new: true, ..self }
    }
}

impl<K: Task> Task for Collection<K> {
    type Solution = Arc<Collected<K::Solution>>;
    type Error = K::Error;

    fn deal(&self, rng: &mut dyn Rng) -> Self::Solution {
        match choose(&self.solutions, rng) {
            Some(solution) => solution.clone(),
            None => Arc::new(Collected { solution: self.task.deal(rng), errors: Vec::new() }),
        }
    }

    fn problem<'a>(&self, collected: &'a Self::Solution) -> &'a str {
        self.task.problem(&collected.solution)
    }

    fn steps<'a>(&self, collected: &'a Self::Solution) -> &'a [String] {
        self.task.steps(&collected.solution)
    }

    fn corrupt(&self, collected: &Self::Solution, step: usize, rng: &mut dyn Rng) -> Option<(ErrorKind, String)> {
        if self.errors_are_new {
            self.task.corrupt(&collected.solution, step, rng)
        } else {
            collected.errors[step].clone()
        }
    }

    fn judge(&mut self, collected: &Self::Solution, step: usize, rewrite: &str) -> Result<Verdict, Self::Error> {
        self.task.judge(&collected.solution, step, rewrite)
    }

    fn solves(&self, collected: &Self::Solution, steps: &[String]) -> bool {
        self.task.solves(&collected.solution, steps)
    }

    fn error_kind(&self, collected: &Self::Solution, step: usize, rewrite: &str) -> &'static str {
        self.task.error_kind(&collected.solution, step, rewrite)
    }
}
