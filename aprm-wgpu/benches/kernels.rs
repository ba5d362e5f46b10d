//! How fast the kernels are on a GPU: products in their three transposes, attention, and what memory bounds, in per
//! cent of the rate of a copy.
//!
//! `cargo bench -p aprm-wgpu [-- [LARGEST] [matrices]]`, where LARGEST is the side of the largest product, 8192 by
//! default; software adapters want 512, and at 0 the GPU is named and nothing measured. `matrices` asks for products by
//! cooperative matrices, `APRM_ADAPTER` names another adapter than the first.

use std::time::Instant;

use aprm_core::backend::{
    AttentionDims, Backend, LinearDims, NormDims, PolicyGradients, PolicyStatistics, Ragged, SwigluDims, VocabDims,
};
use aprm_core::optimizer::AdamMoments;
use aprm_wgpu::{Adapter, Buffer, Gpu, GpuError, Limits, Tier};

/// The least seconds that a kernel is run for.
const LEAST: f64 = 0.3;

fn main() -> Result<(), GpuError> {
    let largest = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(8192);
    let name = std::env::var("APRM_ADAPTER").ok();
    let mut limits = Limits::default();
    if std::env::args().any(|argument| argument == "matrices") {
        limits.tier = Tier::Matrices;
    }
    let mut gpu = Adapter::choose(name.as_deref())?.open(limits)?;
    println!("{}, tier {}", gpu.adapter(), gpu.tier());
    if let Some(refusal) = gpu.refusal() {
        println!("{refusal}");
    }
    if largest == 0 {
        return Ok(());
    }
    for side in [512, 1024, 2048, 4096, 8192].into_iter().filter(|&side| side <= largest) {
        products(&mut gpu, side)?;
    }
    attention(&mut gpu, if largest > 1024 { 8 } else { 1 })?;
    memory(&mut gpu, if largest > 1024 { 1 << 26 } else { 1 << 22 })
}

/// Seconds of a run, on average over as many as take long enough, all handed over before the wait.
fn seconds(gpu: &mut Gpu, mut kernel: impl FnMut(&mut Gpu) -> Result<(), GpuError>) -> Result<f64, GpuError> {
    let one = gpu.allocate(1)?;
    let mut runs = 1;
    loop {
        gpu.read(&one, 0, &mut [0.0])?;
        let begun = Instant::now();
        for _ in 0..runs {
            kernel(gpu)?;
        }
        gpu.read(&one, 0, &mut [0.0])?;
        let elapsed = begun.elapsed().as_secs_f64();
        if elapsed > LEAST {
            return Ok(elapsed / f64::from(runs));
        }
        runs *= 4;
    }
}

fn numbers(gpu: &mut Gpu, len: usize) -> Result<Buffer, GpuError> {
    let mut buffer = gpu.allocate(len)?;
    gpu.fill(len, 0.01, &mut buffer)?;
    Ok(buffer)
}

fn products(gpu: &mut Gpu, side: usize) -> Result<(), GpuError> {
    let dims = LinearDims { rows: side, inputs: side, outputs: side, accumulate: false };
    let [x, weight, mut out] = [(); 3].map(|()| numbers(gpu, side * side));
    let (x, weight, out) = (x?, weight?, out.as_mut().map_err(|error| error.clone())?);
    let times = [
        ("linear_forward", seconds(gpu, |gpu| gpu.linear_forward(dims, &x, &weight, None, out))?),
        ("linear_backward_input", seconds(gpu, |gpu| gpu.linear_backward_input(dims, &x, &weight, out))?),
        ("linear_backward_weight", seconds(gpu, |gpu| gpu.linear_backward_weight(dims, &x, &weight, out, None))?),
    ];
    for (name, time) in times {
        println!("{name:28} {side:5}³ {:10.3} ms {:9.1} GFLOP/s", 1e3 * time, 2.0 * (side as f64).powi(3) / time / 1e9);
    }
    Ok(())
}

/// Sequences of 512 tokens, 14 query heads of 64 channels over 2 key-value heads.
fn attention(gpu: &mut Gpu, sequences: usize) -> Result<(), GpuError> {
    const LENGTH: usize = 512;
    let dims = AttentionDims { heads: 14, kv_heads: 2, head_dim: 64 };
    let rows = sequences * LENGTH;
    let offsets: Vec<u32> = (0..=sequences).map(|i| (i * LENGTH) as u32).collect();
    let mut on_device = gpu.allocate_indices(offsets.len())?;
    gpu.write_indices(&offsets, &mut on_device)?;
    let ragged = || Ragged { offsets: &on_device, sequences, rows, longest: LENGTH };
    let width = dims.heads * dims.head_dim;
    let (qkv, mut out) = (numbers(gpu, rows * dims.qkv_width())?, numbers(gpu, rows * width)?);
    let (mut log_sum_exp, grad_out) = (numbers(gpu, rows * dims.heads)?, numbers(gpu, rows * width)?);
    let mut grad_qkv = numbers(gpu, rows * dims.qkv_width())?;
    // Of the pairs of rows that see each other; two products forward, five backward.
    let pairs = (sequences * LENGTH * (LENGTH + 1) / 2 * dims.heads * dims.head_dim) as f64;
    let forward = seconds(gpu, |gpu| gpu.attention_forward(dims, ragged(), &qkv, &mut out, &mut log_sum_exp))?;
    let backward =
        seconds(gpu, |gpu| gpu.attention_backward(dims, ragged(), &qkv, &out, &log_sum_exp, &grad_out, &mut grad_qkv))?;
    for (name, time, products) in [("attention_forward", forward, 2.0), ("attention_backward", backward, 5.0)] {
        let rate = 2.0 * products * pairs / time / 1e9;
        println!("{name:28} {sequences:2} x {LENGTH} {:8.3} ms {rate:9.1} GFLOP/s", 1e3 * time);
    }
    Ok(())
}

