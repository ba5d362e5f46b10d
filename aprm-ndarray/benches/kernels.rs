//! How fast the kernels are at the shapes of a small model: 8 sequences of 512 tokens, 256 channels, 2048 tokens of
//! vocabulary. Prints the best of some runs for one thread and for all.
//!
//! `cargo bench -p aprm-ndarray [FILTER]`

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use aprm_core::backend::{
    AttentionDims, Backend, CacheDims, LinearDims, NormDims, PolicyGradients, PolicyStatistics, Ragged, RopeDims,
    SwigluDims, VocabDims,
};
use aprm_core::optimizer::AdamMoments;
use aprm_core::policy::Sampler;
use aprm_ndarray::Cpu;
use pulp::{Arch, Simd, WithSimd};

const SEQUENCES: usize = 8;
const LENGTH: usize = 512;
const ROWS: usize = SEQUENCES * LENGTH;
const CHANNELS: usize = 256;
const HIDDEN: usize = 704;
const VOCAB: usize = 2048;
const PARAMETERS: usize = 5_000_000;

/// What a run of a kernel costs: floating-point operations, or bytes that it reads and writes.
enum Cost {
    Flop(usize),
    Numbers(usize),
}

struct Bench {
    filter: String,
    pools: [rayon::ThreadPool; 2],
}

impl Bench {
    fn run(&self, name: &str, cost: Cost, mut kernel: impl FnMut() -> Result<(), Infallible> + Send) {
        if !name.contains(&self.filter) {
            return;
        }
        let [one, all] = self.pools.each_ref().map(|pool| pool.install(|| best(&mut kernel)));
        let (unit, amount) = match cost {
            Cost::Flop(flop) => ("GFLOP/s", flop),
            Cost::Numbers(numbers) => ("GB/s", numbers * size_of::<f32>()),
        };
        let rate = |time: Duration| amount as f64 / time.as_secs_f64() / 1e9;
        println!("{name:36} {:9.3} ms {:9.3} ms {:7.1} {:7.1} {unit}", millis(one), millis(all), rate(one), rate(all));
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn best(kernel: &mut impl FnMut() -> Result<(), Infallible>) -> Duration {
    let begin = Instant::now();
    let mut best = Duration::MAX;
    let mut runs = 0;
    while runs < 3 || begin.elapsed() < Duration::from_millis(300) {
        let start = Instant::now();
        let Ok(()) = kernel();
        best = best.min(start.elapsed());
        runs += 1;
    }
    best
}

/// Numbers between −1 and 1.
fn numbers(len: usize) -> Vec<f32> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// Multiplications with additions that never leave the registers, and wait for nothing: what the processor can do.
struct Peak(usize);

impl WithSimd for Peak {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let x = simd.splat_f32s(black_box(0.5));
        let mut sums = [x; 12];
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(*sum, x, x);
            }
        }
        sums.into_iter().map(|sum| simd.reduce_sum_f32s(sum)).sum()
    }
}

struct Width;

