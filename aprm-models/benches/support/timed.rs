//! A backend that says where the time goes.

use std::time::{Duration, Instant};

use aprm_core::backend::{
    AttentionDims, Backend, CacheDims, ClassDims, LinearDims, NormDims, PolicyGradients, PolicyStatistics, Ragged,
    RopeDims, RowDims, SwigluDims, VocabDims,
};
use aprm_core::gae::Discounts;
use aprm_core::optimizer::AdamMoments;
use aprm_core::policy::Sampler;
use aprm_core::ppo::ClipRange;

use crate::peak::flop_per_second;

/// The calls of a kernel in a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    pub(crate) calls: usize,
    pub(crate) time: Duration,
    /// Operations of products; zero of other kernels.
    pub(crate) flop: usize,
}

/// Any backend, and the wall time of each of its kernels.
#[derive(Debug)]
pub(crate) struct Timed<B> {
    backend: B,
    kernels: Vec<Kernel>,
}

impl<B: Backend> Timed<B> {
    pub(crate) fn new(backend: B) -> Self {
        Self { backend, kernels: Vec::new() }
    }

    /// What has been measured since the last call.
    pub(crate) fn take(&mut self) -> Vec<Kernel> {
        std::mem::take(&mut self.kernels)
    }

    fn time<R>(&mut self, name: &'static str, flop: usize, kernel: impl FnOnce(&mut B) -> R) -> R {
        let begin = Instant::now();
        let result = kernel(&mut self.backend);
        let time = begin.elapsed();
        match self.kernels.iter_mut().find(|kernel| kernel.name == name) {
            Some(kernel) => {
                kernel.calls += 1;
                kernel.time += time;
                kernel.flop += flop;
            }
            None => self.kernels.push(Kernel { name, calls: 1, time, flop }),
        }
        result
    }
}

/// Each kernel, and how many operations it takes where that is counted.
macro_rules! timed {
    ($($name:ident($($argument:ident: $kind:ty),*) $(-> $value:ty)? $(= $flop:expr)?;)*) => {
        $(
            #[allow(unused_parens, reason = "most kernels give nothing")]
            fn $name(&mut self, $($argument: $kind),*) -> Result<($($value)?), B::Error> {
                self.time(stringify!($name), 0 $(+ $flop)?, |backend| backend.$name($($argument),*))
            }
        )*
    };
}

fn product(dims: LinearDims) -> usize {
    2 * dims.rows * dims.inputs * dims.outputs
}

impl<B: Backend> Backend for Timed<B> {
    type Scalar = B::Scalar;
    type Buffer = B::Buffer;
    type Indices = B::Indices;
    type Error = B::Error;

