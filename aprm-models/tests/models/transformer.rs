//! Logits, every gradient by name, and a loss trajectory, held to transformers' and PyTorch's.

use aprm_conformance::naive::Naive;
use aprm_core::backend::Backend;
use aprm_core::optimizer::{Adam, Optimizer};
use aprm_core::policy::Sampler;
use aprm_core::scalar::Scalar;
use aprm_models::checkpoint::Checkpoint;
use aprm_models::generate::{Generation, Generator};
use aprm_models::safetensors::Options;
use aprm_models::transformer::{Activations, Batch, ParameterSpace, Parameters, PolicyHead, Scratch, Transformer};
use aprm_ndarray::Cpu;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use safetensors::SafeTensors;

use crate::{FAMILIES, golden};

pub(crate) fn file(family: &str, name: &str) -> Vec<u8> {
    std::fs::read(golden(family).join(name)).unwrap()
}

pub(crate) fn floats(tensors: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    let bytes = tensors.tensor(name).unwrap_or_else(|_| panic!("{name}")).data();
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

pub(crate) fn integers(tensors: &SafeTensors<'_>, name: &str) -> Vec<u32> {
    floats(tensors, name).into_iter().map(f32::to_bits).collect()
}

/// A model with all that a training step needs, on one sequence.
struct Bench<B: Backend> {
    backend: B,
    model: Transformer<B>,
    weights: Parameters<B::Buffer>,
    gradients: Parameters<B::Buffer>,
    batch: Batch<B>,
    activations: Activations<B::Buffer>,
    scratch: Scratch<B::Buffer>,
    logits: B::Buffer,
    ids: Vec<u32>,
}

impl<T: Scalar, B: Backend<Scalar = T>> Bench<B>
where
    B::Error: core::fmt::Debug,
{
    fn new(mut backend: B, family: &str) -> Self {
        let checkpoint = Checkpoint::load(&golden(family), Options::default()).unwrap();
        let weights = checkpoint.upload(&mut backend).unwrap();
        let config = checkpoint.config;
        let model = Transformer::new(&mut backend, config).unwrap();
        let bytes = file(family, "golden.safetensors");
        let ids = integers(&SafeTensors::deserialize(&bytes).unwrap(), "ids");
        let mut batch = Batch::new(&mut backend, ids.len(), 1).unwrap();
        batch.set(&mut backend, &[&ids]).unwrap();
        Self {
            gradients: Parameters::zeros(&mut backend, &model.layout).unwrap(),
            activations: Activations::new(&mut backend, &config, ids.len()).unwrap(),
            scratch: Scratch::new(&mut backend, &config, ids.len()).unwrap(),
            logits: backend.allocate(ids.len() * config.vocab_size).unwrap(),
            backend,
            model,
            weights,
            batch,
            ids,
        }
    }

    fn forward(&mut self) -> Vec<f64> {
        let Self { backend, model, weights, batch, activations, logits, .. } = self;
        model.forward(backend, weights, batch, activations).unwrap();
        model.lm_head_forward(backend, weights, batch.rows(), &activations.hidden, logits).unwrap();
        let mut host = vec![T::zero(); batch.rows() * model.config.vocab_size];
        backend.read(logits, 0, &mut host).unwrap();
        host.into_iter().map(Scalar::widen).collect()
    }

    /// Mean cross-entropy of the next tokens; its gradients are in `self.gradients`.
    fn loss_and_gradients(&mut self) -> f64 {
        let Self { backend, model, weights, gradients, batch, activations, scratch, ids, .. } = self;
        let rows = ids.len() - 1;
        let selected: Vec<u32> = (0..rows as u32).collect();
        let mut head = PolicyHead::new(backend, model, rows).unwrap();
        model.forward(backend, weights, batch, activations).unwrap();
        head.forward(backend, model, weights, activations, &selected, &ids[1..], None).unwrap();
        backend.fill(rows, T::of(-1.0 / rows as f64), &mut head.gradients.log_prob).unwrap();
        gradients.clear(backend, &model.layout).unwrap();
        scratch.clear_hidden(backend, model).unwrap();
        head.backward(backend, model, weights, None, scratch, gradients).unwrap();
        model.backward(backend, weights, batch, activations, scratch, gradients).unwrap();
        let mut log_probs = vec![T::zero(); rows];
        backend.read(&head.statistics.log_prob, 0, &mut log_probs).unwrap();
        -log_probs.into_iter().map(Scalar::widen).sum::<f64>() / rows as f64
    }
}

/// The largest |a − b| is at most `tolerance` times the largest |b|.
pub(crate) fn assert_close(what: &str, actual: &[f64], expected: &[f32], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0, |largest, &e| f64::max(largest, f64::from(e).abs()));
    for (i, (&a, &e)) in actual.iter().zip(expected).enumerate() {
        let is_close = (a - f64::from(e)).abs() <= tolerance * largest;
        assert!(is_close, "{what}[{i}]: {a} is not {e} (of up to {largest})");
    }
}

fn logits_equal_transformers<B: Backend>(backend: impl Fn() -> B)
where
    B::Error: core::fmt::Debug,
{
    for family in FAMILIES {
        let bytes = file(family, "golden.safetensors");
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        assert_close(family, &Bench::new(backend(), family).forward(), &floats(&golden, "logits"), 2e-5);
    }
}

