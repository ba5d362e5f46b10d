//! Solutions as a model can read them, which may be in part, and the scores of their steps.

use aprm_core::backend::Backend;
use serde::Serialize;

use crate::evaluator::SequenceError;
use crate::step_scorer::{SolutionError, StepScorer};
use crate::step_text::{MarkedIds, StepTextError};

/// Solutions that are given to a model at a time.
const SOLUTIONS: usize = 32;

/// Why a model does not read all steps of a solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// The vocabulary has no tokens for the problem or a step, or a step has no token to be judged at.
    UnknownText,
    /// It is longer than the model's context.
    TooLong,
    /// It has no steps.
    NoSteps,
}

/// How many solutions are not read as a whole, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as the variants of `Shortfall`")]
pub struct Shortfalls {
    pub unknown_text: usize,
    pub too_long: usize,
    pub no_steps: usize,
}

/// The steps of a solution up to the first that the model cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The steps that are read, as token ids.
    pub marked: MarkedIds,
    /// How many steps the solution has.
    pub steps: usize,
    /// Why not all of them are read; none if they are.
    pub shortfall: Option<Shortfall>,
}

impl Reading {
    /// Reads as many steps as the model can, none if it cannot read the problem.
    ///
    /// # Errors
    /// [`SolutionError`], where model, tokenizer and read-out do not go together: a marker that is not found as often as
    /// there are steps, or a token that the model does not have.
    pub fn new<B: Backend>(
        scorer: &StepScorer<B>,
        prompt: &str,
        steps: &[impl AsRef<str>],
    ) -> Result<Self, SolutionError> {
        let shortfall = match scorer.encode(prompt, steps) {
            Ok(marked) => return Ok(Self { marked, steps: steps.len(), shortfall: None }),
            Err(SolutionError::Text(StepTextError::NoSteps)) => Shortfall::NoSteps,
            Err(SolutionError::Text(StepTextError::Encode { .. } | StepTextError::EmptyStep(_))) => {
                Shortfall::UnknownText
            }
            Err(SolutionError::Sequence(SequenceError::TooLong { .. })) => Shortfall::TooLong,
            Err(error) => return Err(error),
        };
        let read = (1..steps.len()).rev().find_map(|count| scorer.encode(prompt, &steps[..count]).ok());
        Ok(Self { marked: read.unwrap_or_default(), steps: steps.len(), shortfall: Some(shortfall) })
    }
}

impl<'a> FromIterator<&'a Reading> for Shortfalls {
    fn from_iter<I: IntoIterator<Item = &'a Reading>>(readings: I) -> Self {
        let mut counts = Self::default();
        for reading in readings {
            match reading.shortfall {
                None => {}
                Some(Shortfall::UnknownText) => counts.unknown_text += 1,
                Some(Shortfall::TooLong) => counts.too_long += 1,
                Some(Shortfall::NoSteps) => counts.no_steps += 1,
            }
        }
        counts
    }
}

/// A score for each step of each solution; steps that are not read score zero.
///
/// `advance` is told whenever a number of solutions is done.
///
/// # Errors
/// Whatever the device reports.
pub fn step_scores<B: Backend>(
    scorer: &mut StepScorer<B>,
    readings: &[Reading],
    mut advance: impl FnMut(usize),
) -> Result<Vec<Vec<f64>>, B::Error> {
    let mut all = Vec::with_capacity(readings.len());
    for chunk in readings.chunks(SOLUTIONS) {
        let read: Vec<MarkedIds> =
            chunk.iter().map(|reading| &reading.marked).filter(|marked| !marked.ids.is_empty()).cloned().collect();
        let mut scores = scorer.score(&read)?.into_iter();
        for Reading { marked, steps, .. } in chunk {
            let of_read = if marked.ids.is_empty() { None } else { scores.next() };
            let mut of_steps: Vec<f64> = of_read.into_iter().flatten().map(|step| step.score).collect();
            of_steps.resize(*steps, 0.0);
            all.push(of_steps);
        }
        advance(chunk.len());
    }
    Ok(all)
}
