//! The kernels as a backend: lengths are checked here, by taking what the dimensions need of each buffer.

use std::convert::Infallible;

use aprm_core::backend::{
    AttentionDims, Backend, CacheDims, ClassDims, LinearDims, NormDims, PolicyGradients, PolicyStatistics, Ragged,
    RopeDims, RowDims, SwigluDims, VocabDims,
};
use aprm_core::gae::Discounts;
use aprm_core::optimizer::AdamMoments;
use aprm_core::policy::Sampler;
use aprm_core::ppo::ClipRange;
use aprm_core::scalar::Scalar;

use crate::real::Real;
use crate::threads::Workspaces;
use crate::{
    advantages, attention, cache, gather_rows, linear, losses, policy, relu, rms_norm, rope, sample, swiglu, vectors,
};

/// The processor, with the memory for intermediate results that its kernels need.
///
/// Kernels run on the rayon pool that they are called from, the global one by default, in `f32` or `f64`.
/// Memory is taken by the first calls and kept: a call that finds enough of it allocates nothing.
#[derive(Debug, Default)]
pub struct Cpu<T> {
    /// Partial sums.
    scratch: Vec<T>,
    /// Operands of products.
    packed: Workspaces<T>,
    rows: Workspaces<T>,
    columns: Workspaces<attention::columns::Column<T>>,
    candidates: Workspaces<(f64, usize)>,
}

impl<T: Scalar> Cpu<T> {
    /// A backend without intermediate memory, which grows on demand.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<T: Real> Backend for Cpu<T> {
    type Scalar = T;
    type Buffer = Vec<T>;
    type Indices = Vec<u32>;
    type Error = Infallible;

    fn allocate(&mut self, len: usize) -> Result<Vec<T>, Infallible> {
        Ok(vec![T::zero(); len])
    }

    fn allocate_indices(&mut self, len: usize) -> Result<Vec<u32>, Infallible> {
        Ok(vec![0; len])
    }

    fn write(&mut self, source: &[T], buffer: &mut Vec<T>, start: usize) -> Result<(), Infallible> {
        buffer[start..][..source.len()].copy_from_slice(source);
        Ok(())
    }

    fn write_indices(&mut self, source: &[u32], indices: &mut Vec<u32>) -> Result<(), Infallible> {
        indices[..source.len()].copy_from_slice(source);
        Ok(())
    }

    fn read(&mut self, buffer: &Vec<T>, start: usize, out: &mut [T]) -> Result<(), Infallible> {
        out.copy_from_slice(&buffer[start..][..out.len()]);
        Ok(())
    }

    fn read_indices(&mut self, indices: &Vec<u32>, out: &mut [u32]) -> Result<(), Infallible> {
        out.copy_from_slice(&indices[..out.len()]);
        Ok(())
    }

    fn fill(&mut self, len: usize, value: T, x: &mut Vec<T>) -> Result<(), Infallible> {
        vectors::fill(value, &mut x[..len]);
        Ok(())
    }

    fn copy(&mut self, len: usize, x: &Vec<T>, y: &mut Vec<T>) -> Result<(), Infallible> {
        vectors::copy(&x[..len], &mut y[..len]);
        Ok(())
    }

    fn axpy(&mut self, len: usize, alpha: T, x: &Vec<T>, y: &mut Vec<T>) -> Result<(), Infallible> {
        vectors::axpy(alpha, &x[..len], &mut y[..len]);
        Ok(())
    }

    fn scale(&mut self, len: usize, alpha: T, x: &mut Vec<T>) -> Result<(), Infallible> {
        vectors::scale(alpha, &mut x[..len]);
        Ok(())
    }

    fn sum_of_squares(&mut self, len: usize, x: &Vec<T>, total: &mut Vec<T>) -> Result<(), Infallible> {
        vectors::sum_of_squares(&x[..len], &mut total[0], &mut self.scratch);
        Ok(())
    }

    fn clip(&mut self, len: usize, max_norm: T, squared_norm: &Vec<T>, x: &mut Vec<T>) -> Result<(), Infallible> {
        vectors::clip(max_norm, squared_norm[0], &mut x[..len]);
        Ok(())
    }

    fn adam_direction(
        &mut self,
        len: usize,
        moments: AdamMoments<T>,
        gradient: &Vec<T>,
        first_moment: &mut Vec<T>,
        second_moment: &mut Vec<T>,
        direction: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let (first_moment, second_moment) = (&mut first_moment[..len], &mut second_moment[..len]);
        vectors::adam_direction(moments, &gradient[..len], first_moment, second_moment, &mut direction[..len]);
        Ok(())
    }

