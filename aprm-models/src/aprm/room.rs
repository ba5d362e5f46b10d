//! Room for passes through a model.

use std::ops::Range;

use aprm_core::backend::Backend;

use super::error::RunError;
use crate::learner::{TooLong, micro_batches};
use crate::transformer::{Activations, Batch, Scratch, Transformer};

/// What a pass forwards and back works on, for as many sequences at a time as fit.
pub(super) struct Room<B: Backend> {
    rows: usize,
    /// The most tokens of a sequence.
    context: usize,
    pub(super) batch: Batch<B>,
    pub(super) activations: Activations<B::Buffer>,
    pub(super) scratch: Scratch<B::Buffer>,
}

impl<B: Backend> Room<B> {
    /// Room for `rows` tokens; a model of another depth needs room of its own.
    pub(super) fn new(backend: &mut B, model: &Transformer<B>, rows: usize) -> Result<Self, B::Error> {
        Ok(Self {
            rows,
            context: model.config.max_position_embeddings,
            batch: Batch::new(backend, rows, rows)?,
            activations: Activations::new(backend, &model.config, rows)?,
            scratch: Scratch::new(backend, &model.config, rows)?,
        })
    }

    /// Which sequences, of so many tokens each, go through together.
    pub(super) fn micro_batches(
        &self,
        lengths: impl Iterator<Item = usize>,
    ) -> Result<Vec<Range<usize>>, RunError<B::Error>> {
        let lengths: Vec<usize> = lengths.collect();
        if let Some(sequence) = lengths.iter().position(|&len| len > self.context) {
            return Err(TooLong { sequence, len: lengths[sequence], rows: self.context }.into());
        }
        Ok(micro_batches(&lengths, self.rows)?)
    }

    /// Puts sequences on the device.
    pub(super) fn set<'a>(
        &mut self,
        backend: &mut B,
        sequences: impl Iterator<Item = &'a [u32]>,
    ) -> Result<(), B::Error> {
        self.batch.set(backend, &sequences.collect::<Vec<_>>())
    }
}
