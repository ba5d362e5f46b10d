//! The game on built-in problems.

use aprm_core::oracle::Verdict;
use aprm_core::rand_core::Rng;

use super::attempts::{Attempt, Attempts};
use super::prompt::Prompt;
use super::task::Task;
use crate::arithmetic::{Distribution, DistributionError, ErrorKind, Finding, Part, Problem, classify, corrupt_any};
use crate::oracle::{ArithmeticOracle, Leniency};

/// Problems of the training part of a distribution.
#[derive(Clone, Debug)]
pub struct ArithmeticTask {
    distribution: Distribution,
    oracle: ArithmeticOracle,
}

/// A built-in problem with its texts.
#[derive(Clone, Debug)]
pub struct WorkedProblem {
    /// The problem.
    pub problem: Problem,
    text: String,
    steps: Vec<String>,
}

impl From<Problem> for WorkedProblem {
    fn from(problem: Problem) -> Self {
        Self { text: problem.to_string(), steps: problem.solution(), problem }
    }
}

impl ArithmeticTask {
    /// A distribution that has problems to draw.
    ///
    /// # Errors
    /// [`DistributionError`], as a first draw finds out.
    pub fn new(distribution: Distribution, leniency: Leniency, rng: &mut dyn Rng) -> Result<Self, DistributionError> {
        distribution.draw_from(Part::Training, rng)?;
        Ok(Self { distribution, oracle: ArithmeticOracle { leniency } })
    }
}

impl Task for ArithmeticTask {
    type Solution = WorkedProblem;
    type Error = core::convert::Infallible;

    fn deal(&self, rng: &mut dyn Rng) -> WorkedProblem {
        self.distribution.draw_from(Part::Training, rng).expect("a distribution that has been drawn from").into()
    }

    fn problem<'a>(&self, solution: &'a WorkedProblem) -> &'a str {
        &solution.text
    }

    fn steps<'a>(&self, solution: &'a WorkedProblem) -> &'a [String] {
        &solution.steps
    }

    fn corrupt(&self, solution: &WorkedProblem, step: usize, rng: &mut dyn Rng) -> Option<(ErrorKind, String)> {
        corrupt_any(&solution.problem, step, rng)
    }

    fn judge(&mut self, solution: &WorkedProblem, step: usize, rewrite: &str) -> Result<Verdict, Self::Error> {
        Ok(self.oracle.leniency.verdict(classify(&solution.problem, step, rewrite)))
    }

    fn solves(&self, solution: &WorkedProblem, steps: &[String]) -> bool {
        steps.last().and_then(|step| Problem::answer_of(step)) == Some(solution.problem.answer())
    }

    fn error_kind(&self, solution: &WorkedProblem, step: usize, rewrite: &str) -> &'static str {
        match classify(&solution.problem, step, rewrite) {
            Finding::Unchanged => "unchanged",
            Finding::Reordered => "reordered",
            Finding::EqualValue => "equal value",
            Finding::Early { .. } => "early",
            Finding::Error(kind) => kind.name(),
            Finding::Malformed => "malformed",
        }
    }
}

impl ArithmeticOracle {
    /// The truth about what a solver wrote.
    ///
    /// A solution that was not ended, or that stops early, is wrong at its last line.
    pub fn attempt(&self, problem: &Problem, prompt: &Prompt, ids: &[u32]) -> Attempt {
        let (steps, ended) = prompt.read_solution(ids);
        let verdict = self.judge_chain(problem, &steps);
        let answer = steps.last().filter(|_| ended).and_then(|step| Problem::answer_of(step));
        let solved = answer == Some(problem.answer());
        let stops_early = verdict.first_error.is_none() && !solved;
        Attempt {
            first_error: if stops_early { steps.len().checked_sub(1) } else { verdict.first_error },
            answer: answer.map(|answer| answer.to_string()),
            solved,
            steps,
        }
    }
}

/// Attempts at problems that nobody has trained on, each with the truth about it; `attempts` of each problem's ids lie
/// end to end.
pub fn attempts(
    problems: &[Problem],
    oracle: ArithmeticOracle,
    prompt: &Prompt,
    solutions: &[Vec<u32>],
) -> Vec<Attempts> {
    let each = solutions.len() / problems.len().max(1);
    let solved = problems.iter().zip(solutions.chunks(each.max(1)));
    solved
        .map(|(problem, solutions)| Attempts {
            problem: problem.to_string(),
            attempts: solutions.iter().map(|ids| oracle.attempt(problem, prompt, ids)).collect(),
        })
        .collect()
}