    fn gather_rows_forward(
        &mut self,
        dims: RowDims,
        table: &Vec<T>,
        indices: &Vec<u32>,
        out: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let RowDims { rows, table_rows, channels } = dims;
        let (table, out) = (&table[..table_rows * channels], &mut out[..rows * channels]);
        gather_rows::forward(dims, table, &indices[..rows], out);
        Ok(())
    }

    fn gather_rows_backward(
        &mut self,
        dims: RowDims,
        grad_out: &Vec<T>,
        indices: &Vec<u32>,
        grad_table: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let RowDims { rows, table_rows, channels } = dims;
        let (grad_out, grad_table) = (&grad_out[..rows * channels], &mut grad_table[..table_rows * channels]);
        gather_rows::backward(dims, grad_out, &indices[..rows], grad_table);
        Ok(())
    }

    fn linear_forward(
        &mut self,
        dims: LinearDims,
        x: &Vec<T>,
        weight: &Vec<T>,
        bias: Option<&Vec<T>>,
        out: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let LinearDims { rows, inputs, outputs, .. } = dims;
        let bias = bias.map(|bias| &bias[..outputs]);
        let (x, weight, out) = (&x[..rows * inputs], &weight[..outputs * inputs], &mut out[..rows * outputs]);
        linear::forward(dims, x, weight, bias, out, &mut self.packed);
        Ok(())
    }

    fn linear_backward_input(
        &mut self,
        dims: LinearDims,
        grad_out: &Vec<T>,
        weight: &Vec<T>,
        grad_x: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let LinearDims { rows, inputs, outputs, .. } = dims;
        let (grad_out, weight) = (&grad_out[..rows * outputs], &weight[..outputs * inputs]);
        linear::backward_input(dims, grad_out, weight, &mut grad_x[..rows * inputs], &mut self.packed);
        Ok(())
    }

    fn linear_backward_weight(
        &mut self,
        dims: LinearDims,
        x: &Vec<T>,
        grad_out: &Vec<T>,
        grad_weight: &mut Vec<T>,
        grad_bias: Option<&mut Vec<T>>,
    ) -> Result<(), Infallible> {
        let LinearDims { rows, inputs, outputs, .. } = dims;
        let (x, grad_out) = (&x[..rows * inputs], &grad_out[..rows * outputs]);
        let grad_bias = grad_bias.map(|grad_bias| &mut grad_bias[..outputs]);
        let grad_weight = &mut grad_weight[..outputs * inputs];
        linear::backward_weight(dims, x, grad_out, grad_weight, grad_bias, (&mut self.scratch, &mut self.packed));
        Ok(())
    }

    fn rms_norm_forward(
        &mut self,
        dims: NormDims<T>,
        x: &Vec<T>,
        weight: &Vec<T>,
        out: &mut Vec<T>,
        rstd: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let NormDims { rows, stride, groups, channels, .. } = dims;
        let (x, out) = (&x[..rows * stride], &mut out[..rows * stride]);
        rms_norm::forward(dims, x, &weight[..channels], out, &mut rstd[..rows * groups]);
        Ok(())
    }

    fn rms_norm_backward(
        &mut self,
        dims: NormDims<T>,
        x: &Vec<T>,
        weight: &Vec<T>,
        rstd: &Vec<T>,
        grad_out: &Vec<T>,
        grad_x: &mut Vec<T>,
        grad_weight: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let NormDims { rows, stride, groups, channels, .. } = dims;
        let (x, grad_out, grad_x) = (&x[..rows * stride], &grad_out[..rows * stride], &mut grad_x[..rows * stride]);
        let (weight, grad_weight) = (&weight[..channels], &mut grad_weight[..channels]);
        rms_norm::backward(dims, x, weight, &rstd[..rows * groups], grad_out, grad_x, grad_weight, &mut self.scratch);
        Ok(())
    }

    fn rope_forward(
        &mut self,
        dims: RopeDims,
        positions: &Vec<u32>,
        cos: &Vec<T>,
        sin: &Vec<T>,
        x: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        rope::forward(dims, &positions[..dims.rows], cos, sin, &mut x[..dims.rows * dims.stride]);
        Ok(())
    }

    fn rope_backward(
        &mut self,
        dims: RopeDims,
        positions: &Vec<u32>,
        cos: &Vec<T>,
        sin: &Vec<T>,
        grad_x: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        rope::backward(dims, &positions[..dims.rows], cos, sin, &mut grad_x[..dims.rows * dims.stride]);
        Ok(())
    }