    timed! {
        allocate(len: usize) -> B::Buffer;
        allocate_indices(len: usize) -> B::Indices;
        allocate_bf16(source: &[B::Scalar]) -> Option<B::Buffer>;
        write(source: &[B::Scalar], buffer: &mut B::Buffer, start: usize);
        write_indices(source: &[u32], indices: &mut B::Indices);
        read(buffer: &B::Buffer, start: usize, out: &mut [B::Scalar]);
        read_indices(indices: &B::Indices, out: &mut [u32]);
        fill(len: usize, value: B::Scalar, x: &mut B::Buffer);
        copy(len: usize, x: &B::Buffer, y: &mut B::Buffer);
        axpy(len: usize, alpha: B::Scalar, x: &B::Buffer, y: &mut B::Buffer);
        scale(len: usize, alpha: B::Scalar, x: &mut B::Buffer);
        sum_of_squares(len: usize, x: &B::Buffer, total: &mut B::Buffer);
        clip(len: usize, max_norm: B::Scalar, squared_norm: &B::Buffer, x: &mut B::Buffer);
        adam_direction(len: usize, moments: AdamMoments<B::Scalar>, gradient: &B::Buffer, first_moment: &mut B::Buffer,
            second_moment: &mut B::Buffer, direction: &mut B::Buffer);
        gather_rows_forward(dims: RowDims, table: &B::Buffer, indices: &B::Indices, out: &mut B::Buffer);
        gather_rows_backward(dims: RowDims, grad_out: &B::Buffer, indices: &B::Indices, grad_table: &mut B::Buffer);
        linear_forward(dims: LinearDims, x: &B::Buffer, weight: &B::Buffer, bias: Option<&B::Buffer>,
            out: &mut B::Buffer) = product(dims);
        linear_backward_input(dims: LinearDims, grad_out: &B::Buffer, weight: &B::Buffer,
            grad_x: &mut B::Buffer) = product(dims);
        linear_backward_weight(dims: LinearDims, x: &B::Buffer, grad_out: &B::Buffer, grad_weight: &mut B::Buffer,
            grad_bias: Option<&mut B::Buffer>) = product(dims);
        rms_norm_forward(dims: NormDims<B::Scalar>, x: &B::Buffer, weight: &B::Buffer, out: &mut B::Buffer,
            rstd: &mut B::Buffer);
        rms_norm_backward(dims: NormDims<B::Scalar>, x: &B::Buffer, weight: &B::Buffer, rstd: &B::Buffer,
            grad_out: &B::Buffer, grad_x: &mut B::Buffer, grad_weight: &mut B::Buffer);
        rope_forward(dims: RopeDims, positions: &B::Indices, cos: &B::Buffer, sin: &B::Buffer, x: &mut B::Buffer);
        rope_backward(dims: RopeDims, positions: &B::Indices, cos: &B::Buffer, sin: &B::Buffer, x: &mut B::Buffer);
        attention_forward(dims: AttentionDims, sequences: Ragged<'_, B::Indices>, qkv: &B::Buffer, out: &mut B::Buffer,
            log_sum_exp: &mut B::Buffer);
        attention_backward(dims: AttentionDims, sequences: Ragged<'_, B::Indices>, qkv: &B::Buffer, out: &B::Buffer,
            log_sum_exp: &B::Buffer, grad_out: &B::Buffer, grad_qkv: &mut B::Buffer);
        cache_append(dims: CacheDims, qkv: &B::Buffer, slots: &B::Indices, positions: &B::Indices,
            keys: &mut B::Buffer, values: &mut B::Buffer);
        attention_cached(dims: CacheDims, qkv: &B::Buffer, slots: &B::Indices, positions: &B::Indices,
            keys: &B::Buffer, values: &B::Buffer, out: &mut B::Buffer);
        swiglu_forward(dims: SwigluDims, gate_up: &B::Buffer, out: &mut B::Buffer);
        swiglu_backward(dims: SwigluDims, gate_up: &B::Buffer, grad_out: &B::Buffer, grad_gate_up: &mut B::Buffer);
        relu_forward(len: usize, x: &mut B::Buffer);
        relu_backward(len: usize, out: &B::Buffer, grad: &mut B::Buffer);
        policy_forward(dims: VocabDims, logits: &B::Buffer, ref_logits: Option<&B::Buffer>, targets: &B::Indices,
            statistics: &mut PolicyStatistics<B::Buffer>);
        policy_backward(dims: VocabDims, ref_logits: Option<&B::Buffer>, targets: &B::Indices,
            statistics: &PolicyStatistics<B::Buffer>, gradients: &PolicyGradients<B::Buffer>, logits: &mut B::Buffer);
        sample(dims: VocabDims, sampler: Sampler<B::Scalar>, logits: &B::Buffer, uniforms: &B::Buffer,
            tokens: &mut B::Indices, log_probs: &mut B::Buffer);
        action_advantage(dims: ClassDims, logits: &B::Buffer, action_values: &B::Buffer, actions: &B::Indices,
            advantages: &mut B::Buffer);
        gae(discounts: Discounts<B::Scalar>, trajectories: Ragged<'_, B::Indices>, rewards: &B::Buffer,
            values: &B::Buffer, advantages: &mut B::Buffer);
        clipped_surrogate(tokens: usize, clip_range: ClipRange<B::Scalar>, log_prob: &B::Buffer,
            old_log_prob: &B::Buffer, advantages: &B::Buffer, grad_log_prob: &mut B::Buffer);
        soft_cross_entropy(dims: ClassDims, logits: &B::Buffer, labels: &B::Buffer, weights: &B::Buffer,
            loss: &mut B::Buffer, grad_logits: &mut B::Buffer);
        squared_error(rows: usize, predictions: &B::Buffer, targets: &B::Buffer, weights: &B::Buffer,
            loss: &mut B::Buffer, grad_predictions: &mut B::Buffer);
    }
}

/// The kernels of a run, each at its best of all runs, those that take longest first.
pub(crate) fn print_table(runs: &[Vec<Kernel>]) {
    let mut best = runs[0].clone();
    for kernel in runs.iter().flatten() {
        if let Some(best) = best.iter_mut().find(|best| best.name == kernel.name) {
            best.time = best.time.min(kernel.time);
        }
    }
    best.sort_by_key(|kernel| std::cmp::Reverse(kernel.time));
    let (peak, threads) = (flop_per_second(), rayon::current_num_threads());
    println!("  {:24} {:>5} {:>9}   of {:.0} GFLOP/s a thread", "kernel", "calls", "ms", peak / 1e9);
    for Kernel { name, calls, time, flop } in best {
        let rate = flop as f64 / time.as_secs_f64();
        let share = format!("   {:.0} GFLOP/s, {:.0} %", rate / 1e9, 100.0 * rate / (peak * threads as f64));
        println!("  {name:24} {calls:5} {:9.2}{}", 1e3 * time.as_secs_f64(), if flop > 0 { &share } else { "" });
    }
}
