//! Beam search guided by step scores.

use alloc::vec::Vec;
use alloc::{slice, vec};
use core::iter::repeat_n;

use rand_core::Rng;

use super::{Progress, Scorer, Solver, StepScore, argmax, descending};
use crate::scalar::Scalar;

/// A solution, finished or not, as a search holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate<Step, Answer, T> {
    /// The steps so far.
    pub steps: Vec<Step>,
    /// One score per step.
    pub scores: Vec<StepScore<T>>,
    /// Whether it is finished, and what it answers.
    pub progress: Progress<Answer>,
}

impl<Step, Answer, T> Candidate<Step, Answer, T> {
    pub(super) fn root() -> Self {
        Self { steps: Vec::new(), scores: Vec::new(), progress: Progress::Open }
    }

    /// What it answers, if it is finished and has an answer.
    pub fn answer(&self) -> Option<&Answer> {
        match &self.progress {
            Progress::Finished(answer) => answer.as_ref(),
            Progress::Open => None,
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.progress, Progress::Open)
    }
}

/// Why a search could not be expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError<SolverError, ScorerError> {
    /// The solver gave no steps.
    #[error("the solver failed")]
    Solver(#[source] SolverError),
    /// The scorer gave no scores.
    #[error("the scorer failed")]
    Scorer(#[source] ScorerError),
}

/// A beam search that the host drives, one depth at a time.
///
/// Each [`expand`](Self::expand) samples `children` next steps for every open candidate and keeps the best by the
/// effective reward of the newest step, `Q^π + α A^μ`, which credits a step for itself and not for those before it.
/// A finished candidate keeps its place, so the beam holds at most `width` candidates and each expansion chooses among
/// candidates of one depth.
/// The final answer is chosen by `Q^π` alone.
///
/// With α = 0 this is a plain value beam, with width and children 1 plain sampling.
///
/// # Examples
/// Three digits whose sum is to be high; the solver counts upwards instead of drawing.
/// ```
/// use aprm_core::rand_core::Rng;
/// use aprm_core::search::{Progress, Solver, StepScore, beam::Beam};
/// use core::convert::Infallible;
/// use rand::{rngs::ChaCha8Rng, SeedableRng};
///
/// struct Counter(u32);
///
/// impl Solver<()> for Counter {
///     type Step = u32;
///     type Answer = u32;
///     type Error = Infallible;
///
///     fn extend(&mut self, _: &(), prefixes: &[&[u32]], _: &mut dyn Rng) -> Result<Vec<u32>, Infallible> {
///         Ok(prefixes.iter().map(|_| { self.0 += 1; self.0 % 10 }).collect())
///     }
///     fn progress(&self, _: &(), steps: &[u32]) -> Progress<u32> {
///         if steps.len() < 3 { Progress::Open } else { Progress::Finished(Some(steps.iter().sum())) }
///     }
/// }
///
/// let mut digit = |_: &(), solutions: &[&[u32]]| {
///     let score = |steps: &&[u32]| steps.iter().map(|&digit| StepScore::from(f64::from(digit) / 9.0)).collect();
///     Ok::<_, Infallible>(solutions.iter().map(score).collect())
/// };
/// let mut beam = Beam::new(1, 5, 0.0);
/// while !beam.is_finished() {
///     let Ok(()) = beam.expand(&(), &mut Counter(0), &mut digit, &mut ChaCha8Rng::seed_from_u64(0));
/// }
/// assert_eq!(beam.best().unwrap().answer(), Some(&15));
/// ```
///
/// # Reference
/// Setlur et al. 2024, arXiv 2410.08146 (beam search with effective rewards).
#[derive(Clone, Debug, PartialEq)]
pub struct Beam<Step, Answer, T> {
    width: usize,
    children: usize,
    alpha: T,
    candidates: Vec<Candidate<Step, Answer, T>>,
}

impl<Step: Clone, Answer, T: Scalar> Beam<Step, Answer, T> {
    /// A beam that holds the bare problem.
    ///
    /// # Panics
    /// If `width` or `children` is zero.
    pub fn new(width: usize, children: usize, alpha: T) -> Self {
        assert!(width > 0 && children > 0, "Beam: width {width}, children {children}");
        Self { width, children, alpha, candidates: vec![Candidate::root()] }
    }

    /// The candidates: the finished ones in the order in which they finished, then the open ones, best first.
    pub fn candidates(&self) -> &[Candidate<Step, Answer, T>] {
        &self.candidates
    }

    /// Whether no candidate is open, so that a further expansion does nothing.
    pub fn is_finished(&self) -> bool {
        !self.candidates.iter().any(Candidate::is_open)
    }

    /// The candidate whose newest step has the highest `Q^π`, among those with an answer if there are any.
    ///
    /// `None` before the first expansion.
    pub fn best(&self) -> Option<&Candidate<Step, Answer, T>> {
        best(&self.candidates)
    }

    /// Goes one step deeper: asks the solver once and the scorer once.
    ///
    /// # Errors
    /// If the solver or the scorer fails; the beam is then as it was before the call, and may be expanded again.
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
        expand(slice::from_mut(self), problem, solver, scorer, rng)
    }

    /// The steps of each open candidate, once for every child that it is to have.
    fn prefixes(&self) -> impl Iterator<Item = &[Step]> {
        let open = self.candidates.iter().filter(|candidate| candidate.is_open());
        open.flat_map(|parent| repeat_n(&parent.steps[..], self.children))
    }

    fn keep_best(&mut self, mut children: Vec<Candidate<Step, Answer, T>>) {
        let rank = |child: &Candidate<Step, Answer, T>| {
            child.scores.last().expect("a child has a newest step").effective_reward(self.alpha)
        };
        children.sort_by(|a, b| descending(rank(a), rank(b)));
        self.candidates.retain(|candidate| !candidate.is_open());
        children.truncate(self.width - self.candidates.len());
        let (open, finished): (Vec<_>, Vec<_>) = children.into_iter().partition(Candidate::is_open);
        self.candidates.extend(finished.into_iter().chain(open));
    }
}

