//! A model that is only read: hidden states of batches, and logits of every token.

use core::fmt;

use aprm_core::backend::{Backend, RowDims};

use crate::checkpoint::{Checkpoint, WeightFormat};
use crate::transformer::{Batch, Inference, Parameters, ScoreHead, Transformer};

/// How many rows of logits over a vocabulary are on the device at a time.
const LOGIT_ROWS: usize = 64;

/// A model on a device, with memory that grows with the batches it is given.
pub struct Evaluator<B: Backend> {
    /// The device.
    pub backend: B,
    /// The model.
    pub model: Transformer<B>,
    /// Its weights.
    pub weights: Parameters<B::Buffer>,
    /// What its matrices are kept in.
    pub weight_format: WeightFormat,
    room: Option<Room<B>>,
}

struct Room<B: Backend> {
    sequences: usize,
    batch: Batch<B>,
    inference: Inference<B::Buffer>,
}

/// Why a sequence cannot be given to a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    /// It is longer than the model's context.
    #[error("{tokens} tokens are more than the model's context of {limit}; shorten the text")]
    TooLong {
        /// How many tokens it has.
        tokens: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A token is not in the vocabulary.
    #[error("token {id} at position {position} is not below the model's vocab_size of {vocab_size}")]
    OutOfVocabulary {
        /// Where it is.
        position: usize,
        /// The token.
        id: u32,
        /// The size of the vocabulary.
        vocab_size: usize,
    },
}

impl<B: Backend> Evaluator<B> {
    /// Brings a model to a device.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new(mut backend: B, checkpoint: &Checkpoint) -> Result<Self, B::Error> {
        let weights = checkpoint.upload(&mut backend)?;
        Self::with_weights(backend, checkpoint, weights, WeightFormat::Full)
    }

    /// Brings a model to a device with its matrices rounded to bfloat16, in half the memory where the device has such
    /// storage: [`Checkpoint::upload_bf16`].
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn rounded(mut backend: B, checkpoint: &Checkpoint) -> Result<Self, B::Error> {
        let (weights, format) = checkpoint.upload_bf16(&mut backend)?;
        Self::with_weights(backend, checkpoint, weights, format)
    }

    fn with_weights(
        mut backend: B,
        checkpoint: &Checkpoint,
        weights: Parameters<B::Buffer>,
        weight_format: WeightFormat,
    ) -> Result<Self, B::Error> {
        let model = Transformer::new(&mut backend, checkpoint.config)?;
        Ok(Self { backend, model, weights, weight_format, room: None })
    }

    /// Whether a sequence can be given to the model.
    ///
    /// # Errors
    /// [`SequenceError`].
    pub fn check(&self, ids: &[u32]) -> Result<(), SequenceError> {
        let (tokens, limit) = (ids.len(), self.model.config.max_position_embeddings);
        if tokens > limit {
            return Err(SequenceError::TooLong { tokens, limit });
        }
        let vocab_size = self.model.config.vocab_size;
        match ids.iter().position(|&id| id as usize >= vocab_size) {
            Some(position) => Err(SequenceError::OutOfVocabulary { position, id: ids[position], vocab_size }),
            None => Ok(()),
        }
    }

    /// The model's outputs for the tokens of all sequences, end to end, `[rows, hidden]`, and the number of rows.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If a token is not in the vocabulary or a sequence is longer than the context: see [`Evaluator::check`].
    pub fn hidden(&mut self, sequences: &[&[u32]]) -> Result<usize, B::Error> {
        let rows = sequences.iter().map(|ids| ids.len()).sum();
        let fits = |room: &Room<B>| room.inference.rows() >= rows && room.sequences >= sequences.len();
        let Self { backend, model, weights, room, .. } = self;
        let room = match room.take().filter(fits) {
            Some(fitting) => room.insert(fitting),
            None => room.insert(Room {
                sequences: sequences.len(),
                batch: Batch::new(backend, rows, sequences.len())?,
                inference: Inference::new(backend, &model.config, rows)?,
            }),
        };
        room.batch.set(backend, sequences)?;
        model.infer(backend, weights, &room.batch, &mut room.inference)?;
        Ok(rows)
    }

    /// The class logits of the selected rows of the last batch.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If there was no batch, or the head has no room for so many rows.
    pub fn class_logits(&mut self, head: &mut ScoreHead<B>, selected: &[u32]) -> Result<Vec<B::Scalar>, B::Error> {
        let Self { backend, model, weights, room, .. } = self;
        let inference = &room.as_ref().expect("a batch before its logits").inference;
        head.forward(backend, model, weights, &inference.hidden, inference.rows(), selected)?;
        head.read_logits(backend)
    }

    /// The logits of every token of one sequence, over the vocabulary or over the head's classes.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// As [`Evaluator::hidden`].
    pub fn logits(&mut self, ids: &[u32]) -> Result<Vec<Vec<B::Scalar>>, B::Error> {
        let tokens = self.hidden(&[ids])? as u32;
        let all: Vec<u32> = (0..tokens).collect();
        if self.model.layout.lm_head.is_none() {
            let mut head = ScoreHead::new(&mut self.backend, &self.model, ids.len())?;
            let logits = self.class_logits(&mut head, &all)?;
            return Ok(logits.chunks(head.classes()).map(<[_]>::to_vec).collect());
        }
        let (vocab, channels) = (self.model.config.vocab_size, self.model.config.hidden_size);
        let Self { backend, model, weights, room, .. } = self;
        let inference = &room.as_ref().expect("the batch above").inference;
        let mut selected = backend.allocate_indices(LOGIT_ROWS)?;
        let (mut hidden, mut logits) =
            (backend.allocate(LOGIT_ROWS * channels)?, backend.allocate(LOGIT_ROWS * vocab)?);
        let mut of_all = Vec::new();
        for rows in all.chunks(LOGIT_ROWS) {
            let dims = RowDims { rows: rows.len(), table_rows: inference.rows(), channels };
            backend.write_indices(rows, &mut selected)?;
            backend.gather_rows_forward(dims, &inference.hidden, &selected, &mut hidden)?;
            model.lm_head_forward(backend, weights, rows.len(), &hidden, &mut logits)?;
            let mut host = vec![B::Scalar::default(); rows.len() * vocab];
            backend.read(&logits, 0, &mut host)?;
            of_all.extend(host.chunks(vocab).map(<[_]>::to_vec));
        }
        Ok(of_all)
    }
}

impl<B: Backend> fmt::Debug for Evaluator<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluator").field("config", &self.model.config).finish_non_exhaustive()
    }
}
