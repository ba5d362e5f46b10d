//! Choosing among a solver's answers.
//!
//! A [`Solver`] extends solutions step by step and a [`Scorer`] scores their steps; both are asked for whole batches.
//!
//! | to | use |
//! |---|---|
//! | turn the scores of a solution's steps into one | [`aggregate`] |
//! | choose among finished solutions | [`best_of_n`] |
//! | look for a solution under the guidance of scores | [`beam`], [`dvts`] |
//!
//! Wherever scores are ranked, the first of equals wins and NaN ranks below every number.

pub mod aggregate;
pub mod beam;
pub mod best_of_n;
pub mod dvts;

use alloc::vec::Vec;
use core::cmp::Ordering;

use rand_core::Rng;

use crate::reward::pav::effective_reward;
use crate::scalar::Scalar;

/// How far a solution has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress<Answer> {
    /// Another step follows.
    Open,
    /// No step follows; without an answer where none can be read out of the solution.
    Finished(Option<Answer>),
}

/// One who solves problems step by step.
///
/// ```
/// use aprm_core::rand_core::Rng;
/// use aprm_core::search::{Progress, Solver};
/// use core::convert::Infallible;
/// use rand::{rngs::ChaCha8Rng, SeedableRng};
///
/// /// Walks towards the number that is the problem by steps of one to three.
/// struct Walker;
///
/// impl Solver<u32> for Walker {
///     type Step = u32;
///     type Answer = u32;
///     type Error = Infallible;
///
///     fn extend(&mut self, _: &u32, prefixes: &[&[u32]], rng: &mut dyn Rng) -> Result<Vec<u32>, Infallible> {
///         Ok(prefixes.iter().map(|_| 1 + rng.next_u32() % 3).collect())
///     }
///     fn progress(&self, target: &u32, steps: &[u32]) -> Progress<u32> {
///         let reached = steps.iter().sum();
///         if reached < *target { Progress::Open } else { Progress::Finished(Some(reached)) }
///     }
/// }
///
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let Ok(steps) = Walker.extend(&5, &[&[], &[3]], &mut rng);
/// assert_eq!(steps.len(), 2);
/// assert_eq!(Walker.progress(&5, &[3, 2]), Progress::Finished(Some(5)));
/// ```
///
/// # For implementors
/// Draw randomness from `rng` alone, so that one seed replays a search.
/// A prefix that stands in a batch several times asks for as many samples; the copies stand side by side, so that their
/// cost can be shared.
pub trait Solver<Problem: ?Sized> {
    /// One step of a solution.
    type Step;
    /// What a finished solution answers, in canonical form: two solutions agree where their answers are equal.
    type Answer;
    /// Why no step came; [`core::convert::Infallible`] for solvers that always find one.
    type Error;

    /// Samples one next step for each of `prefixes`, in their order; the empty prefix is the bare problem.
    ///
    /// # Errors
    /// Whatever keeps the solver from going on: a lost device, a broken pipe.
    fn extend(
        &mut self,
        problem: &Problem,
        prefixes: &[&[Self::Step]],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Self::Step>, Self::Error>;

    /// Says whether `steps` are finished, and what they answer.
    fn progress(&self, problem: &Problem, steps: &[Self::Step]) -> Progress<Self::Answer>;
}

/// What a scorer finds of a step.
///
/// A plain process reward model has no advantage to tell, and `StepScore::from(value)` says so with a zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepScore<T> {
    /// `Q^π`: the chance that the solver finishes correctly from this step on.
    pub value: T,
    /// `A^μ`: by how much the step raised that chance for the prover μ.
    pub advantage: T,
}

impl<T: Scalar> StepScore<T> {
    /// The effective reward of a step.
    ///
    /// ```text
    /// Q^π(s, a) + α A^μ(s, a)
    /// ```
    ///
    /// ```
    /// use aprm_core::search::StepScore;
    ///
    /// assert_eq!(StepScore { value: 0.5, advantage: 0.25 }.effective_reward(2.0), 1.0);
    /// ```
    ///
    /// # Reference
    /// Setlur et al. 2024, arXiv 2410.08146 (effective reward).
    pub fn effective_reward(self, alpha: T) -> T {
        effective_reward(self.value, self.advantage, alpha)
    }
}

impl<T: Scalar> From<T> for StepScore<T> {
    fn from(value: T) -> Self {
        Self { value, advantage: T::zero() }
    }
}

/// A model that scores the steps of solutions, finished or not.
///
/// A closure is a scorer.
///
/// ```
/// use aprm_core::search::{Scorer, StepScore};
/// use core::convert::Infallible;
///
/// let mut falling = |_: &str, solutions: &[&[char]]| {
///     let score = |steps: &&[char]| (1..=steps.len()).map(|n| StepScore::from(1.0 / n as f64)).collect();
///     Ok::<_, Infallible>(solutions.iter().map(score).collect())
/// };
/// let Ok(scores) = falling.score("any problem", &[&['a'], &['a', 'b']]);
/// assert_eq!(scores[1][1].value, 0.5);
/// ```
pub trait Scorer<Problem: ?Sized, Step> {
    /// The real number that it counts in.
    type Value;
    /// Why no score came; [`core::convert::Infallible`] for scorers that always give one.
    type Error;

    /// Scores every step of every solution: one list per solution, one score per step, in their order.
    ///
    /// # Errors
    /// Whatever keeps the scorer from judging: a lost device, a solution that is too long for it.
    fn score(&mut self, problem: &Problem, solutions: &[&[Step]]) -> ScoreLists<Self::Value, Self::Error>;
}

/// The scores of a batch of solutions, step by step.
pub type ScoreLists<T, Error> = Result<Vec<Vec<StepScore<T>>>, Error>;

impl<Problem: ?Sized, Step, T, Error, F> Scorer<Problem, Step> for F
where
    F: FnMut(&Problem, &[&[Step]]) -> ScoreLists<T, Error>,
{
    type Value = T;
    type Error = Error;

    fn score(&mut self, problem: &Problem, solutions: &[&[Step]]) -> ScoreLists<T, Error> {
        self(problem, solutions)
    }
}

fn outranks<T: Scalar>(score: T, other: T) -> bool {
    score > other || (other.is_nan() && !score.is_nan())
}

fn descending<T: Scalar>(score: T, other: T) -> Ordering {
    outranks(other, score).cmp(&outranks(score, other))
}

/// The first key among those of the highest score.
fn argmax<Key, T: Scalar>(scored: impl Iterator<Item = (Key, T)>) -> Option<Key> {
    let (key, _) = scored.reduce(|best, next| if outranks(next.1, best.1) { next } else { best })?;
    Some(key)
}