impl WithSimd for Width {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

fn peak(bench: &Bench) {
    let (rounds, arch) = (1 << 16, Arch::new());
    bench.run("fma peak of a core", Cost::Flop(2 * 12 * rounds * arch.dispatch(Width)), || {
        black_box(arch.dispatch(Peak(rounds)));
        Ok(())
    });
}

fn linear(bench: &Bench, cpu: &mut Cpu<f32>, rows: usize, inputs: usize, outputs: usize) {
    let dims = LinearDims { rows, inputs, outputs, accumulate: false };
    let (mut x, mut weight, mut out) = (numbers(rows * inputs), numbers(outputs * inputs), numbers(rows * outputs));
    let flop = || Cost::Flop(2 * rows * inputs * outputs);
    let name = |what| format!("linear {rows} x {inputs} -> {outputs} {what}");
    bench.run(&name("forward"), flop(), || cpu.linear_forward(dims, &x, &weight, None, &mut out));
    bench.run(&name("input"), flop(), || cpu.linear_backward_input(dims, &out, &weight, &mut x));
    bench.run(&name("weight"), flop(), || cpu.linear_backward_weight(dims, &x, &out, &mut weight, None));
}

fn attention(bench: &Bench, cpu: &mut Cpu<f32>, dims: AttentionDims) {
    let AttentionDims { heads, kv_heads, head_dim } = dims;
    let offsets = (0..=SEQUENCES).map(|i| (i * LENGTH) as u32).collect();
    let sequences = Ragged { offsets: &offsets, sequences: SEQUENCES, rows: ROWS, longest: LENGTH };
    let qkv = numbers(ROWS * dims.qkv_width());
    let mut grad_qkv = qkv.clone();
    let grad_out = numbers(ROWS * heads * head_dim);
    let (mut out, mut log_sum_exp) = (grad_out.clone(), numbers(ROWS * heads));
    // What causality leaves of a product of queries and keys.
    let product = ROWS * (LENGTH + 1) * heads * head_dim;
    let name = |what| format!("attention {heads}/{kv_heads} x {head_dim} {what}");
    bench.run(&name("forward"), Cost::Flop(2 * product), || {
        cpu.attention_forward(dims, sequences, &qkv, &mut out, &mut log_sum_exp)
    });
    bench.run(&name("backward"), Cost::Flop(5 * product), || {
        cpu.attention_backward(dims, sequences, &qkv, &out, &log_sum_exp, &grad_out, &mut grad_qkv)
    });
    let dims = CacheDims { attention: dims, rows: 64, slots: 64, capacity: LENGTH };
    let (keys, values) = (numbers(64 * LENGTH * kv_heads * head_dim), numbers(64 * LENGTH * kv_heads * head_dim));
    let (slots, positions) = ((0..64).collect(), vec![LENGTH as u32 - 1; 64]);
    bench.run(&name("cached, 64 rows"), Cost::Flop(4 * 64 * LENGTH * heads * head_dim), || {
        cpu.attention_cached(dims, &qkv, &slots, &positions, &keys, &values, &mut out)
    });
}

fn layers(bench: &Bench, cpu: &mut Cpu<f32>) {
    let size = ROWS * CHANNELS;
    let norm = NormDims {
        rows: ROWS,
        stride: CHANNELS,
        offset: 0,
        groups: 1,
        channels: CHANNELS,
        epsilon: 1e-6,
        accumulate: true,
    };
    let (x, weight, grad_out) = (numbers(size), numbers(CHANNELS), numbers(size));
    let (mut out, mut rstd, mut grad_weight) = (numbers(size), numbers(ROWS), numbers(CHANNELS));
    bench.run("rms_norm forward", Cost::Numbers(2 * size), || {
        cpu.rms_norm_forward(norm, &x, &weight, &mut out, &mut rstd)
    });
    bench.run("rms_norm backward", Cost::Numbers(4 * size), || {
        cpu.rms_norm_backward(norm, &x, &weight, &rstd, &grad_out, &mut out, &mut grad_weight)
    });
    let rope = RopeDims { rows: ROWS, stride: 2 * CHANNELS, heads: 12, head_dim: 32 };
    let positions = (0..ROWS).map(|r| (r % LENGTH) as u32).collect();
    let (cos, sin, mut x) = (vec![0.6; LENGTH * 16], vec![0.8; LENGTH * 16], numbers(ROWS * 2 * CHANNELS));
    bench.run("rope", Cost::Numbers(2 * ROWS * 12 * 32), || cpu.rope_forward(rope, &positions, &cos, &sin, &mut x));
    let swiglu = SwigluDims { rows: ROWS, channels: HIDDEN };
    let (gate_up, mut grad_gate_up) = (numbers(2 * ROWS * HIDDEN), numbers(2 * ROWS * HIDDEN));
    let mut out = numbers(ROWS * HIDDEN);
    bench.run("swiglu forward", Cost::Numbers(3 * ROWS * HIDDEN), || cpu.swiglu_forward(swiglu, &gate_up, &mut out));
    bench.run("swiglu backward", Cost::Numbers(5 * ROWS * HIDDEN), || {
        cpu.swiglu_backward(swiglu, &gate_up, &out, &mut grad_gate_up)
    });
}

fn policy(bench: &Bench, cpu: &mut Cpu<f32>) {
    let dims = VocabDims { rows: ROWS, vocab: VOCAB };
    let (mut logits, ref_logits) = (numbers(ROWS * VOCAB), numbers(ROWS * VOCAB));
    let targets = vec![7; ROWS];
    let column = || numbers(ROWS);
    let mut statistics = PolicyStatistics {
        log_prob: column(),
        entropy: column(),
        kl: column(),
        log_sum_exp: column(),
        ref_log_sum_exp: column(),
    };
    let gradients = PolicyGradients { log_prob: column(), entropy: column(), kl: column() };
    let size = || Cost::Numbers(ROWS * VOCAB);
    bench.run("policy forward", size(), || cpu.policy_forward(dims, &logits, None, &targets, &mut statistics));
    bench.run("policy forward, reference", Cost::Numbers(2 * ROWS * VOCAB), || {
        cpu.policy_forward(dims, &logits, Some(&ref_logits), &targets, &mut statistics)
    });
    let (uniforms, mut tokens, mut log_probs) = (vec![0.5; 64], vec![0; 64], numbers(64));
    let few = VocabDims { rows: 64, vocab: VOCAB };
    bench.run("sample, 64 rows", Cost::Numbers(64 * VOCAB), || {
        cpu.sample(few, Sampler::default(), &logits, &uniforms, &mut tokens, &mut log_probs)
    });
    bench.run("policy backward, reference", Cost::Numbers(3 * ROWS * VOCAB), || {
        cpu.policy_backward(dims, Some(&ref_logits), &targets, &statistics, &gradients, &mut logits)
    });
}

fn vectors(bench: &Bench, cpu: &mut Cpu<f32>) {
    let (x, mut y, mut total) = (numbers(PARAMETERS), numbers(PARAMETERS), vec![0.0]);
    bench.run("axpy", Cost::Numbers(3 * PARAMETERS), || cpu.axpy(PARAMETERS, 0.5, &x, &mut y));
    bench.run("sum_of_squares", Cost::Numbers(PARAMETERS), || cpu.sum_of_squares(PARAMETERS, &x, &mut total));
    let moments =
        AdamMoments { beta1: 0.9, beta2: 0.999, first_correction: 0.1, second_correction: 0.001, epsilon: 1e-8 };
    let (mut second_moment, mut direction) = (vec![0.5; PARAMETERS], numbers(PARAMETERS));
    bench.run("adam_direction", Cost::Numbers(6 * PARAMETERS), || {
        cpu.adam_direction(PARAMETERS, moments, &x, &mut y, &mut second_moment, &mut direction)
    });
}

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let pools = [1, all]
        .map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started"));
    println!("{:36} {:>12} {:>9} threads", "", "1 thread", all);
    let (bench, mut cpu) = (Bench { filter, pools }, Cpu::new());
    peak(&bench);
    for (inputs, outputs) in [(CHANNELS, 2 * CHANNELS), (CHANNELS, 2 * HIDDEN), (HIDDEN, CHANNELS), (CHANNELS, VOCAB)] {
        linear(&bench, &mut cpu, ROWS, inputs, outputs);
    }
    linear(&bench, &mut cpu, 64, CHANNELS, 2 * HIDDEN);
    linear(&bench, &mut cpu, 5_000, 128, 704);
    linear(&bench, &mut cpu, 5_000, 352, 128);
    attention(&bench, &mut cpu, AttentionDims { heads: 8, kv_heads: 4, head_dim: 32 });
    attention(&bench, &mut cpu, AttentionDims { heads: 4, kv_heads: 2, head_dim: 64 });
    layers(&bench, &mut cpu);
    policy(&bench, &mut cpu);
    vectors(&bench, &mut cpu);
}
