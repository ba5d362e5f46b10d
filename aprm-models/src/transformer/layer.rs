//! One layer: attention and the feed-forward layer, each on a normalised copy of the residual stream.

use aprm_core::backend::{Backend, LinearDims, NormDims, SwigluDims};

use super::activations::{LayerActivations, RawQkv};
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
    ) -> Result<(), B::Error> {
        self.layer_activations(backend, weights, layer, batch, x, saved)?;
        let rows = batch.rows();
        let onto_stream = LinearDims { accumulate: true, ..self.linear_dims(rows, layer.down) };
        backend.copy(rows * self.config.hidden_size, &saved.middle, next)?;
        backend.linear_forward(onto_stream, &saved.gated, &weights[layer.down], None, next)
    }

    /// What the backward pass reads: all but the stream that leaves the layer.
    pub(super) fn layer_activations(
        &self,
        backend: &mut B,
        weights: &[B::Buffer],
        layer: LayerIndices,
        batch: &Batch<B>,
        x: &B::Buffer,
        saved: &mut LayerActivations<B::Buffer>,
    ) -> Result<(), B::Error> {
        let (rows, hidden) = (batch.rows(), self.config.hidden_size);
        let norm = self.norm_dims(rows);
        let linear = |tensor| self.linear_dims(rows, tensor);

        backend.rms_norm_forward(norm, x, &weights[layer.input_norm], &mut saved.normed, &mut saved.input_rstd)?;
        let bias = layer.qkv_bias.map(|bias| &weights[bias]);
        let (dims, qkv) = (linear(layer.qkv), &weights[layer.qkv]);
        match (&mut saved.raw_qkv, layer.qk_norms) {
            (Some(RawQkv { qkv: raw, rstd }), Some(norms)) => {
                backend.linear_forward(dims, &saved.normed, qkv, bias, raw)?;
                // Values have no norm: the copy brings them over, and the norms overwrite queries and keys.
                backend.copy(rows * self.attention_dims().qkv_width(), raw, &mut saved.qkv)?;
                for ((dims, norm), rstd) in self.qk_norm_dims(rows).into_iter().zip(norms).zip(rstd) {
                    backend.rms_norm_forward(dims, raw, &weights[norm], &mut saved.qkv, rstd)?;
                }
            }
            _ => backend.linear_forward(dims, &saved.normed, qkv, bias, &mut saved.qkv)?,
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
        let onto_stream = LinearDims { accumulate: true, ..linear(layer.attention_out) };
        let out = &weights[layer.attention_out];
        backend.linear_forward(onto_stream, &saved.attended, out, None, &mut saved.middle)?;

        let post_norm = &weights[layer.post_norm];
        backend.rms_norm_forward(norm, &saved.middle, post_norm, &mut saved.post_normed, &mut saved.post_rstd)?;
        let gate_up = &weights[layer.gate_up];
        backend.linear_forward(linear(layer.gate_up), &saved.post_normed, gate_up, None, &mut saved.gate_up)?;
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
        let linear = |tensor| self.linear_dims(rows, tensor);
        // The residual stream's own gradient is there already.
        let onto_stream = NormDims { accumulate: true, ..self.norm_dims(rows) };
        let Scratch { grad_stream, grad_normed, grad_qkv, grad_raw_qkv, grad_attended, .. } = scratch;

        let (down, gate_up) = (layer.down, layer.gate_up);
        backend.linear_backward_input(linear(down), grad_stream, &weights[down], &mut scratch.grad_gated)?;
        backend.linear_backward_weight(linear(down), &saved.gated, grad_stream, &mut gradients[down], None)?;
        let dims = self.swiglu_dims(rows);
        backend.swiglu_backward(dims, &saved.gate_up, &scratch.grad_gated, &mut scratch.grad_gate_up)?;
        let grad_gate_up = &scratch.grad_gate_up;
        backend.linear_backward_input(linear(gate_up), grad_gate_up, &weights[gate_up], grad_normed)?;
        let grad_weight = &mut gradients[gate_up];
        backend.linear_backward_weight(linear(gate_up), &saved.post_normed, grad_gate_up, grad_weight, None)?;
        backend.rms_norm_backward(
            onto_stream,
            &saved.middle,
            &weights[layer.post_norm],
            &saved.post_rstd,
            grad_normed,
            grad_stream,
            &mut gradients[layer.post_norm],
        )?;

        let out = layer.attention_out;
        backend.linear_backward_input(linear(out), grad_stream, &weights[out], grad_attended)?;
        backend.linear_backward_weight(linear(out), &saved.attended, grad_stream, &mut gradients[out], None)?;
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
                    let grad_weight = &mut gradients[norm];
                    backend.rms_norm_backward(dims, raw, &weights[norm], rstd, grad_qkv, grad_raw, grad_weight)?;
                }
                &*grad_raw
            }
            _ => &*grad_qkv,
        };
        let qkv = layer.qkv;
        backend.linear_backward_input(linear(qkv), grad_qkv, &weights[qkv], grad_normed)?;
        match layer.qkv_bias {
            Some(bias) => {
                let (before, from_bias) = gradients.split_at_mut(bias);
                let (grad_weight, grad_bias) = (&mut before[qkv], Some(&mut from_bias[0]));
                backend.linear_backward_weight(linear(qkv), &saved.normed, grad_qkv, grad_weight, grad_bias)?;
            }
            None => {
                backend.linear_backward_weight(linear(qkv), &saved.normed, grad_qkv, &mut gradients[qkv], None)?;
            }
        }
        backend.rms_norm_backward(
            onto_stream,
            x,
            &weights[layer.input_norm],
            &saved.input_rstd,
            grad_normed,
            grad_stream,
            &mut gradients[layer.input_norm],
        )
    }

    fn swiglu_dims(&self, rows: usize) -> SwigluDims {
        SwigluDims { rows, channels: self.config.intermediate_size }
    }
}
