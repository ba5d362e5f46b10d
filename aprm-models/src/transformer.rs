//! The decoder-only transformer, written once over any backend.
//!
//! The model owns no buffer that changes: weights, gradients, activations and scratch are values that its caller holds,
//! so two players can share scratch, and the model allocates nothing once they are there. What it owns are rotation
//! tables, and the weights that do not learn where low-rank maps learn beside them.

mod activations;
mod batch;
mod cached;
mod inference;
mod layer;
mod lm_head;
mod low_rank;
mod map;
mod parameters;
mod policy_head;
mod score_head;

pub use activations::{Activations, Scratch};
pub use batch::Batch;
pub use cached::{Cache, CachedRows, CachedScratch};
pub use inference::Inference;
pub use low_rank::LowRank;
pub use parameters::{ParameterSpace, Parameters};
pub use policy_head::PolicyHead;
pub use score_head::{Actions, Regularisation, ScoreHead, Trajectories};

use aprm_core::backend::{AttentionDims, Backend, LinearDims, NormDims, RopeDims, RowDims};
use aprm_core::scalar::Scalar;

use crate::config::ModelConfig;
use crate::layout::Layout;
use low_rank::Frozen;

/// A model's shape and the tables that never change.
#[derive(Debug)]
pub struct Transformer<B: Backend> {
    /// The shape.
    pub config: ModelConfig,
    /// The tensors that its passes are given: beside a base, those that learn.
    pub layout: Layout,
    pub(crate) frozen: Option<Frozen<B>>,
    cos: B::Buffer,
    sin: B::Buffer,
}

impl<B: Backend> Transformer<B> {
    /// Prepares a model: makes the rotation tables, on the host, and puts them on the device.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new(backend: &mut B, config: ModelConfig) -> Result<Self, B::Error> {
        let frequencies = config.rope_frequencies();
        let mut table = |f: fn(f64) -> f64| {
            let angles = (0..config.max_position_embeddings)
                .flat_map(|position| frequencies.iter().map(move |frequency| position as f64 * frequency));
            let entries: Vec<B::Scalar> = angles.map(|angle| B::Scalar::of(f(angle))).collect();
            let mut buffer = backend.allocate(entries.len())?;
            backend.write(&entries, &mut buffer, 0)?;
            Ok(buffer)
        };
        Ok(Self { cos: table(libm::cos)?, sin: table(libm::sin)?, layout: Layout::new(&config), frozen: None, config })
    }

    /// From token ids to the last layer's normalised outputs, `[rows, hidden]`, which are left in `activations.hidden`.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the batch is larger than the activations.
    pub fn forward(
        &self,
        backend: &mut B,
        weights: &Parameters<B::Buffer>,
        batch: &Batch<B>,
        activations: &mut Activations<B::Buffer>,
    ) -> Result<(), B::Error> {
        activations.assert_hold(batch.rows());
        let Parameters(weights) = weights;
        let embedding =
            RowDims { rows: batch.rows(), table_rows: self.config.vocab_size, channels: self.config.hidden_size };
        let first = &mut activations.streams[0];
        let table = self.weight(weights, self.layout.embedding);
        backend.gather_rows_forward(embedding, table, &batch.tokens, first)?;
        for (l, &layer) in self.layout.layers.iter().enumerate() {
            let slot = activations.slot(l);
            let Activations { streams, layers, room, .. } = &mut *activations;
            let [x, next] = &mut streams[l..l + 2] else { unreachable!("one more stream than layers") };
            self.layer_forward(backend, weights, layer, batch, x, &mut layers[slot], next, room)?;
            activations.latest = l;
        }
        let Activations { streams, final_rstd, hidden, .. } = activations;
        let last = &streams[self.layout.layers.len()];
        backend.rms_norm_forward(
            self.norm_dims(batch.rows()),
            last,
            self.weight(weights, self.layout.final_norm),
            hidden,
            final_rstd,
        )
    }

    /// From the gradient with respect to the last layer's outputs, `scratch.grad_hidden`, to those of all weights.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the batch is larger than the activations or the scratch memory.
    pub fn backward(
        &self,
        backend: &mut B,
        weights: &Parameters<B::Buffer>,
        batch: &Batch<B>,
        activations: &mut Activations<B::Buffer>,
        scratch: &mut Scratch<B::Buffer>,
        gradients: &mut Parameters<B::Buffer>,
    ) -> Result<(), B::Error> {
        activations.assert_hold(batch.rows());
        scratch.assert_hold(batch.rows());
        let (Parameters(weights), Parameters(gradients)) = (weights, gradients);
        let final_norm = self.layout.final_norm;
        self.norm_backward(
            backend,
            self.norm_dims(batch.rows()),
            &activations.streams[self.layout.layers.len()],
            weights,
            final_norm,
            &activations.final_rstd,
            &scratch.grad_hidden,
            &mut scratch.grad_stream,
            gradients,
            &mut scratch.discarded,
        )?;
        for (l, &layer) in self.layout.layers.iter().enumerate().rev() {
            let slot = activations.slot(l);
            let is_overwritten = activations.is_overwritten(l);
            let (x, saved) = (&activations.streams[l], &mut activations.layers[slot]);
            if is_overwritten {
                self.layer_activations(backend, weights, layer, batch, x, saved, &mut activations.room)?;
                activations.latest = l;
            }
            self.layer_backward(backend, weights, layer, batch, x, saved, scratch, gradients)?;
        }
        if !self.learns(self.layout.embedding) {
            return Ok(());
        }
        let embedding =
            RowDims { rows: batch.rows(), table_rows: self.config.vocab_size, channels: self.config.hidden_size };
        backend.gather_rows_backward(
            embedding,
            &scratch.grad_stream,
            &batch.tokens,
            &mut gradients[self.layout.embedding],
        )
    }

    fn attention_dims(&self) -> AttentionDims {
        AttentionDims {
            heads: self.config.num_attention_heads,
            kv_heads: self.config.num_key_value_heads,
            head_dim: self.config.head_dim,
        }
    }

    fn rope_dims(&self, rows: usize) -> RopeDims {
        let AttentionDims { heads, kv_heads, head_dim } = self.attention_dims();
        RopeDims { rows, stride: self.attention_dims().qkv_width(), heads: heads + kv_heads, head_dim }
    }

    /// The norm of whole rows of the residual stream.
    fn norm_dims(&self, rows: usize) -> NormDims<B::Scalar> {
        let channels = self.config.hidden_size;
        let epsilon = B::Scalar::of(self.config.rms_norm_eps);
        NormDims { rows, stride: channels, offset: 0, groups: 1, channels, epsilon, accumulate: false }
    }

    /// The norms of the query heads and of the key heads of a row.
    fn qk_norm_dims(&self, rows: usize) -> [NormDims<B::Scalar>; 2] {
        let AttentionDims { heads, kv_heads, head_dim } = self.attention_dims();
        let stride = self.attention_dims().qkv_width();
        let whole = NormDims { stride, channels: head_dim, ..self.norm_dims(rows) };
        [NormDims { groups: heads, ..whole }, NormDims { groups: kv_heads, offset: heads * head_dim, ..whole }]
    }

    fn linear_dims(&self, rows: usize, tensor: usize) -> LinearDims {
        let layout = self.frozen.as_ref().map_or(&self.layout, |frozen| &frozen.layout);
        let spec = &layout.tensors[tensor];
        LinearDims { rows, inputs: spec.columns, outputs: spec.rows(), accumulate: false }
    }
}