    fn attention_forward(
        &mut self,
        dims: AttentionDims,
        sequences: Ragged<'_, Vec<u32>>,
        qkv: &Vec<T>,
        out: &mut Vec<T>,
        log_sum_exp: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let Ragged { offsets, sequences, rows, .. } = sequences;
        let (qkv, out) = (&qkv[..rows * dims.qkv_width()], &mut out[..rows * dims.heads * dims.head_dim]);
        let log_sum_exp = &mut log_sum_exp[..rows * dims.heads];
        attention::forward(dims, &offsets[..=sequences], qkv, out, log_sum_exp, &mut self.columns);
        Ok(())
    }

    fn attention_backward(
        &mut self,
        dims: AttentionDims,
        sequences: Ragged<'_, Vec<u32>>,
        qkv: &Vec<T>,
        out: &Vec<T>,
        log_sum_exp: &Vec<T>,
        grad_out: &Vec<T>,
        grad_qkv: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let Ragged { offsets, sequences, rows, .. } = sequences;
        let (qkv, grad_qkv) = (&qkv[..rows * dims.qkv_width()], &mut grad_qkv[..rows * dims.qkv_width()]);
        let (out, grad_out) =
            (&out[..rows * dims.heads * dims.head_dim], &grad_out[..rows * dims.heads * dims.head_dim]);
        let (offsets, log_sum_exp) = (&offsets[..=sequences], &log_sum_exp[..rows * dims.heads]);
        attention::backward(dims, offsets, qkv, out, log_sum_exp, grad_out, grad_qkv, &mut self.columns);
        Ok(())
    }

    fn cache_append(
        &mut self,
        dims: CacheDims,
        qkv: &Vec<T>,
        slots: &Vec<u32>,
        positions: &Vec<u32>,
        keys: &mut Vec<T>,
        values: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let rows = dims.rows;
        let len = dims.slots * dims.capacity * dims.attention.kv_heads * dims.attention.head_dim;
        let (qkv, keys, values) = (&qkv[..rows * dims.attention.qkv_width()], &mut keys[..len], &mut values[..len]);
        cache::append(dims, qkv, &slots[..rows], &positions[..rows], keys, values);
        Ok(())
    }

    fn attention_cached(
        &mut self,
        dims: CacheDims,
        qkv: &Vec<T>,
        slots: &Vec<u32>,
        positions: &Vec<u32>,
        keys: &Vec<T>,
        values: &Vec<T>,
        out: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let rows = dims.rows;
        let len = dims.slots * dims.capacity * dims.attention.kv_heads * dims.attention.head_dim;
        let (qkv, keys, values) = (&qkv[..rows * dims.attention.qkv_width()], &keys[..len], &values[..len]);
        let (slots, positions) = (&slots[..rows], &positions[..rows]);
        let out = &mut out[..rows * dims.attention.heads * dims.attention.head_dim];
        cache::attend(dims, qkv, slots, positions, keys, values, out, &mut self.rows);
        Ok(())
    }

    fn swiglu_forward(&mut self, dims: SwigluDims, gate_up: &Vec<T>, out: &mut Vec<T>) -> Result<(), Infallible> {
        let len = dims.rows * dims.channels;
        swiglu::forward(dims, &gate_up[..2 * len], &mut out[..len]);
        Ok(())
    }

    fn swiglu_backward(
        &mut self,
        dims: SwigluDims,
        gate_up: &Vec<T>,
        grad_out: &Vec<T>,
        grad_gate_up: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let len = dims.rows * dims.channels;
        swiglu::backward(dims, &gate_up[..2 * len], &grad_out[..len], &mut grad_gate_up[..2 * len]);
        Ok(())
    }

    fn relu_forward(&mut self, len: usize, x: &mut Vec<T>) -> Result<(), Infallible> {
        relu::forward(&mut x[..len]);
        Ok(())
    }

    fn relu_backward(&mut self, len: usize, out: &Vec<T>, grad: &mut Vec<T>) -> Result<(), Infallible> {
        relu::backward(&out[..len], &mut grad[..len]);
        Ok(())
    }

    fn policy_forward(
        &mut self,
        dims: VocabDims,
        logits: &Vec<T>,
        ref_logits: Option<&Vec<T>>,
        targets: &Vec<u32>,
        statistics: &mut PolicyStatistics<Vec<T>>,
    ) -> Result<(), Infallible> {
        let VocabDims { rows, vocab } = dims;
        let ref_logits = ref_logits.map(|ref_logits| &ref_logits[..rows * vocab]);
        let ref_rows = if ref_logits.is_some() { rows } else { 0 };
        let statistics = PolicyStatistics {
            log_prob: &mut statistics.log_prob[..rows],
            entropy: &mut statistics.entropy[..rows],
            kl: &mut statistics.kl[..rows],
            log_sum_exp: &mut statistics.log_sum_exp[..rows],
            ref_log_sum_exp: &mut statistics.ref_log_sum_exp[..ref_rows],
        };
        policy::forward(dims, &logits[..rows * vocab], ref_logits, &targets[..rows], statistics);
        Ok(())
    }