fn gradients_equal_pytorch<B: Backend>(backend: impl Fn() -> B)
where
    B::Error: core::fmt::Debug,
{
    for family in FAMILIES {
        let bytes = file(family, "golden.safetensors");
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        let mut bench = Bench::new(backend(), family);
        let loss = bench.loss_and_gradients();
        assert_close(family, &[loss], &floats(&golden, "loss"), 1e-5);
        for (buffer, spec) in bench.gradients.0.iter().zip(&bench.model.layout.tensors) {
            let mut start = 0;
            for part in &spec.parts {
                let mut host = vec![B::Scalar::of(0.0); part.rows * spec.columns];
                bench.backend.read(buffer, start, &mut host).unwrap();
                start += host.len();
                let gradient: Vec<f64> = host.into_iter().map(Scalar::widen).collect();
                let expected = floats(&golden, &format!("gradient.{}", part.name));
                assert_close(&format!("{family} {}", part.name), &gradient, &expected, 1e-4);
            }
        }
    }
}

fn ten_adamw_steps_equal_pytorch<B: Backend>(backend: impl Fn() -> B)
where
    B::Error: core::fmt::Debug,
{
    for family in FAMILIES {
        let bytes = file(family, "golden.safetensors");
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        let mut bench = Bench::new(backend(), family);
        let mut zeros = || Parameters::zeros(&mut bench.backend, &bench.model.layout).unwrap();
        let mut adam = Adam::new(zeros(), zeros(), zeros());
        adam.weight_decay = B::Scalar::of(0.1);
        let mut losses = Vec::new();
        for _ in 0..10 {
            losses.push(bench.loss_and_gradients());
            let mut space = ParameterSpace { backend: &mut bench.backend, layout: &bench.model.layout };
            adam.step(&mut space, B::Scalar::of(1e-2), &bench.gradients, &mut bench.weights).unwrap();
        }
        assert_close(family, &losses, &floats(&golden, "losses"), 1e-4);
    }
}

/// Prompts of 1, 3 and 7 tokens in one batch, greedily continued.
fn greedy_continuations_equal_transformers<B: Backend>(backend: impl Fn() -> B)
where
    B::Error: core::fmt::Debug,
{
    for family in FAMILIES {
        let bytes = file(family, "golden.safetensors");
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        let Bench { mut backend, model, weights, .. } = Bench::new(backend(), family);
        let expected = [1, 3, 7].map(|n| integers(&golden, &format!("greedy.{n}")));
        let prompts: Vec<&[u32]> = expected.iter().map(|ids| &ids[..ids.len() - 16]).collect();
        let mut generator = Generator::new(&mut backend, &model, 3, 23, 11).unwrap();
        let sampler = Sampler { temperature: B::Scalar::of(0.0), ..Sampler::default() };
        let greedy = Generation { max_new_tokens: 16, sampler, stop: &[] };
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let continued = generator.generate(&mut backend, &model, &weights, &prompts, greedy, &mut rng).unwrap();
        for (continuation, expected) in continued.iter().zip(&expected) {
            assert_eq!(continuation.tokens, expected[expected.len() - 16..], "{family}");
        }
        // A stop token ends its own sequence and leaves the others as they are.
        let stop = continued[1].tokens[4];
        let stopping = Generation { stop: &[stop], ..greedy };
        let stopped = generator.generate(&mut backend, &model, &weights, &prompts, stopping, &mut rng).unwrap();
        for (stopped, whole) in stopped.iter().zip(&continued) {
            let len = whole.tokens.iter().position(|&token| token == stop).map_or(16, |i| i + 1);
            assert_eq!((&stopped.tokens[..], &stopped.log_probs[..]), (&whole.tokens[..len], &whole.log_probs[..len]));
        }
    }
}

#[test]
fn what_is_uploaded_is_downloaded() {
    for family in FAMILIES {
        let checkpoint = Checkpoint::load(&golden(family), Options::default()).unwrap();
        let mut cpu = Cpu::<f32>::new();
        let weights = checkpoint.upload(&mut cpu).unwrap();
        let downloaded = Checkpoint::download(&mut cpu, checkpoint.config, &weights).unwrap();
        assert_eq!(downloaded.weights, checkpoint.weights);
    }
}

/// Every law on a backend, one test for each.
macro_rules! on_backend {
    ($name:ident, $new:expr) => {
        on_backend!($name, $new, unless false);
    };
    ($name:ident, $new:expr, unless $off:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn logits() {
                if !$off {
                    logits_equal_transformers($new);
                }
            }

            #[test]
            fn gradients() {
                if !$off {
                    gradients_equal_pytorch($new);
                }
            }

            #[test]
            fn ten_adamw_steps() {
                if !$off {
                    ten_adamw_steps_equal_pytorch($new);
                }
            }

            #[test]
            fn greedy_continuations() {
                if !$off {
                    greedy_continuations_equal_transformers($new);
                }
            }
        }
    };
}

on_backend!(naive_f64, Naive::<f64>::new);
on_backend!(cpu_f64, Cpu::<f64>::new);
on_backend!(cpu_f32, Cpu::<f32>::new);
on_backend!(gpu, crate::gpu, unless crate::gpu_is_off());
