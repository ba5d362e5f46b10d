//! Scores of steps: a model, its tokenizer, and a convention of reading it.

use core::fmt;

use aprm_core::backend::Backend;
use aprm_core::scalar::Scalar;

use crate::checkpoint::Checkpoint;
use crate::evaluator::{Evaluator, SequenceError};
use crate::read_out::{ReadOut, StepScore};
use crate::step_text::{MarkedIds, StepText, StepTextError};
use crate::transformer::ScoreHead;

/// A reward model that scores solutions, several at a time.
///
/// Solutions stand in one batch without padding, so the score of one does not depend on the others, nor on their order.
pub struct StepScorer<B: Backend> {
    evaluator: Evaluator<B>,
    step_text: StepText,
    read_out: ReadOut,
    head: ScoreHead<B>,
    batch_tokens: usize,
}

/// Why there is no such scorer.
#[derive(Debug, thiserror::Error)]
pub enum ScorerError<E> {
    /// The head gives other numbers than the convention reads.
    #[error("{read_out:?} does not read this model's head; of {of_head:?} one does")]
    ReadOut {
        /// The convention.
        read_out: ReadOut,
        /// The conventions that read it.
        of_head: &'static [ReadOut],
    },
    /// A token that stands for a class is not in the model's vocabulary.
    #[error(transparent)]
    Candidate(#[from] SequenceError),
    /// The device failed.
    #[error("the device failed")]
    Device(E),
}

/// Why a solution cannot be scored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SolutionError {
    /// It cannot be encoded.
    #[error(transparent)]
    Text(#[from] StepTextError),
    /// The model cannot take it.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
}

impl<B: Backend> StepScorer<B> {
    /// Brings a model to a device; a batch has at most so many tokens, unless one solution alone has more.
    ///
    /// # Errors
    /// [`ScorerError`].
    pub fn new(
        backend: B,
        checkpoint: &Checkpoint,
        step_text: StepText,
        read_out: ReadOut,
        batch_tokens: usize,
    ) -> Result<Self, ScorerError<B::Error>> {
        let evaluator = Evaluator::new(backend, checkpoint).map_err(ScorerError::Device)?;
        Self::of(evaluator, step_text, read_out, batch_tokens)
    }

    /// Reads a model that is on its device.
    ///
    /// # Errors
    /// [`ScorerError`].
    pub fn of(
        mut evaluator: Evaluator<B>,
        step_text: StepText,
        read_out: ReadOut,
        batch_tokens: usize,
    ) -> Result<Self, ScorerError<B::Error>> {
        let of_head = ReadOut::of_head(evaluator.model.config.head);
        if !of_head.contains(&read_out) {
            return Err(ScorerError::ReadOut { read_out, of_head });
        }
        evaluator.check(step_text.candidates().as_ref().map_or(&[], <[u32; 2]>::as_slice))?;
        let head = head(&mut evaluator, &step_text, 0).map_err(ScorerError::Device)?;
        Ok(Self { evaluator, step_text, read_out, head, batch_tokens })
    }

    /// The token ids of a solution, which the model can take.
    ///
    /// # Errors
    /// [`SolutionError`].
    pub fn encode(&self, prompt: &str, steps: &[impl AsRef<str>]) -> Result<MarkedIds, SolutionError> {
        let marked = self.step_text.encode(prompt, steps)?;
        self.evaluator.check(&marked.ids)?;
        Ok(marked)
    }

    /// The scores of the steps of each solution, in their order.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn score(&mut self, solutions: &[MarkedIds]) -> Result<Vec<Vec<StepScore>>, B::Error> {
        let mut scores = Vec::new();
        let mut rest = solutions;
        while !rest.is_empty() {
            let tokens = rest.iter().scan(0, |tokens, marked| {
                *tokens += marked.ids.len();
                Some(*tokens)
            });
            let fitting = tokens.take_while(|&tokens| tokens <= self.batch_tokens).count().max(1);
            let (batch, later) = rest.split_at(fitting);
            scores.extend(self.score_batch(batch)?);
            rest = later;
        }
        Ok(scores)
    }

    fn score_batch(&mut self, batch: &[MarkedIds]) -> Result<Vec<Vec<StepScore>>, B::Error> {
        let Self { evaluator, step_text, read_out, head: own_head, .. } = self;
        let sequences: Vec<&[u32]> = batch.iter().map(|marked| &marked.ids[..]).collect();
        evaluator.hidden(&sequences)?;
        let begins = sequences.iter().scan(0, |end, ids| {
            *end += ids.len() as u32;
            Some(*end - ids.len() as u32)
        });
        let rows: Vec<u32> = begins
            .zip(batch)
            .flat_map(|(begin, marked)| marked.positions.iter().map(move |position| begin + position))
            .collect();
        if own_head.capacity() < rows.len() {
            *own_head = head(evaluator, step_text, rows.len())?;
        }
        let logits = evaluator.class_logits(own_head, &rows)?;
        let logits: Vec<f64> = logits.into_iter().map(Scalar::widen).collect();
        let mut scores = logits.chunks(own_head.classes()).map(|logits| read_out.score(logits));
        Ok(batch.iter().map(|marked| scores.by_ref().take(marked.positions.len()).collect()).collect())
    }
}

fn head<B: Backend>(evaluator: &mut Evaluator<B>, step_text: &StepText, rows: usize) -> Result<ScoreHead<B>, B::Error> {
    match step_text.candidates() {
        Some(candidates) => ScoreHead::over_tokens(&mut evaluator.backend, &evaluator.model, rows, &candidates),
        None => ScoreHead::new(&mut evaluator.backend, &evaluator.model, rows),
    }
}

impl<B: Backend> fmt::Debug for StepScorer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepScorer").field("read_out", &self.read_out).finish_non_exhaustive()
    }
}
