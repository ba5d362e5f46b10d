//! Diverse verifier tree search.

use alloc::vec::Vec;

use rand_core::Rng;

use super::beam::{Beam, Candidate, ExpandError, best, expand};
use super::{Scorer, Solver};
use crate::scalar::Scalar;

/// A search in independent subtrees, each of which follows its best child alone.
///
/// A budget of N solutions at M children a step is N / M subtrees.
/// Subtrees never displace each other, so strong scores at the start cannot crowd out the rest, as they do in a beam.
/// The batch is shared: each expansion asks the solver and the scorer once.
///
/// One subtree is a beam of width 1; with one child a step the subtrees are so many plain samples.
///
/// # Departures
/// The reference implementation returns all M children of each subtree's last step; here a subtree ends in its best one.
///
/// # Examples
/// Four subtrees of two children; the scorer likes high steps, and the solver's are the even numbers in turn.
/// ```
/// use aprm_core::rand_core::Rng;
/// use aprm_core::search::{Progress, Solver, StepScore, dvts::Dvts};
/// use core::convert::Infallible;
/// use rand::{rngs::ChaCha8Rng, SeedableRng};
///
/// struct OneStep;
///
/// impl Solver<()> for OneStep {
///     type Step = usize;
///     type Answer = usize;
///     type Error = Infallible;
///
///     fn extend(&mut self, _: &(), prefixes: &[&[usize]], _: &mut dyn Rng) -> Result<Vec<usize>, Infallible> {
///         Ok((0..prefixes.len()).map(|i| 2 * i).collect())
///     }
///     fn progress(&self, _: &(), steps: &[usize]) -> Progress<usize> {
///         Progress::Finished(steps.last().copied())
///     }
/// }
///
/// let mut high = |_: &(), solutions: &[&[usize]]| {
///     Ok::<_, Infallible>(solutions.iter().map(|steps| vec![StepScore::from(steps[0] as f64)]).collect())
/// };
/// let mut search = Dvts::new(4, 2, 0.0);
/// let Ok(()) = search.expand(&(), &mut OneStep, &mut high, &mut ChaCha8Rng::seed_from_u64(0));
/// assert!(search.is_finished());
/// let answers: Vec<_> = search.candidates().filter_map(|candidate| candidate.answer()).collect();
/// assert_eq!(answers, [&2, &6, &10, &14]);
/// ```
///
/// # Reference
/// Beeching, Tunstall and Rush 2024, "Scaling test-time compute with open models", Hugging Face.
#[derive(Clone, Debug, PartialEq)]
pub struct Dvts<Step, Answer, T> {
    subtrees: Vec<Beam<Step, Answer, T>>,
}

impl<Step: Clone, Answer, T: Scalar> Dvts<Step, Answer, T> {
    /// Subtrees that each hold the bare problem.
    ///
    /// # Panics
    /// If `subtrees` or `children` is zero.
    pub fn new(subtrees: usize, children: usize, alpha: T) -> Self {
        assert!(subtrees > 0, "Dvts: no subtrees");
        Self { subtrees: (0..subtrees).map(|_| Beam::new(1, children, alpha)).collect() }
    }

    /// One candidate per subtree, in their order: what [`best_of_n`](super::best_of_n) chooses among.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate<Step, Answer, T>> + Clone {
        self.subtrees.iter().flat_map(Beam::candidates)
    }

    /// Whether no subtree is open, so that a further expansion does nothing.
    pub fn is_finished(&self) -> bool {
        self.subtrees.iter().all(Beam::is_finished)
    }

    /// The candidate whose newest step has the highest `Q^π`, among those with an answer if there are any.
    ///
    /// `None` before the first expansion.
    pub fn best(&self) -> Option<&Candidate<Step, Answer, T>> {
        best(self.candidates())
    }

    /// Goes one step deeper in every open subtree: asks the solver once and the scorer once.
    ///
    /// # Errors
    /// If the solver or the scorer fails; the subtrees are then as they were before the call, and may be expanded
    /// again.
    ///
    /// # Panics
    /// If the solver does not give one step per prefix, or the scorer not one score per step.
    pub fn expand<Problem, S, V>(
        &mut self,
        problem: &Problem,
        solver: &mut S,
        scorer: &mut V,
        rng: &mut dyn Rng,
    ) -> Result<(), ExpandError<S::Error, V::Error>>
    where
        Problem: ?Sized,
        S: Solver<Problem, Step = Step, Answer = Answer> + ?Sized,
        V: Scorer<Problem, Step, Value = T> + ?Sized,
    {
        expand(&mut self.subtrees, problem, solver, scorer, rng)
    }
}
