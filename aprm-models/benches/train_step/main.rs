//! A training step (forward, backward, AdamW) of the small Llama models of train_step.py, on ragged batches, and where
//! its time goes.
//!
//! `cargo bench -p aprm-models --bench train_step -- [a|b|c]`, on as many threads as `RAYON_NUM_THREADS` says; one model
//! at a time, if its peak of memory is asked for.

#[path = "../support/models.rs"]
mod models;
#[path = "../support/peak.rs"]
mod peak;
#[path = "../support/peak_memory.rs"]
mod peak_memory;
#[path = "../support/timed.rs"]
mod timed;

use std::time::Instant;

use aprm_core::backend::Backend;
use aprm_core::optimizer::{Adam, Optimizer};
use aprm_models::transformer::{Activations, Batch, ParameterSpace, Parameters, PolicyHead, Scratch, Transformer};
use aprm_ndarray::Cpu;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use self::peak_memory::peak_memory;
use self::timed::{Timed, print_table};

fn bench(name: &str, lengths: &[usize]) -> Result<(), core::convert::Infallible> {
    let config = models::config(name).expect("a model's name");
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut cpu = Timed::new(Cpu::<f32>::new());
    let model = Transformer::new(&mut cpu, config)?;
    let mut zeros = || Parameters::zeros(&mut cpu, &model.layout);
    let (mut weights, mut gradients) = (zeros()?, zeros()?);
    let mut adam = Adam::new(zeros()?, zeros()?, zeros()?);
    adam.weight_decay = 0.01;
    for (buffer, spec) in weights.0.iter_mut().zip(&model.layout.tensors) {
        let scale = if spec.is_vector { 1.0 } else { 0.02 };
        let entries: Vec<f32> =
            (0..spec.len()).map(|_| if spec.is_vector { scale } else { rng.random_range(-scale..scale) }).collect();
        cpu.write(&entries, buffer, 0)?;
    }
    let rows: usize = lengths.iter().sum();
    let sequences: Vec<Vec<u32>> =
        lengths.iter().map(|&len| (0..len).map(|_| rng.random_range(0..config.vocab_size as u32)).collect()).collect();
    let sequences: Vec<&[u32]> = sequences.iter().map(|sequence| &sequence[..]).collect();
    let mut batch = Batch::new(&mut cpu, rows, lengths.len())?;
    let mut activations = Activations::new(&mut cpu, &config, rows)?;
    let mut scratch = Scratch::new(&mut cpu, &config, rows)?;
    // Every token but the last of its sequence is trained to give the next.
    let mut head = PolicyHead::new(&mut cpu, &model, rows - lengths.len())?;
    let (mut selected, mut targets, mut start) = (Vec::new(), Vec::new(), 0);
    for sequence in &sequences {
        selected.extend(start..start + sequence.len() as u32 - 1);
        targets.extend_from_slice(&sequence[1..]);
        start += sequence.len() as u32;
    }
    cpu.fill(selected.len(), -1.0 / selected.len() as f32, &mut head.gradients.log_prob)?;

    let mut times = Vec::new();
    let mut kernels = Vec::new();
    for _ in 0..15 {
        cpu.take();
        let begin = Instant::now();
        batch.set(&mut cpu, &sequences)?;
        gradients.clear(&mut cpu, &model.layout)?;
        scratch.clear_hidden(&mut cpu, &model)?;
        model.forward(&mut cpu, &weights, &batch, &mut activations)?;
        head.forward(&mut cpu, &model, &weights, &activations, &selected, &targets, None)?;
        head.backward(&mut cpu, &model, &weights, None, &mut scratch, &mut gradients)?;
        model.backward(&mut cpu, &weights, &batch, &mut activations, &mut scratch, &mut gradients)?;
        let mut space = ParameterSpace { backend: &mut cpu, layout: &model.layout };
        adam.step(&mut space, 1e-4, &gradients, &mut weights)?;
        times.push(begin.elapsed().as_secs_f64());
        kernels.push(cpu.take());
    }
    // What comes first is warm-up.
    let (mut times, kernels) = (times.split_off(3), kernels.split_off(3));
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    let tensors = model.layout.tensors.iter().enumerate();
    let parameters: usize = tensors.filter(|&(i, _)| i != model.layout.embedding).map(|(_, spec)| spec.len()).sum();
    println!(
        "{name} aprm: {:.0} ms, {:.0} GFLOP/s, {rows} tokens, {parameters} parameters, best {:.0} ms, {} MiB at most",
        1e3 * median,
        (6 * parameters * rows) as f64 / median / 1e9,
        1e3 * times[0],
        peak_memory().map_or("?".into(), |bytes| (bytes >> 20).to_string()),
    );
    print_table(&kernels);
    Ok(())
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let ragged: Vec<usize> = (0..64).map(|i| 40 + 37 * i % 81).collect();
    for (name, lengths) in [("a", &ragged[..]), ("b", &[512; 8]), ("c", &[512; 4])] {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            // From within the pool: a kernel that is called from elsewhere is handed over to it, and waited for.
            let Ok(()) = rayon::scope(|_| bench(name, lengths));
        }
    }
}
