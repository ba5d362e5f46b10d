//! The reference: every kernel as its formula reads, in `f64`, on one thread.
//!
//! Kernels take slices and dimensions, so a test can call one without a backend.
//! [`Naive`] makes a backend of them.
#![expect(clippy::needless_range_loop, reason = "formulas have indices")]

pub mod attention;
pub mod cache;
pub mod gather_rows;
pub mod linear;
pub mod losses;
pub mod policy;
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
use aprm_core::optimizer::AdamMoments;
use aprm_core::policy::Sampler;
use aprm_core::scalar::Scalar;

/// The reference backend: it computes in `f64` and rounds to `T` where it stores.
#[derive(Clone, Copy, Debug, Default)]
pub struct Naive<T>(PhantomData<T>);

impl<T> Naive<T> {
    /// Nothing is kept between kernels.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

fn wide<T: Scalar>(buffer: &[T]) -> Vec<f64> {
    buffer.iter().map(|x| x.widen()).collect()
}

/// Runs a kernel on wide copies of its outputs and rounds them back.
fn store<T: Scalar, const N: usize>(outputs: [&mut Vec<T>; N], kernel: impl FnOnce([&mut [f64]; N])) {
    let mut widened = outputs.each_ref().map(|output| wide(output));
    kernel(widened.each_mut().map(|output| &mut output[..]));
    for (output, widened) in outputs.into_iter().zip(widened) {
        for (stored, computed) in output.iter_mut().zip(widened) {
            *stored = T::of(computed);
        }
    }
}

impl<T: Scalar> Backend for Naive<T> {
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
        store([x], |[x]| vectors::fill(len, value.widen(), x));
        Ok(())
    }

    fn copy(&mut self, len: usize, x: &Vec<T>, y: &mut Vec<T>) -> Result<(), Infallible> {
        store([y], |[y]| vectors::copy(len, &wide(x), y));
        Ok(())
    }

    fn axpy(&mut self, len: usize, alpha: T, x: &Vec<T>, y: &mut Vec<T>) -> Result<(), Infallible> {
        store([y], |[y]| vectors::axpy(len, alpha.widen(), &wide(x), y));
        Ok(())
    }

    fn scale(&mut self, len: usize, alpha: T, x: &mut Vec<T>) -> Result<(), Infallible> {
        store([x], |[x]| vectors::scale(len, alpha.widen(), x));
        Ok(())
    }

    fn sum_of_squares(&mut self, len: usize, x: &Vec<T>, total: &mut Vec<T>) -> Result<(), Infallible> {
        store([total], |[total]| vectors::sum_of_squares(len, &wide(x), total));
        Ok(())
    }

    fn clip(&mut self, len: usize, max_norm: T, squared_norm: &Vec<T>, x: &mut Vec<T>) -> Result<(), Infallible> {
        store([x], |[x]| vectors::clip(len, max_norm.widen(), &wide(squared_norm), x));
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
        let moments = map_moments(moments, Scalar::widen);
        store([first_moment, second_moment, direction], |[m, v, direction]| {
            vectors::adam_direction(len, moments, &wide(gradient), m, v, direction);
        });
        Ok(())
    }

    fn gather_rows_forward(
        &mut self,
        dims: RowDims,
        table: &Vec<T>,
        indices: &Vec<u32>,
        out: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        store([out], |[out]| gather_rows::forward(dims, &wide(table), indices, out));
        Ok(())
    }

    fn gather_rows_backward(
        &mut self,
        dims: RowDims,
        grad_out: &Vec<T>,
        indices: &Vec<u32>,
        grad_table: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        store([grad_table], |[grad_table]| gather_rows::backward(dims, &wide(grad_out), indices, grad_table));
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
        let bias = bias.map(|bias| wide(bias));
        store([out], |[out]| linear::forward(dims, &wide(x), &wide(weight), bias.as_deref(), out));
        Ok(())
    }

