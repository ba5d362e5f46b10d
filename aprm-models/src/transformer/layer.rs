//! One layer: attention and the feed-forward layer, each on a normalised copy of the residual stream.

use aprm_core::backend::{Backend, NormDims, SwigluDims};

use super::activations::{LayerActivations, RawQkv};
use super::low_rank::Room;
use super::map::Map;
use super::{Batch, Scratch, Transformer};
use crate::layout::LayerIndices;

impl<B: Backend> Transformer<B> {
    #[expect(clippy::too_many_arguments, reason = "the model owns no buffer")]
    pub(super) fn layer_forward(
        &self,
        backend: &mut B,
        weights: &[B::Buffer],
        layer: LayerIndices,
        batch: &Batch<B>,
        x: &B::Buffer,
        saved: &mut LayerActivations<B::Buffer>,
        next: &mut B::Buffer,
        room: &mut Room<B::Buffer>,
    ) -> Result<(), B::Error> {
        self.layer_activations(backend, weights, layer, batch, x, saved, room)?;
        let rows = batch.rows();
        backend.copy(rows * self.config.hidden_size, &saved.middle, next)?;
        self.map_forward(backend, weights, Map::new(layer.down, rows).adding(), &saved.gated, next, room)
    }

    /// What the backward pass reads: all but the stream that leaves the layer.
    #[expect(clippy::too_many_arguments, reason = "the model owns no buffer")]
    pub(super) fn layer_activations(
        &self,
        backend: &mut B,
        weights: &[B::Buffer],
        layer: LayerIndices,
        batch: &Batch<B>,
        x: &B::Buffer,
        saved: &mut LayerActivations<B::Buffer>,
        room: &mut Room<B::Buffer>,
    ) -> Result<(), B::Error> {
        let (rows, hidden) = (batch.rows(), self.config.hidden_size);
        let norm = self.norm_dims(rows);
        let input_norm = self.weight(weights, layer.input_norm);
        backend.rms_norm_forward(norm, x, input_norm, &mut saved.normed, &mut saved.input_rstd)?;
        let map = Map { bias: layer.qkv_bias, ..Map::new(layer.qkv, rows) };
        match (&mut saved.raw_qkv, layer.qk_norms) {
            (Some(RawQkv { qkv: raw, rstd }), Some(norms)) => {
                self.map_forward(backend, weights, map, &saved.normed, raw, room)?;
                // Values have no norm: the copy brings them over, and the norms overwrite queries and keys.
                backend.copy(rows * self.attention_dims().qkv_width(), raw, &mut saved.qkv)?;
                for ((dims, norm), rstd) in self.qk_norm_dims(rows).into_iter().zip(norms).zip(rstd) {
                    backend.rms_norm_forward(dims, raw, self.weight(weights, norm), &mut saved.qkv, rstd)?;
                }
            }
            _ => self.map_forward(backend, weights, map, &saved.normed, &mut saved.qkv, room)?,
        }
        backend.rope_forward(self.rope_dims(rows), &batch.positions, &self.cos, &self.sin, &mut saved.qkv)?;
        backend.attention_forward(
            self.attention_dims(),
            batch.ragged(),
            &saved.qkv,
            &mut saved.attended,
            &mut saved.log_sum_exp,
        )?;
        backend.copy(rows * hidden, x, &mut saved.middle)?;
        let onto_stream = Map::new(layer.attention_out, rows).adding();
        self.map_forward(backend, weights, onto_stream, &saved.attended, &mut saved.middle, room)?;

        let post_norm = self.weight(weights, layer.post_norm);
        backend.rms_norm_forward(norm, &saved.middle, post_norm, &mut saved.post_normed, &mut saved.post_rstd)?;
        let map = Map::new(layer.gate_up, rows);
        self.map_forward(backend, weights, map, &saved.post_normed, &mut saved.gate_up, room)?;
        backend.swiglu_forward(self.swiglu_dims(rows), &saved.gate_up, &mut saved.gated)
    }

    /// Takes the gradient with respect to the layer's output in `scratch.grad_stream` to that of its input.
    #[expect(clippy::too_many_arguments, reason = "the model owns no buffer")]
    pub(super) fn layer_backward(
        &self,
        backend: &mut B,
        weights: &[B::Buffer],
        layer: LayerIndices,
        batch: &Batch<B>,
        x: &B::Buffer,
        saved: &LayerActivations<B::Buffer>,
        scratch: &mut Scratch<B::Buffer>,
        gradients: &mut [B::Buffer],
    ) -> Result<(), B::Error> {
        let rows = batch.rows();
        let map = |tensor| Map::new(tensor, rows);
        // The residual stream's own gradient is there already.
        let onto_stream = NormDims { accumulate: true, ..self.norm_dims(rows) };
        let Scratch { grad_stream, grad_normed, grad_qkv, grad_raw_qkv, grad_attended, .. } = scratch;
        let Scratch { grad_gate_up, grad_gated, rooms, discarded, .. } = scratch;

        let grads = &mut *gradients;
        self.map_backward(backend, weights, map(layer.down), &saved.gated, grad_stream, grad_gated, grads, rooms)?;
        backend.swiglu_backward(self.swiglu_dims(rows), &saved.gate_up, grad_gated, grad_gate_up)?;
        let (gate_up, post_normed) = (map(layer.gate_up), &saved.post_normed);
        self.map_backward(backend, weights, gate_up, post_normed, grad_gate_up, grad_normed, grads, rooms)?;
        self.norm_backward(
            backend,
            onto_stream,
            &saved.middle,
            weights,
            layer.post_norm,
            &saved.post_rstd,
            grad_normed,
            grad_stream,
            grads,
            discarded,
        )?;

        let out = map(layer.attention_out);
        self.map_backward(backend, weights, out, &saved.attended, grad_stream, grad_attended, grads, rooms)?;
        backend.attention_backward(
            self.attention_dims(),
            batch.ragged(),
            &saved.qkv,
            &saved.attended,
            &saved.log_sum_exp,
            grad_attended,
            grad_qkv,
        )?;
        backend.rope_backward(self.rope_dims(rows), &batch.positions, &self.cos, &self.sin, grad_qkv)?;
        let grad_qkv = match (&saved.raw_qkv, grad_raw_qkv, layer.qk_norms) {
            (Some(RawQkv { qkv: raw, rstd }), Some(grad_raw), Some(norms)) => {
                backend.copy(rows * self.attention_dims().qkv_width(), grad_qkv, grad_raw)?;
                for ((dims, norm), rstd) in self.qk_norm_dims(rows).into_iter().zip(norms).zip(rstd) {
                    self.norm_backward(
                        backend, dims, raw, weights, norm, rstd, grad_qkv, grad_raw, gradients, discarded,
                    )?;
                }
                &*grad_raw
            }
            _ => &*grad_qkv,
        };
        let qkv = Map { bias: layer.qkv_bias, ..map(layer.qkv) };
        self.map_backward(backend, weights, qkv, &saved.normed, grad_qkv, grad_normed, gradients, rooms)?;
        self.norm_backward(
            backend,
            onto_stream,
            x,
            weights,
            layer.input_norm,
            &saved.input_rstd,
            grad_normed,
            grad_stream,
            gradients,
            discarded,
        )
    }

    fn swiglu_dims(&self, rows: usize) -> SwigluDims {
        SwigluDims { rows, channels: self.config.intermediate_size }
    }
}
