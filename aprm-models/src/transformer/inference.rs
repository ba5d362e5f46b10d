use core::mem::swap;

use aprm_core::backend::{Backend, RowDims};

use super::activations::{LayerActivations, Widths};
use super::low_rank::Room;
use super::{Batch, Parameters, Transformer};
use crate::config::ModelConfig;

/// What a forward pass works on that nothing goes back from: the memory of one layer, whatever the depth.
#[derive(Clone, Debug)]
pub struct Inference<Buffer> {
    rows: usize,
    stream: Buffer,
    next: Buffer,
    layer: LayerActivations<Buffer>,
    room: Room<Buffer>,
    /// `[rows]`.
    final_rstd: Buffer,
    /// The last layer's outputs, normalised, `[rows, hidden]`.
    pub hidden: Buffer,
}

impl<Buffer> Inference<Buffer> {
    /// Room for so many rows.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new<B: Backend<Buffer = Buffer>>(
        backend: &mut B,
        config: &ModelConfig,
        rows: usize,
    ) -> Result<Self, B::Error> {
        let widths = Widths::new(config);
        let mut allocate = |width: usize| backend.allocate(rows * width);
        Ok(Self {
            rows,
            stream: allocate(config.hidden_size)?,
            next: allocate(config.hidden_size)?,
            layer: LayerActivations::new(&widths, &mut allocate)?,
            room: Room::new(),
            final_rstd: allocate(1)?,
            hidden: allocate(config.hidden_size)?,
        })
    }

    /// How many rows there is room for.
    pub fn rows(&self) -> usize {
        self.rows
    }
}

impl<B: Backend> Transformer<B> {
    /// What [`Transformer::forward`] computes, bit by bit, in `inference.hidden`.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the batch is larger than the room for it.
    pub fn infer(
        &self,
        backend: &mut B,
        weights: &Parameters<B::Buffer>,
        batch: &Batch<B>,
        inference: &mut Inference<B::Buffer>,
    ) -> Result<(), B::Error> {
        let rows = batch.rows();
        assert!(rows <= inference.rows, "a batch of {rows} tokens in room for {}", inference.rows);
        let Parameters(weights) = weights;
        let embedding = RowDims { rows, table_rows: self.config.vocab_size, channels: self.config.hidden_size };
        let Inference { stream, next, layer, room, final_rstd, hidden, .. } = inference;
        let table = self.weight(weights, self.layout.embedding);
        backend.gather_rows_forward(embedding, table, &batch.tokens, stream)?;
        for &indices in &self.layout.layers {
            self.layer_forward(backend, weights, indices, batch, stream, layer, next, room)?;
            swap(stream, next);
        }
        let norm = self.weight(weights, self.layout.final_norm);
        backend.rms_norm_forward(self.norm_dims(rows), stream, norm, hidden, final_rstd)
    }
}
