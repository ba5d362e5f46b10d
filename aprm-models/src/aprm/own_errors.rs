//! Wrong steps that a language model writes when it solves problems: plausible ones, as those of rules seldom are.

use aprm_core::backend::Backend;
use aprm_core::oracle::Verdict;
use aprm_core::rand_core::Rng;

use super::error::RunError;
use super::prompt::Prompt;
use super::rewriting::{Position, deal};
use super::solver::{Sampling, continue_all};
use super::task::Task;
use super::warm_start::Corruption;
use crate::arithmetic::ErrorKind;
use crate::transformer::{Parameters, Transformer};

/// Has a language model write the step behind gold ones, so many times, and keeps what the oracle finds wrong.
///
/// # Errors
/// [`RunError`].
pub fn own_errors<B: Backend, K: Task>(
    backend: &mut B,
    (model, weights): (&Transformer<B>, &Parameters<B::Buffer>),
    (task, prompt): (&mut K, &Prompt),
    attempts: usize,
    sampling: Sampling<'_, B::Scalar>,
    rng: &mut dyn Rng,
    progress: impl FnMut(usize),
) -> Result<Vec<Corruption>, RunError<B::Error>> {
    let positions = deal(task, attempts, rng);
    let asked = positions
        .iter()
        .map(|Position { solution, step }| prompt.transcript(task.problem(solution), &task.steps(solution)[..*step]));
    let asked = asked.collect::<Result<Vec<_>, _>>()?;
    let written = continue_all(backend, model, weights, &asked, sampling, rng, progress).map_err(RunError::Device)?;
    let mut errors = Vec::new();
    for (Position { solution, step }, tokens) in positions.iter().zip(&written) {
        let Some(corrupted) = prompt.read_step(tokens) else { continue };
        let verdict = task.judge(solution, *step, &corrupted).map_err(|error| RunError::Oracle(error.into()))?;
        if verdict == Verdict::Incorrect {
            let kind = ErrorKind::named(task.error_kind(solution, *step, &corrupted)).unwrap_or(ErrorKind::Other);
            let (problem, steps) = (task.problem(solution).into(), task.steps(solution)[..=*step].to_vec());
            errors.push(Corruption { problem, steps, corrupted, kind });
        }
    }
    Ok(errors)
}