    fn policy_backward(
        &mut self,
        dims: VocabDims,
        ref_logits: Option<&Vec<T>>,
        targets: &Vec<u32>,
        statistics: &PolicyStatistics<Vec<T>>,
        gradients: &PolicyGradients<Vec<T>>,
        logits: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let VocabDims { rows, vocab } = dims;
        let ref_logits = ref_logits.map(|ref_logits| &ref_logits[..rows * vocab]);
        let ref_rows = if ref_logits.is_some() { rows } else { 0 };
        let statistics = PolicyStatistics {
            log_prob: &statistics.log_prob[..rows],
            entropy: &statistics.entropy[..rows],
            kl: &statistics.kl[..rows],
            log_sum_exp: &statistics.log_sum_exp[..rows],
            ref_log_sum_exp: &statistics.ref_log_sum_exp[..ref_rows],
        };
        let gradients = PolicyGradients {
            log_prob: &gradients.log_prob[..rows],
            entropy: &gradients.entropy[..rows],
            kl: &gradients.kl[..rows],
        };
        policy::backward(dims, ref_logits, &targets[..rows], statistics, gradients, &mut logits[..rows * vocab]);
        Ok(())
    }

    fn sample(
        &mut self,
        dims: VocabDims,
        sampler: Sampler<T>,
        logits: &Vec<T>,
        uniforms: &Vec<T>,
        tokens: &mut Vec<u32>,
        log_probs: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let VocabDims { rows, vocab } = dims;
        let scratch = (self.rows.reserve(vocab), self.candidates.reserve(vocab));
        let (tokens, log_probs) = (&mut tokens[..rows], &mut log_probs[..rows]);
        sample::sample(dims, sampler, &logits[..rows * vocab], &uniforms[..rows], tokens, log_probs, scratch);
        Ok(())
    }

    fn action_advantage(
        &mut self,
        dims: ClassDims,
        logits: &Vec<T>,
        action_values: &Vec<T>,
        actions: &Vec<u32>,
        advantages: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let ClassDims { rows, classes } = dims;
        let (logits, action_values) = (&logits[..rows * classes], &action_values[..rows * classes]);
        advantages::action_advantage(classes, logits, action_values, &actions[..rows], &mut advantages[..rows]);
        Ok(())
    }

    fn gae(
        &mut self,
        discounts: Discounts<T>,
        trajectories: Ragged<'_, Vec<u32>>,
        rewards: &Vec<T>,
        values: &Vec<T>,
        advantages: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let Ragged { offsets, sequences, rows, .. } = trajectories;
        let (rewards, values) = (&rewards[..rows], &values[..rows]);
        advantages::gae(discounts, &offsets[..=sequences], rewards, values, &mut advantages[..rows]);
        Ok(())
    }

    fn clipped_surrogate(
        &mut self,
        tokens: usize,
        clip_range: ClipRange<T>,
        log_prob: &Vec<T>,
        old_log_prob: &Vec<T>,
        advantages: &Vec<T>,
        grad_log_prob: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let (log_prob, old_log_prob) = (&log_prob[..tokens], &old_log_prob[..tokens]);
        let (advantages, grad_log_prob) = (&advantages[..tokens], &mut grad_log_prob[..tokens]);
        losses::clipped_surrogate(clip_range, log_prob, old_log_prob, advantages, grad_log_prob);
        Ok(())
    }

    fn soft_cross_entropy(
        &mut self,
        dims: ClassDims,
        logits: &Vec<T>,
        labels: &Vec<T>,
        weights: &Vec<T>,
        loss: &mut Vec<T>,
        grad_logits: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let ClassDims { rows, classes } = dims;
        let (logits, labels) = (&logits[..rows * classes], &labels[..rows * classes]);
        let grad_logits = &mut grad_logits[..rows * classes];
        losses::soft_cross_entropy(dims, logits, labels, &weights[..rows], &mut loss[..rows], grad_logits);
        Ok(())
    }

    fn squared_error(
        &mut self,
        rows: usize,
        predictions: &Vec<T>,
        targets: &Vec<T>,
        weights: &Vec<T>,
        loss: &mut Vec<T>,
        grad_predictions: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let (predictions, targets, weights) = (&predictions[..rows], &targets[..rows], &weights[..rows]);
        losses::squared_error(predictions, targets, weights, &mut loss[..rows], &mut grad_predictions[..rows]);
        Ok(())
    }
}