pub(super) fn best<'a, Step: 'a, Answer: 'a, T: Scalar>(
    candidates: impl IntoIterator<Item = &'a Candidate<Step, Answer, T>, IntoIter: Clone>,
) -> Option<&'a Candidate<Step, Answer, T>> {
    let candidates = candidates.into_iter();
    let answered = candidates.clone().any(|candidate| candidate.answer().is_some());
    argmax(
        candidates
            .filter(|candidate| candidate.answer().is_some() == answered)
            .filter_map(|candidate| Some((candidate, candidate.scores.last()?.value))),
    )
}

/// Expands several beams with one call of the solver and one of the scorer.
pub(super) fn expand<Problem, Step, Answer, T, S, V>(
    beams: &mut [Beam<Step, Answer, T>],
    problem: &Problem,
    solver: &mut S,
    scorer: &mut V,
    rng: &mut dyn Rng,
) -> Result<(), ExpandError<S::Error, V::Error>>
where
    Problem: ?Sized,
    Step: Clone,
    T: Scalar,
    S: Solver<Problem, Step = Step, Answer = Answer> + ?Sized,
    V: Scorer<Problem, Step, Value = T> + ?Sized,
{
    let prefixes: Vec<&[Step]> = beams.iter().flat_map(Beam::prefixes).collect();
    if prefixes.is_empty() {
        return Ok(());
    }
    let next = solver.extend(problem, &prefixes, rng).map_err(ExpandError::Solver)?;
    assert_eq!(next.len(), prefixes.len(), "expand: one step per prefix");
    let extended: Vec<Vec<Step>> =
        prefixes.iter().zip(next).map(|(prefix, step)| prefix.iter().cloned().chain([step]).collect()).collect();

    let solutions: Vec<&[Step]> = extended.iter().map(Vec::as_slice).collect();
    let scores = scorer.score(problem, &solutions).map_err(ExpandError::Scorer)?;
    assert!(
        solutions.iter().map(|steps| steps.len()).eq(scores.iter().map(Vec::len)),
        "expand: one score per step of each solution",
    );

    let mut children = extended.into_iter().zip(scores).map(|(steps, scores)| {
        let progress = solver.progress(problem, &steps);
        Candidate { steps, scores, progress }
    });
    for beam in beams {
        let count = beam.prefixes().count();
        beam.keep_best(children.by_ref().take(count).collect());
    }
    Ok(())
}
