//! A training step takes no memory once the buffers are there, and a hostile file little before it is refused.
//!
//! A binary of its own, since the allocator that counts is the whole binary's.

use std::alloc::System;
use std::convert::Infallible;
use std::io::Cursor;
use std::sync::{Mutex, PoisonError};

use aprm_core::backend::Backend;
use aprm_core::optimizer::{Adam, Ogda, OptimisticAdam, Optimizer};
use aprm_models::config::ModelConfig;
use aprm_models::safetensors::{Options, SafeTensors};
use aprm_models::transformer::{Activations, Batch, ParameterSpace, Parameters, PolicyHead, Scratch, Transformer};
use aprm_ndarray::Cpu;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One test at a time: what another takes would be counted too.
static COUNTED: Mutex<()> = Mutex::new(());

type Vector = Parameters<Vec<f32>>;

/// A small model that has all that a model can have: norms of queries and keys, grouped queries, untied heads.
struct Training {
    cpu: Cpu<f32>,
    model: Transformer<Cpu<f32>>,
    weights: Vector,
    gradients: Vector,
    squared_norm: Vec<f32>,
    adam: Adam<Vector, f32>,
    ogda: Ogda<Vector, f32>,
    optimistic_adam: OptimisticAdam<Vector, f32>,
    batch: Batch<Cpu<f32>>,
    activations: Activations<Vec<f32>>,
    scratch: Scratch<Vec<f32>>,
    head: PolicyHead<Cpu<f32>>,
}

const LENGTHS: [usize; 5] = [70, 1, 33, 200, 96];
const ROWS: usize = 400;

impl Training {
    fn new() -> Result<Self, Infallible> {
        let config = ModelConfig::parse(
            br#"{"model_type": "qwen3", "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 96, "head_dim": 16,
                "intermediate_size": 176, "num_attention_heads": 4, "num_key_value_heads": 2,
                "max_position_embeddings": 256, "rms_norm_eps": 1e-6, "tie_word_embeddings": false}"#,
        );
        let mut cpu = Cpu::new();
        let model = Transformer::new(&mut cpu, config.expect("a valid config"))?;
        let mut zeros = || Parameters::zeros(&mut cpu, &model.layout);
        let (mut weights, gradients) = (zeros()?, zeros()?);
        let mut adam = Adam::new(zeros()?, zeros()?, zeros()?);
        adam.weight_decay = 0.01;
        let ogda = Ogda::new(zeros()?);
        let optimistic_adam = OptimisticAdam::new(zeros()?, zeros()?, zeros()?, zeros()?);
        for (i, weight) in weights.0.iter_mut().flatten().enumerate() {
            *weight = (i * 37 % 101) as f32 / 1010.0;
        }
        let head = PolicyHead::new(&mut cpu, &model, ROWS)?;
        let batch = Batch::new(&mut cpu, ROWS, LENGTHS.len())?;
        let activations = Activations::new(&mut cpu, &model.config, ROWS)?;
        let scratch = Scratch::new(&mut cpu, &model.config, ROWS)?;
        let squared_norm = cpu.allocate(1)?;
        Ok(Self {
            cpu,
            model,
            weights,
            gradients,
            squared_norm,
            adam,
            ogda,
            optimistic_adam,
            batch,
            activations,
            scratch,
            head,
        })
    }

    /// Everything of a step, and each optimizer's turn.
    fn step(&mut self, sequences: &[&[u32]], selected: &[u32], targets: &[u32]) -> Result<(), Infallible> {
        let Self { cpu, model, weights, gradients, squared_norm, batch, activations, scratch, head, .. } = self;
        batch.set(cpu, sequences)?;
        gradients.clear(cpu, &model.layout)?;
        scratch.clear_hidden(cpu, model)?;
        model.forward(cpu, weights, batch, activations)?;
        head.forward(cpu, model, weights, activations, selected, targets, None)?;
        cpu.fill(selected.len(), -0.01, &mut head.gradients.log_prob)?;
        head.backward(cpu, model, weights, None, scratch, gradients)?;
        model.backward(cpu, weights, batch, activations, scratch, gradients)?;
        cpu.fill(1, 0.0, squared_norm)?;
        for (gradient, spec) in gradients.0.iter().zip(&model.layout.tensors) {
            cpu.sum_of_squares(spec.len(), gradient, squared_norm)?;
        }
        for (gradient, spec) in gradients.0.iter_mut().zip(&model.layout.tensors) {
            cpu.clip(spec.len(), 1.0, squared_norm, gradient)?;
        }
        let mut space = ParameterSpace { backend: cpu, layout: &model.layout };
        self.adam.step(&mut space, 1e-4, gradients, weights)?;
        self.ogda.step(&mut space, 1e-4, gradients, weights)?;
        self.optimistic_adam.step(&mut space, 1e-4, gradients, weights)
    }
}

/// How often memory was taken, grown or given back.
fn allocations(work: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    work();
    let change = region.change();
    change.allocations + change.reallocations + change.deallocations
}

#[test]
fn a_training_step_allocates_nothing() {
    let _alone = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    let tokens: Vec<u32> = (0..ROWS as u32).map(|i| i * 7 % 96).collect();
    let mut rest = &tokens[..];
    let sequences = LENGTHS.map(|len| {
        let (sequence, more) = rest.split_at(len);
        rest = more;
        sequence
    });
    let selected: Vec<u32> = (0..ROWS as u32 - 1).collect();
    let targets = &tokens[1..];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("threads can be started");
    pool.install(|| {
        let Ok(mut training) = Training::new();
        let mut step = || {
            let Ok(()) = training.step(&sequences, &selected, targets);
        };
        (0..20).for_each(|_| step());
        let taken = allocations(|| (0..10).for_each(|_| step()));
        assert_eq!(taken, 0, "in ten steps");
        assert!(training.weights.0.iter().flatten().all(|weight| weight.is_finite()));
        // The counter counts.
        assert!(allocations(|| drop(std::hint::black_box(vec![0u8; 1000]))) >= 2);
    });
}

/// A reader that believes what a header says takes a gigabyte of it.
#[test]
fn a_hostile_header_takes_little_more_memory_than_it_has_bytes() {
    let _alone = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    let tensors: Vec<_> =
        (0..1_000_000).map(|i| format!(r#""{i}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#)).collect();
    for (what, header) in [
        ("a million tensors", format!("{{{}}}", tensors.join(","))),
        ("spaces", " ".repeat(100_000_000)),
        ("nesting", format!(r#"{{"w":{}"#, "[".repeat(10_000))),
        ("rank", format!(r#"{{"w":{{"dtype":"U8","shape":[{}0],"data_offsets":[0,0]}}}}"#, "0,".repeat(20_000_000))),
    ] {
        let file = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        let options = Options { header_limit: 100_000_000, ..Options::default() };
        let region = Region::new(ALLOCATOR);
        SafeTensors::new(Cursor::new(&file), options).map(|_| ()).expect_err(what);
        let taken = region.change().bytes_allocated;
        assert!(taken <= header.len() + (32 << 20), "{what}: {taken} bytes for a header of {}", header.len());
    }
}
