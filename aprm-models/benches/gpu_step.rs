//! A training step (forward, backward, clipping, AdamW) on a GPU: its time, and what the device is given to do in it.
//!
//! `cargo bench -p aprm-models --bench gpu_step -- [a|b|qwen] [matrices] [steps=12] [length=512]`, all models but the last by
//! default: a and b are those of `train_step`, qwen has the shape of Qwen2-0.5B, with random weights. The last two have 8
//! sequences of `length` tokens; short ones, and few steps, are for GPUs in software, to which as much work is given
//! otherwise. `matrices` asks for products by cooperative matrices, `APRM_ADAPTER` names another adapter than the first.
//!
//! With `WGPU_NOOP_BACKEND=1 APRM_ADAPTER=noop` nothing is computed: what is left is the work that a device would be given,
//! and what it costs the host to check and record it, without a driver's share.

#[path = "support/gpu.rs"]
mod gpu;
#[path = "support/models.rs"]
mod models;

use std::time::{Duration, Instant};

use aprm_core::backend::Backend;
use aprm_core::optimizer::{Adam, Optimizer};
use aprm_models::transformer::{Activations, Batch, ParameterSpace, Parameters, PolicyHead, Scratch, Transformer};
use aprm_wgpu::GpuError;

/// Steps that are not counted, of as many in all or more.
const WARM_UP: usize = 3;

fn bench(name: &str, lengths: &[usize], steps: usize, wants_matrices: bool) -> Result<(), GpuError> {
    let config = models::config(name).expect("a model's name");
    let mut gpu = gpu::open(wants_matrices)?;
    let model = Transformer::new(&mut gpu, config)?;
    let mut zeros = || Parameters::zeros(&mut gpu, &model.layout);
    let (mut weights, mut gradients) = (zeros()?, zeros()?);
    let mut adam = Adam::new(zeros()?, zeros()?, zeros()?);
    for (i, (buffer, spec)) in weights.0.iter_mut().zip(&model.layout.tensors).enumerate() {
        let entry = |k: usize| ((k * 2_654_435_761 + i) % 1009) as f32 / 25_225.0 - 0.02;
        let entries: Vec<f32> = (0..spec.len()).map(|k| if spec.is_vector { 1.0 } else { entry(k) }).collect();
        gpu.write(&entries, buffer, 0)?;
    }
    let rows: usize = lengths.iter().sum();
    let tokens: Vec<u32> = (0..rows).map(|i| (i * 7919 % config.vocab_size) as u32).collect();
    let (mut sequences, mut selected, mut targets, mut start) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for &len in lengths {
        sequences.push(&tokens[start..start + len]);
        selected.extend(start as u32..(start + len - 1) as u32);
        targets.extend_from_slice(&tokens[start + 1..start + len]);
        start += len;
    }
    let mut batch = Batch::new(&mut gpu, rows, lengths.len())?;
    let mut activations = Activations::new(&mut gpu, &config, rows)?;
    let mut scratch = Scratch::new(&mut gpu, &config, rows)?;
    let mut head = PolicyHead::new(&mut gpu, &model, selected.len())?;
    gpu.fill(selected.len(), -1.0 / selected.len() as f32, &mut head.gradients.log_prob)?;
    let mut squared_norm = gpu.allocate(1)?;
    let (mut times, mut recording, mut before) = (Vec::new(), Duration::ZERO, gpu.work());
    let warm_up = WARM_UP.min(steps - 1);
    for step in 0..steps {
        if step == warm_up {
            (recording, before) = (Duration::ZERO, gpu.work());
        }
        let begun = Instant::now();
        batch.set(&mut gpu, &sequences)?;
        gradients.clear(&mut gpu, &model.layout)?;
        scratch.clear_hidden(&mut gpu, &model)?;
        model.forward(&mut gpu, &weights, &batch, &mut activations)?;
        head.forward(&mut gpu, &model, &weights, &activations, &selected, &targets, None)?;
        head.backward(&mut gpu, &model, &weights, None, &mut scratch, &mut gradients)?;
        model.backward(&mut gpu, &weights, &batch, &mut activations, &mut scratch, &mut gradients)?;
        gpu.fill(1, 0.0, &mut squared_norm)?;
        for (gradient, spec) in gradients.0.iter().zip(&model.layout.tensors) {
            gpu.sum_of_squares(spec.len(), gradient, &mut squared_norm)?;
        }
        for (gradient, spec) in gradients.0.iter_mut().zip(&model.layout.tensors) {
            gpu.clip(spec.len(), 1.0, &squared_norm, gradient)?;
        }
        let mut space = ParameterSpace { backend: &mut gpu, layout: &model.layout };
        adam.step(&mut space, 1e-4, &gradients, &mut weights)?;
        gpu.submit()?;
        recording += begun.elapsed();
        gpu.read(&squared_norm, 0, &mut [0.0])?;
        times.push(begun.elapsed().as_secs_f64());
    }
    let mut times = times.split_off(warm_up);
    times.sort_by(f64::total_cmp);
    let (after, steps) = (gpu.work(), times.len() as u64);
    // An embedding multiplies nothing, unless it is the LM head.
    let multiplies = |i| i != model.layout.embedding || config.tie_word_embeddings;
    let tensors = model.layout.tensors.iter().enumerate();
    let parameters: usize = tensors.filter(|&(i, _)| multiplies(i)).map(|(_, spec)| spec.len()).sum();
    let median = times[times.len() / 2];
    let (time, rate) = if gpu.adapter().ends_with("(noop)") {
        ("".to_owned(), "".to_owned())
    } else {
        (format!("{:.1}", 1e3 * median), format!("{:.0}", (6 * parameters * rows) as f64 / median / 1e9))
    };
    println!(
        "| {name} | {rows} | {parameters} | {time} | {rate} | {} | {} | {:.2} | {} | {} |",
        (after.dispatches - before.dispatches) / steps,
        (after.submissions - before.submissions) / steps,
        recording.as_secs_f64() * 1e3 / steps as f64,
        (after.bytes_written - before.bytes_written) / steps,
        after.peak_bytes >> 20,
    );
    Ok(())
}

fn main() -> Result<(), GpuError> {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let number = |name: &str| asked.iter().find_map(|asked| asked.strip_prefix(name)?.parse::<usize>().ok());
    let (steps, length) = (number("steps=").unwrap_or(12).max(1), number("length=").unwrap_or(512).max(2));
    println!(
        "| model | tokens | parameters | ms | GFLOP/s | dispatches | submissions | recording, ms | bytes up | MiB |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let ragged: Vec<usize> = (0..64).map(|i| 40 + 37 * i % 81).collect();
    let says = |word: &str| asked.iter().any(|asked| asked == word);
    let models = [("a", &ragged[..]), ("b", &[length; 8]), ("qwen", &[length; 8])];
    let is_named = models.iter().any(|(name, _)| says(name));
    for (name, lengths) in models {
        if says(name) || !is_named && name != "qwen" {
            bench(name, lengths, steps, says("matrices"))?;
        }
    }
    Ok(())
}