/// Kernels that do little with each number.
fn memory(gpu: &mut Gpu, len: usize) -> Result<(), GpuError> {
    const CHANNELS: usize = 1024;
    let (rows, channels) = (len / CHANNELS, CHANNELS);
    let (x, mut y) = (numbers(gpu, len)?, numbers(gpu, len)?);
    let (weight, mut rstd) = (numbers(gpu, channels)?, numbers(gpu, rows)?);
    let (mut total, grad_out, mut grad_weight) = (numbers(gpu, 1)?, numbers(gpu, len)?, numbers(gpu, channels)?);
    let copy = seconds(gpu, |gpu| gpu.copy(len, &x, &mut y))?;
    let rate = |numbers: usize, time: f64| 4.0 * numbers as f64 / time / 1e9;
    let of_copy = rate(2 * len, copy);
    println!("{:28} {len:9} {:10.3} ms {of_copy:9.1} GB/s", "copy", 1e3 * copy);
    let print = |name: &str, numbers: usize, time: f64| {
        let rate = rate(numbers, time);
        println!("{name:28} {len:9} {:10.3} ms {rate:9.1} GB/s {:5.0} %", 1e3 * time, 100.0 * rate / of_copy);
    };
    print("axpy", 3 * len, seconds(gpu, |gpu| gpu.axpy(len, 0.5, &x, &mut y))?);
    print("sum_of_squares", len, seconds(gpu, |gpu| gpu.sum_of_squares(len, &x, &mut total))?);
    let norm = NormDims { rows, stride: channels, offset: 0, groups: 1, channels, epsilon: 1e-6, accumulate: false };
    print("rms_norm_forward", 2 * len, seconds(gpu, |gpu| gpu.rms_norm_forward(norm, &x, &weight, &mut y, &mut rstd))?);
    let backward =
        seconds(gpu, |gpu| gpu.rms_norm_backward(norm, &x, &weight, &rstd, &grad_out, &mut y, &mut grad_weight))?;
    print("rms_norm_backward", 3 * len, backward);
    let swiglu = SwigluDims { rows: rows / 2, channels };
    print("swiglu_forward", len + len / 2, seconds(gpu, |gpu| gpu.swiglu_forward(swiglu, &x, &mut y))?);
    let backward = seconds(gpu, |gpu| gpu.swiglu_backward(swiglu, &x, &grad_out, &mut y))?;
    print("swiglu_backward", 2 * len + len / 2, backward);
    let [forward, backward] = policy(gpu, len)?;
    print("policy_forward", len, forward);
    print("policy_backward", 2 * len, backward);
    let [mut first, mut second, mut weights] = [numbers(gpu, len)?, numbers(gpu, len)?, numbers(gpu, len)?];
    let moments =
        AdamMoments { beta1: 0.9, beta2: 0.999, first_correction: 0.1, second_correction: 0.001, epsilon: 1e-8 };
    let adam = seconds(gpu, |gpu| gpu.adam_direction(len, moments, &x, &mut first, &mut second, &mut y))?;
    print("adam_direction", 6 * len, adam);
    // What an update takes, counted as if weights, gradient and moments were read once and all but the gradient written.
    let adamw = seconds(gpu, |gpu| {
        gpu.adam_direction(len, moments, &x, &mut first, &mut second, &mut y)?;
        gpu.axpy(len, -1e-4, &y, &mut weights)
    })?;
    print("adamw", 7 * len, adamw);
    Ok(())
}

/// Seconds of log-probabilities from so many logits, and of their gradient, over a vocabulary of 32,768.
fn policy(gpu: &mut Gpu, len: usize) -> Result<[f64; 2], GpuError> {
    const VOCAB: usize = 32768;
    let dims = VocabDims { rows: len / VOCAB, vocab: VOCAB };
    let mut logits = numbers(gpu, len)?;
    let targets = gpu.allocate_indices(dims.rows)?;
    let mut row = || numbers(gpu, dims.rows);
    let gradients = PolicyGradients { log_prob: row()?, entropy: row()?, kl: row()? };
    let mut statistics = PolicyStatistics {
        log_prob: row()?,
        entropy: row()?,
        kl: row()?,
        log_sum_exp: row()?,
        ref_log_sum_exp: row()?,
    };
    Ok([
        seconds(gpu, |gpu| gpu.policy_forward(dims, &logits, None, &targets, &mut statistics))?,
        seconds(gpu, |gpu| gpu.policy_backward(dims, None, &targets, &statistics, &gradients, &mut logits))?,
    ])
}