    fn linear_backward_input(
        &mut self,
        dims: LinearDims,
        grad_out: &Vec<T>,
        weight: &Vec<T>,
        grad_x: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        store([grad_x], |[grad_x]| linear::backward_input(dims, &wide(grad_out), &wide(weight), grad_x));
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
        let (x, grad_out) = (wide(x), wide(grad_out));
        match grad_bias {
            None => store([grad_weight], |[weight]| linear::backward_weight(dims, &x, &grad_out, weight, None)),
            Some(grad_bias) => store([grad_weight, grad_bias], |[weight, bias]| {
                linear::backward_weight(dims, &x, &grad_out, weight, Some(bias));
            }),
        }
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
        store([out, rstd], |[out, rstd]| rms_norm::forward(wide_norm(dims), &wide(x), &wide(weight), out, rstd));
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
        let (dims, x, weight, rstd, grad_out) = (wide_norm(dims), wide(x), wide(weight), wide(rstd), wide(grad_out));
        store([grad_x, grad_weight], |[grad_x, grad_weight]| {
            rms_norm::backward(dims, &x, &weight, &rstd, &grad_out, grad_x, grad_weight);
        });
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
        store([x], |[x]| rope::forward(dims, positions, &wide(cos), &wide(sin), x));
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
        store([grad_x], |[grad_x]| rope::backward(dims, positions, &wide(cos), &wide(sin), grad_x));
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
        store([out, log_sum_exp], |[out, lse]| attention::forward(dims, offsets, &wide(qkv), out, lse));
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
        let (qkv, out, lse, grad_out) = (wide(qkv), wide(out), wide(log_sum_exp), wide(grad_out));
        store([grad_qkv], |[grad_qkv]| attention::backward(dims, offsets, &qkv, &out, &lse, &grad_out, grad_qkv));
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
        store([keys, values], |[keys, values]| cache::append(dims, &wide(qkv), slots, positions, keys, values));
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
        let (qkv, keys, values) = (wide(qkv), wide(keys), wide(values));
        store([out], |[out]| cache::attention(dims, &qkv, slots, positions, &keys, &values, out));
        Ok(())
    }

    fn swiglu_forward(&mut self, dims: SwigluDims, gate_up: &Vec<T>, out: &mut Vec<T>) -> Result<(), Infallible> {
        store([out], |[out]| swiglu::forward(dims, &wide(gate_up), out));
        Ok(())
    }

    fn swiglu_backward(
        &mut self,
        dims: SwigluDims,
        gate_up: &Vec<T>,
        grad_out: &Vec<T>,
        grad_gate_up: &mut Vec<T>,
    ) -> Result<(), Infallible> {
        store([grad_gate_up], |[grad]| swiglu::backward(dims, &wide(gate_up), &wide(grad_out), grad));
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
        let PolicyStatistics { log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp } = statistics;
        let ref_logits = ref_logits.map(|ref_logits| wide(ref_logits));
        let outputs = [log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp];
        store(outputs, |[log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp]| {
            let mut statistics = PolicyStatistics { log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp };
            policy::forward(dims, &wide(logits), ref_logits.as_deref(), targets, &mut statistics);
        });
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
        let ref_logits = ref_logits.map(|ref_logits| wide(ref_logits));
        let statistics = PolicyStatistics {
            log_prob: &wide(&statistics.log_prob)[..],
            entropy: &wide(&statistics.entropy),
            kl: &wide(&statistics.kl),
            log_sum_exp: &wide(&statistics.log_sum_exp),
            ref_log_sum_exp: &wide(&statistics.ref_log_sum_exp),
        };
        let gradients = PolicyGradients {
            log_prob: &wide(&gradients.log_prob)[..],
            entropy: &wide(&gradients.entropy),
            kl: &wide(&gradients.kl),
        };
        store([logits], |[logits]| {
            policy::backward(dims, ref_logits.as_deref(), targets, &statistics, &gradients, logits);
        });
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
        let sampler = wide_sampler(sampler);
        store([log_probs], |[log_probs]| {
            sample::sample(dims, sampler, &wide(logits), &wide(uniforms), tokens, log_probs);
        });
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
        store([loss, grad_logits], |[loss, grad_logits]| {
            losses::soft_cross_entropy(dims, &wide(logits), &wide(labels), &wide(weights), loss, grad_logits);
        });
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
        store([loss, grad_predictions], |[loss, grad_predictions]| {
            losses::squared_error(rows, &wide(predictions), &wide(targets), &wide(weights), loss, grad_predictions);
        });
        Ok(())
    }
}

pub(crate) fn map_moments<T, N>(moments: AdamMoments<T>, number: impl Fn(T) -> N) -> AdamMoments<N> {
    AdamMoments {
        beta1: number(moments.beta1),
        beta2: number(moments.beta2),
        first_correction: number(moments.first_correction),
        second_correction: number(moments.second_correction),
        epsilon: number(moments.epsilon),
    }
}

pub(crate) fn wide_norm<T: Scalar>(dims: NormDims<T>) -> NormDims<f64> {
    let NormDims { rows, stride, offset, groups, channels, epsilon, accumulate } = dims;
    NormDims { rows, stride, offset, groups, channels, epsilon: epsilon.widen(), accumulate }
}

pub(crate) fn wide_sampler<T: Scalar>(sampler: Sampler<T>) -> Sampler<f64> {
    let Sampler { temperature, top_k, top_p } = sampler;
    Sampler { temperature: temperature.widen(), top_k, top_p: top_p.widen() }
}
