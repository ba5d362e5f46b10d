//! The reference: every kernel as its formula reads, on one thread.
//!
//! Kernels take slices and dimensions, so a test can call one without a backend.
//! [`Naive`] makes a backend of them.
#![expect(clippy::needless_range_loop, reason = "formulas have indices")]

pub mod advantages;
pub mod attention;
pub mod cache;
pub mod gather_rows;
pub mod linear;
pub mod losses;
pub mod policy;
pub mod relu;
pub mod rms_norm;
pub mod rope;
pub mod sample;
pub mod swiglu;
pub mod vectors;

use core::convert::Infallible;
use core::marker::PhantomData;

use aprm_core::backend::{
    AttentionDims, Backend, CacheDims, ClassDims, LinearDims, NormDims, PolicyGradients, PolicyStatistics, Ragged,
    RopeDims, RowDims, SwigluDims, VocabDims,
};
use aprm_core::gae::Discounts;
use aprm_core::optimizer::AdamMoments;
use aprm_core::policy::Sampler;
use aprm_core::ppo::ClipRange;
use aprm_core::scalar::Scalar;

use crate::Number;

/// The reference backend. In `f64` it is the oracle; in `f32` it shows that the tolerances are no tighter than honest
/// rounding.
#[derive(Clone, Copy, Debug, Default)]
pub struct Naive<T>(PhantomData<T>);

impl<T> Naive<T> {
    /// Nothing is kept between kernels.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Scalar + Number> Backend for Naive<T> {
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
        vectors::fill(len, value, x);
        Ok(())
    }

    fn copy(&mut self, len: usize, x: &Vec<T>, y: &mut Vec<T>) -> Result<(), Infallible> {
        vectors::copy(len, x, y);
        Ok(())
    }

    fn axpy(&mut self, len: usize, alpha: T, x: &Vec<T>, y: &mut Vec<T>) -> Result<(), Infallible> {
        vectors::axpy(len, alpha, x, y);
        Ok(())
    }

    fn scale(&mut self, len: usize, alpha: T, x: &mut Vec<T>) -> Result<(), Infallible> {
        vectors::scale(len, alpha, x);
        Ok(())
    }

    fn sum_of_squares(&mut self, len: usize, x: &Vec<T>, total: &mut Vec<T>) -> Result<(), Infallible> {
        vectors::sum_of_squares(len, x, total);
        Ok(())
    }

    fn clip(&mut self, len: usize, max_norm: T, squared_norm: &Vec<T>, x: &mut Vec<T>) -> Result<(), Infallible> {
        vectors::clip(len, max_norm, squared_norm, x);
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
        vectors::adam_direction(len, moments, gradient, first_moment, second_moment, direction);
        Ok(())
    }

    fn gather_rows_forward(
        &mut self,
        dims: RowDims,
        table: &Vec<T>,
        indices: &Vec<u32>,
        out: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        gather_rows::forward(dims, table, indices, out);
        Ok(())
    }

    fn gather_rows_backward(
        &mut self,
        dims: RowDims,
        grad_out: &Vec<T>,
        indices: &Vec<u32>,
        grad_table: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        gather_rows::backward(dims, grad_out, indices, grad_table);
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
        linear::forward(dims, x, weight, bias.map(Vec::as_slice), out);
        Ok(())
    }

    fn linear_backward_input(
        &mut self,
        dims: LinearDims,
        grad_out: &Vec<T>,
        weight: &Vec<T>,
        grad_x: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        linear::backward_input(dims, grad_out, weight, grad_x);
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
        linear::backward_weight(dims, x, grad_out, grad_weight, grad_bias.map(Vec::as_mut_slice));
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
        rms_norm::forward(wide_norm(dims), x, weight, out, rstd);
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
        rms_norm::backward(wide_norm(dims), x, weight, rstd, grad_out, grad_x, grad_weight);
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
        rope::forward(dims, positions, cos, sin, x);
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
        rope::backward(dims, positions, cos, sin, grad_x);
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
        let offsets = &sequences.offsets[..=sequences.sequences];
        attention::forward(dims, offsets, qkv, out, log_sum_exp);
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
        let offsets = &sequences.offsets[..=sequences.sequences];
        attention::backward(dims, offsets, qkv, out, log_sum_exp, grad_out, grad_qkv);
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
        cache::append(dims, qkv, slots, positions, keys, values);
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
        cache::attention(dims, qkv, slots, positions, keys, values, out);
        Ok(())
    }

    fn swiglu_forward(&mut self, dims: SwigluDims, gate_up: &Vec<T>, out: &mut Vec<T>) -> Result<(), Infallible> {
        swiglu::forward(dims, gate_up, out);
        Ok(())
    }

    fn swiglu_backward(
        &mut self,
        dims: SwigluDims,
        gate_up: &Vec<T>,
        grad_out: &Vec<T>,
        grad_gate_up: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        swiglu::backward(dims, gate_up, grad_out, grad_gate_up);
        Ok(())
    }

    fn relu_forward(&mut self, len: usize, x: &mut Vec<T>) -> Result<(), Infallible> {
        relu::forward(len, x);
        Ok(())
    }

    fn relu_backward(&mut self, len: usize, out: &Vec<T>, grad: &mut Vec<T>) -> Result<(), Infallible> {
        relu::backward(len, out, grad);
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
        policy::forward(dims, logits, ref_logits.map(Vec::as_slice), targets, statistics);
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
        policy::backward(dims, ref_logits.map(Vec::as_slice), targets, statistics, gradients, logits);
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
        sample::sample(dims, sampler, logits, uniforms, tokens, log_probs);
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
        advantages::action_advantage(dims, logits, action_values, actions, advantages);
        Ok(())
    }

    fn gae(
        &mut self,
        Discounts { gamma, gae_lambda }: Discounts<T>,
        trajectories: Ragged<'_, Vec<u32>>,
        rewards: &Vec<T>,
        values: &Vec<T>,
        advantages: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        let discounts = Discounts { gamma: gamma.widen(), gae_lambda: gae_lambda.widen() };
        let offsets = &trajectories.offsets[..=trajectories.sequences];
        advantages::gae(discounts, offsets, rewards, values, advantages);
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
        let clip_range = ClipRange { low: clip_range.low.widen(), high: clip_range.high.widen() };
        losses::clipped_surrogate(tokens, clip_range, log_prob, old_log_prob, advantages, grad_log_prob);
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
        losses::soft_cross_entropy(dims, logits, labels, weights, loss, grad_logits);
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
        losses::squared_error(rows, predictions, targets, weights, loss, grad_predictions);
        Ok(())
    }
}

pub(crate) fn wide_norm<T: Scalar>(dims: NormDims<T>) -> NormDims<f64> {
    let NormDims { rows, stride, offset, groups, channels, epsilon, accumulate } = dims;
    NormDims { rows, stride, offset, groups, channels, epsilon: epsilon.widen(), accumulate }
}
