//! The game on GSM8K: steps of people's solutions, judged by the arithmetic that they show.

use std::sync::{Arc, Mutex, PoisonError};

use aprm_core::oracle::{Oracle, Verdict};
use aprm_core::rand_core::Rng;

use super::config::Asked;
use super::task::Task;
use crate::arithmetic::ErrorKind;
use crate::data::{Annotations, Gsm8k, corrupt_annotated};
use crate::draw::index;
use crate::oracle::{
    Context, Expression, GoldStepOracle, ProcessError, ProcessOracle, Rational, Truth, equations, without_annotations,
};

/// Problems whose solutions are dealt, without their calculator annotations.
#[derive(Clone, Debug)]
pub struct Gsm8kTask {
    problems: Arc<[Gsm8kProblem]>,
    /// One process, whoever has the task.
    judge: Option<(Arc<Mutex<ProcessOracle>>, Asked)>,
}

/// A problem with its solution.
#[derive(Clone, Debug)]
pub struct Gsm8kProblem {
    row: Gsm8k,
    /// Without annotations.
    steps: Vec<String>,
}

/// No problem of a file is short enough, or none has a step that can be corrupted and judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no problem has at most {characters} characters with its solution, at most {in_step} in each step, and a step that an \
     oracle can judge"
)]
pub struct NoProblem {
    /// The most characters.
    pub characters: usize,
    /// The most characters of a step.
    pub in_step: usize,
}

impl Gsm8kTask {
    /// The problems that have at most so many characters with their solutions, and in each step.
    ///
    /// # Errors
    /// [`NoProblem`].
    pub fn new(rows: impl IntoIterator<Item = Gsm8k>, characters: usize, in_step: usize) -> Result<Self, NoProblem> {
        let problems = rows.into_iter().map(|row| Gsm8kProblem { steps: row.steps(Annotations::Stripped), row });
        let fits = |problem: &Gsm8kProblem| {
            let mut length = problem.row.question.chars().count();
            problem.steps.iter().all(|step| {
                let of_step = step.chars().count();
                length += of_step;
                of_step <= in_step
            }) && length <= characters
        };
        let is_judged = |problem: &Gsm8kProblem| (0..problem.steps.len()).any(|step| problem.is_judged(step));
        let problems: Arc<[_]> = problems.filter(|problem| fits(problem) && is_judged(problem)).collect();
        if problems.is_empty() { Err(NoProblem { characters, in_step }) } else { Ok(Self { problems, judge: None }) }
    }

    /// The same, judged by a program as well.
    #[must_use]
    pub fn judged_by(self, judge: ProcessOracle, asked: Asked) -> Self {
        Self { judge: Some((Arc::new(Mutex::new(judge)), asked)), ..self }
    }

    /// How many problems there are.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Whether there is none, which cannot be.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Gsm8kProblem {
    /// Whether another value in the place of the step's would be found out.
    fn is_judged(&self, step: usize) -> bool {
        last_value(&self.steps[step]).is_some()
    }
}

/// What a step comes to, by the last equation that it shows.
fn last_value(step: &str) -> Option<Rational> {
    equations(step).last()?.as_ref()?.result()
}

impl Task for Gsm8kTask {
    type Solution = Gsm8kProblem;
    type Error = ProcessError;

    fn deal(&self, rng: &mut dyn Rng) -> Gsm8kProblem {
        self.problems[index(self.problems.len(), rng)].clone()
    }

    fn problem<'a>(&self, solution: &'a Gsm8kProblem) -> &'a str {
        &solution.row.question
    }

    fn steps<'a>(&self, solution: &'a Gsm8kProblem) -> &'a [String] {
        &solution.steps
    }

    fn corrupt(&self, solution: &Gsm8kProblem, step: usize, rng: &mut dyn Rng) -> Option<(ErrorKind, String)> {
        // Every kind is tried, from a random one on; what shows no error without annotations is none.
        let kinds = ErrorKind::ALL.len();
        let first = (rng.next_u64() % kinds as u64) as usize;
        (0..kinds).find_map(|i| {
            let kind = ErrorKind::ALL[(first + i) % kinds];
            let row = &solution.row;
            let corrupted = corrupt_annotated(&row.question, &row.steps, step, kind, rng)?;
            let corrupted = without_annotations(&corrupted);
            let verdict = GoldStepOracle.judge(&Context::<String>::default(), &row.steps[step][..], &corrupted[..]);
            (verdict == Ok(Verdict::Incorrect)).then_some((kind, corrupted))
        })
    }

    fn judge(&mut self, solution: &Gsm8kProblem, step: usize, rewrite: &str) -> Result<Verdict, ProcessError> {
        let by_arithmetic = || {
            let Ok(verdict) =
                GoldStepOracle.judge(&Context::<String>::default(), &solution.row.steps[step][..], rewrite);
            verdict
        };
        let Some((judge, asked)) = &self.judge else { return Ok(by_arithmetic()) };
        if *asked == Asked::IfUndecidable {
            let verdict = by_arithmetic();
            if verdict != Verdict::Undecidable {
                return Ok(verdict);
            }
        }
        let context = Context { problem: &solution.row.question, steps: solution.steps[..step].to_vec() };
        let mut judge = judge.lock().unwrap_or_else(PoisonError::into_inner);
        judge.judge(&context, &solution.steps[step][..], rewrite)
    }

    fn solves(&self, solution: &Gsm8kProblem, steps: &[String]) -> bool {
        let answer = Rational::integer(solution.row.answer.into());
        steps.last().and_then(|step| last_value(step)) == Some(answer)
    }

    fn error_kind(&self, solution: &Gsm8kProblem, step: usize, rewrite: &str) -> &'static str {
        let gold = &solution.steps[step];
        if gold.split_whitespace().eq(rewrite.split_whitespace()) {
            return "unchanged";
        }
        let shown = equations(rewrite);
        let Some(wrong) = shown.iter().flatten().find(|equation| equation.truth() == Truth::False) else {
            return match (last_value(gold), last_value(rewrite)) {
                (Some(gold), Some(value)) if gold == value => "equal value",
                (Some(_), Some(_)) => "another calculation",
                _ => "unreadable",
            };
        };
        let whole = |value: Option<Rational>| {
            value.filter(|value| value.denominator() == 1).and_then(|value| i64::try_from(value.numerator()).ok())
        };
        let computed = wrong.sides().first().and_then(Expression::value);
        match (whole(computed), whole(wrong.result())) {
            (Some(computed), Some(written)) => {
                ErrorKind::of_result(computed, written).unwrap_or(ErrorKind::Other).name()
            }
            _ => ErrorKind::WrongResult.name(),
        }
    }
}
