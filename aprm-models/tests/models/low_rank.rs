//! Learning by low-rank maps beside frozen weights: gradients by those of the dense model, and weights that stay.

use core::fmt::Debug;

use aprm_core::backend::Backend;
use aprm_core::optimizer::Schedule;
use aprm_core::policy::Sampler;
use aprm_core::scalar::Scalar;
use aprm_models::checkpoint::Checkpoint;
use aprm_models::generate::{Generation, Generator};
use aprm_models::layout::Layout;
use aprm_models::learner::{AdamCoefficients, Learner, LearnerConfig, RuleConfig};
use aprm_models::safetensors::{Options, Precision};
use aprm_models::training_state::LearnerState;
use aprm_models::transformer::{Activations, Batch, LowRank, Parameters, ScoreHead, Scratch, Transformer};
use aprm_ndarray::Cpu;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::tiny::{Tiny, backward, bits, sequences};
use crate::{golden, gpu, gpu_is_off};

const LOW_RANK: LowRank = LowRank { rank: 3, alpha: 5.0 };
const SCALE: f64 = 5.0 / 3.0;
/// With biases, with norms of queries and keys, and with neither.
const NAMES: [&str; 3] = ["qwen2", "qwen3", "llama"];

fn load(name: &str) -> Checkpoint {
    Checkpoint::load(&golden(name), Options::default()).unwrap()
}

/// A model beside its golden weights, and what learns.
struct Beside<B: Backend> {
    backend: B,
    checkpoint: Checkpoint,
    model: Transformer<B>,
    adapters: Parameters<B::Buffer>,
}

impl<B: Backend<Error: Debug>> Beside<B> {
    fn new(mut backend: B, name: &str, is_packed: bool) -> Self {
        let checkpoint = load(name);
        let base = match is_packed {
            true => checkpoint.upload_bf16(&mut backend).unwrap().0,
            false => checkpoint.upload(&mut backend).unwrap(),
        };
        let model = Transformer::beside(&mut backend, checkpoint.config, base, LOW_RANK).unwrap();
        let adapters = model.initial_adapters(&mut backend, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        Self { backend, checkpoint, model, adapters }
    }

    /// Far from where learning begins.
    fn moved(mut self) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for (spec, buffer) in self.model.layout.tensors.iter().zip(&mut self.adapters.0) {
            if spec.parts.iter().any(|part| part.name.contains("lora_B")) {
                let entries: Vec<_> = (0..spec.len()).map(|_| B::Scalar::of(rng.random_range(-0.3..0.3))).collect();
                self.backend.write(&entries, buffer, 0).unwrap();
            }
        }
        self
    }

    /// The tensors of the model, without what learns beside them.
    fn whole(&self) -> Layout {
        Layout::new(&self.checkpoint.config)
    }

    /// Indices of the tensors that maps stand beside, of A and of B.
    fn maps(&self) -> Vec<[usize; 3]> {
        let whole = self.whole();
        let beside = whole.layers.iter().flat_map(|layer| [layer.qkv, layer.attention_out, layer.gate_up, layer.down]);
        let first = whole.tensors.len();
        beside.enumerate().map(|(map, tensor)| [tensor, first + 2 * map, first + 2 * map + 1]).collect()
    }

    /// `W + s B A` in the digits of the backend.
    fn dense_weights(&mut self) -> Parameters<B::Buffer> {
        let (whole, maps) = (self.whole(), self.maps());
        let base = host(&mut self.backend, &whole, self.model.base().unwrap());
        let adapters = host(&mut self.backend, &self.model.layout, &self.adapters);
        let tensors = base.into_iter().enumerate().map(|(tensor, mut weights)| {
            let columns = whole.tensors[tensor].columns;
            if let Some(&[_, a, b]) = maps.iter().find(|map| map[0] == tensor) {
                for (i, weight) in weights.iter_mut().enumerate() {
                    let terms =
                        (0..3).map(|r| adapters[b][i / columns * 3 + r] * adapters[a][r * columns + i % columns]);
                    *weight += SCALE * terms.sum::<f64>();
                }
            }
            let entries: Vec<_> = weights.into_iter().map(B::Scalar::of).collect();
            let mut buffer = self.backend.allocate(entries.len()).unwrap();
            self.backend.write(&entries, &mut buffer, 0).unwrap();
            buffer
        });
        Parameters(tensors.collect())
    }
}

fn host<B: Backend<Error: Debug>>(
    backend: &mut B,
    layout: &Layout,
    parameters: &Parameters<B::Buffer>,
) -> Vec<Vec<f64>> {
    let tensors = bits(backend, layout, parameters);
    tensors.into_iter().map(|tensor| tensor.into_iter().map(f64::from_bits).collect()).collect()
}

/// The last layer's outputs on a ragged batch, and the gradients of a sum of them.
fn pass<B: Backend<Error: Debug>>(
    backend: &mut B,
    model: &Transformer<B>,
    weights: &Parameters<B::Buffer>,
    is_recomputed: bool,
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let config = model.config;
    let mut batch = Batch::new(backend, 12, 3).unwrap();
    batch.set(backend, &[&[1, 2, 3, 4, 5], &[6], &[7, 8, 9, 10, 11, 12]]).unwrap();
    let new = if is_recomputed { Activations::recomputed } else { Activations::new };
    let mut activations = new(backend, &config, 12).unwrap();
    let mut scratch = Scratch::new(backend, &config, 12).unwrap();
    let mut gradients = Parameters::zeros(backend, &model.layout).unwrap();
    model.forward(backend, weights, &batch, &mut activations).unwrap();
    let mut hidden = vec![B::Scalar::of(0.0); 12 * config.hidden_size];
    backend.read(&activations.hidden, 0, &mut hidden).unwrap();
    let grad_hidden: Vec<_> = (0..hidden.len()).map(|i| B::Scalar::of((i as f64).sin())).collect();
    backend.write(&grad_hidden, &mut scratch.grad_hidden, 0).unwrap();
    model.backward(backend, weights, &batch, &mut activations, &mut scratch, &mut gradients).unwrap();
    (hidden.into_iter().map(Scalar::widen).collect(), host(backend, &model.layout, &gradients))
}

/// The largest |a − e| is at most so much of the largest |e|.
fn assert_near(what: &str, actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0, |largest: f64, e| largest.max(e.abs()));
    let error = actual.iter().zip(expected).fold(0.0, |most: f64, (a, e)| most.max((a - e).abs()));
    assert!(error <= tolerance * largest, "{what}: off by {error:e} of {largest:e}");
    assert!(largest > 0.0, "{what}: nothing but zeros");
}

fn where_learning_begins_nothing_is_changed<B: Backend<Error: Debug>>(backend: impl Fn() -> B) {
    for name in NAMES {
        for is_packed in [false, true] {
            let Beside { mut backend, checkpoint, model, adapters } = Beside::new(backend(), name, is_packed);
            let dense = Transformer::new(&mut backend, checkpoint.config).unwrap();
            let weights = match is_packed {
                true => crate::bf16::rounded(&checkpoint).upload(&mut backend).unwrap(),
                false => checkpoint.upload(&mut backend).unwrap(),
            };
            let expected = pass(&mut backend, &dense, &weights, false).0;
            assert!(pass(&mut backend, &model, &adapters, false).0 == expected, "{name}, packed: {is_packed}");
        }
    }
}

/// ```text
/// dA = s Bᵀ dW',   dB = s dW' Aᵀ,   W' = W + s B A
/// ```
fn gradients_are_projections_of_the_dense_ones<B: Backend<Error: Debug>>(backend: impl Fn() -> B, tolerance: f64) {
    for (name, is_packed) in NAMES.into_iter().flat_map(|name| [(name, false), (name, true)]) {
        let mut beside = Beside::new(backend(), name, is_packed).moved();
        let dense_weights = beside.dense_weights();
        let (maps, whole) = (beside.maps(), beside.whole());
        let Beside { mut backend, model, adapters, .. } = beside;
        let dense_model = Transformer::new(&mut backend, model.config).unwrap();
        let (dense_hidden, dense) = pass(&mut backend, &dense_model, &dense_weights, false);
        let (hidden, gradients) = pass(&mut backend, &model, &adapters, false);
        assert_near(name, &hidden, &dense_hidden, tolerance);
        let adapters_on_host = host(&mut backend, &model.layout, &adapters);
        for [tensor, a, b] in maps {
            let what = format!("{name} {}", whole.tensors[tensor].parts[0].name);
            let (rows, columns) = (whole.tensors[tensor].rows(), whole.tensors[tensor].columns);
            let of_w = |row: usize, column: usize| dense[tensor][row * columns + column];
            let of_a = (0..3 * columns).map(|i| {
                let terms = (0..rows).map(|row| adapters_on_host[b][row * 3 + i / columns] * of_w(row, i % columns));
                SCALE * terms.sum::<f64>()
            });
            let of_b = (0..rows * 3).map(|i| {
                let terms = (0..columns).map(|c| of_w(i / 3, c) * adapters_on_host[a][i % 3 * columns + c]);
                SCALE * terms.sum::<f64>()
            });
            assert_near(&format!("{what}, A"), &gradients[a], &of_a.collect::<Vec<_>>(), tolerance);
            assert_near(&format!("{what}, B"), &gradients[b], &of_b.collect::<Vec<_>>(), tolerance);
        }
        // What is frozen has no gradients at all.
        assert!(gradients[..whole.tensors.len()].iter().all(Vec::is_empty), "{name}");
        assert!(pass(&mut backend, &model, &adapters, true).1 == gradients, "{name}: recomputed");
    }
}

/// Its passes give what the model's beside the base give, and so do its greedy continuations.
fn a_merged_model_is_the_same<B: Backend<Error: Debug>>(backend: impl Fn() -> B, tolerance: f64) {
    for (name, is_packed) in NAMES.into_iter().flat_map(|name| [(name, false), (name, true)]) {
        let Beside { mut backend, model, adapters, .. } = Beside::new(backend(), name, is_packed).moved();
        let merged = Checkpoint::merged(&mut backend, &model, &adapters).unwrap();
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("merged");
        merged.save(&folder, Precision::F32).unwrap();
        let loaded = Checkpoint::load(&folder, Options::default()).unwrap();
        let weights = loaded.upload(&mut backend).unwrap();
        let dense = Transformer::new(&mut backend, loaded.config).unwrap();
        let expected = pass(&mut backend, &dense, &weights, false).0;
        assert_near(name, &pass(&mut backend, &model, &adapters, false).0, &expected, tolerance);
        let continuations = [(&model, &adapters), (&dense, &weights)].map(|(model, weights)| {
            let mut generator = Generator::new(&mut backend, model, 2, 20, 8).unwrap();
            let sampler = Sampler { temperature: B::Scalar::of(0.0), ..Sampler::default() };
            let generation = Generation { max_new_tokens: 12, sampler, stop: &[] };
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            let prompts: [&[u32]; 2] = [&[1, 2, 3], &[4]];
            let continued = generator.generate(&mut backend, model, weights, &prompts, generation, &mut rng).unwrap();
            continued.into_iter().map(|continuation| continuation.tokens).collect::<Vec<_>>()
        });
        assert_eq!(continuations[0], continuations[1], "{name}");
    }
}

/// On next tokens; the base is the same bits after it.
fn learning_lowers_the_loss_beside_a_base_that_stays<B: Backend<Error: Debug>>(backend: B, is_packed: bool) {
    let mut tiny = Tiny::new(backend);
    let (config, whole) = (tiny.model.config, tiny.model.layout.clone());
    let mut base = tiny.weights(1);
    if is_packed {
        let checkpoint = Checkpoint::download(&mut tiny.backend, config, &base).unwrap();
        base = checkpoint.upload_bf16(&mut tiny.backend).unwrap().0;
    }
    let before = bits(&mut tiny.backend, &whole, &base);
    tiny.model = Transformer::beside(&mut tiny.backend, config, base, LOW_RANK).unwrap();
    let adapters = tiny.model.initial_adapters(&mut tiny.backend, &mut ChaCha8Rng::seed_from_u64(4)).unwrap();
    let rule = RuleConfig::OptimisticAdam { adam: AdamCoefficients::default(), optimism: B::Scalar::of(1.0) };
    let config = LearnerConfig {
        average_decay: Some(B::Scalar::of(0.9)),
        max_norm: Some(B::Scalar::of(1.0)),
        ..LearnerConfig::new(rule, Schedule::constant(B::Scalar::of(0.01)))
    };
    let mut learner = Learner::new(&mut tiny.backend, &tiny.model.layout, adapters, config).unwrap();
    let data = sequences(&mut ChaCha8Rng::seed_from_u64(5), 4);
    let targets: usize = data.iter().map(|sequence| sequence.len() - 1).sum();
    let mut losses = Vec::new();
    for _ in 0..40 {
        learner.gradients.clear(&mut tiny.backend, &tiny.model.layout).unwrap();
        backward(&mut tiny, &data, targets, &learner.weights, &mut learner.gradients);
        let mut log_probs = vec![B::Scalar::of(0.0); targets];
        tiny.backend.read(&tiny.head.statistics.log_prob, 0, &mut log_probs).unwrap();
        losses.push(-log_probs.into_iter().map(Scalar::widen).sum::<f64>() / targets as f64);
        learner.apply(&mut tiny.backend, &"a batch").unwrap();
    }
    assert!(losses[39] < 0.8 * losses[0], "{losses:?}");
    learner.check_gradients(&mut tiny.backend).unwrap();
    assert!(bits(&mut tiny.backend, &whole, tiny.model.base().unwrap()) == before);
}

macro_rules! on_backend {
    ($name:ident, $new:expr, $tolerance:expr, unless $off:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn beginning() {
                if !$off {
                    where_learning_begins_nothing_is_changed($new);
                }
            }

            #[test]
            fn gradients() {
                if !$off {
                    gradients_are_projections_of_the_dense_ones($new, $tolerance);
                }
            }

            #[test]
            fn merged() {
                if !$off {
                    // The merged weights are f32.
                    a_merged_model_is_the_same($new, f64::max($tolerance, 1e-5));
                }
            }

            #[test]
            fn learning() {
                if !$off {
                    learning_lowers_the_loss_beside_a_base_that_stays($new(), false);
                    learning_lowers_the_loss_beside_a_base_that_stays($new(), true);
                }
            }
        }
    };
}

on_backend!(cpu_f64, Cpu::<f64>::new, 1e-11, unless false);
on_backend!(cpu_f32, Cpu::<f32>::new, 1e-4, unless false);
on_backend!(gpu_f32, gpu, 1e-4, unless gpu_is_off());

/// In numbers of two bytes each, which is the point of it.
#[test]
fn a_gpu_keeps_the_base_packed_and_moments_of_the_maps_alone() {
    if gpu_is_off() {
        return;
    }
    let peak = |learn: &dyn Fn(&mut aprm_wgpu::Gpu, &Checkpoint)| {
        let mut gpu = gpu();
        learn(&mut gpu, &load("llama"));
        gpu.work().peak_bytes
    };
    let adam = || LearnerConfig::new(RuleConfig::Adam(AdamCoefficients::default()), Schedule::constant(0.01));
    let dense = peak(&|gpu, checkpoint| {
        let weights = checkpoint.upload(gpu).unwrap();
        Learner::new(gpu, &Layout::new(&checkpoint.config), weights, adam()).unwrap();
    });
    let beside = peak(&|gpu, checkpoint| {
        let base = checkpoint.upload_bf16(gpu).unwrap().0;
        let one = LowRank { rank: 1, alpha: 1.0 };
        let model = Transformer::beside(gpu, checkpoint.config, base, one).unwrap();
        let adapters = model.initial_adapters(gpu, &mut ChaCha8Rng::seed_from_u64(0)).unwrap();
        Learner::new(gpu, &model.layout, adapters, adam()).unwrap();
    });
    let tensors = Layout::new(&load("llama").config).tensors;
    let all: usize = tensors.iter().map(|spec| spec.len()).sum();
    // Weights, gradients, two moments and a direction; a number more for the norm.
    assert_eq!(dense, 4 * (5 * all as u64 + 1));
    println!("{dense} bytes dense, {beside} beside a packed base");
    assert!(beside < dense / 2, "{beside} of {dense}");
}

/// As a base of the same bits has it, while it learns.
#[test]
fn a_score_head_learns_as_it_is() {
    let Beside { backend: mut cpu, checkpoint, model, adapters } = Beside::new(Cpu::<f32>::new(), "reason_eval", false);
    let dense = Transformer::new(&mut cpu, checkpoint.config).unwrap();
    let weights = checkpoint.upload(&mut cpu).unwrap();
    let of_head: Vec<usize> =
        dense.layout.score.iter().flat_map(|map| [Some(map.weight), map.bias]).flatten().collect();
    let gradients = [(&dense, &weights), (&model, &adapters)].map(|(model, weights)| {
        let mut head = ScoreHead::new(&mut cpu, model, 3).unwrap();
        let mut scratch = Scratch::new(&mut cpu, &model.config, 3).unwrap();
        let mut gradients = Parameters::zeros(&mut cpu, &model.layout).unwrap();
        let hidden: Vec<f32> = (0..3 * model.config.hidden_size).map(|i| (i as f32).cos()).collect();
        head.forward(&mut cpu, model, weights, &hidden, 3, &[0, 2]).unwrap();
        cpu.fill(2 * head.classes(), 0.5, &mut head.grad_logits).unwrap();
        head.backward(&mut cpu, model, weights, &mut scratch, &mut gradients).unwrap();
        of_head.iter().map(|&tensor| gradients.0[tensor].clone()).collect::<Vec<_>>()
    });
    assert!(!of_head.is_empty() && gradients[0] == gradients[1]);
    assert!(gradients[0].concat().iter().any(|&gradient| gradient != 0.0));
}

#[test]
fn what_learns_is_saved_by_its_names() {
    let Beside { mut backend, model, adapters, .. } = Beside::new(Cpu::<f32>::new(), "llama", false).moved();
    let state = LearnerState::of_weights(&mut backend, &model.layout, &adapters).unwrap();
    assert_eq!(state.tensors.len(), 2 * 4 * model.config.num_hidden_layers);
    let a = &state.tensors["weights/base_model.model.model.layers.1.mlp.down_proj.lora_A.weight"];
    assert_eq!(a.shape, [3, model.config.intermediate_size as u64]);
    assert_eq!(state.to_weights(&mut backend, "adapters", &model.layout).unwrap(), adapters);
}

/// PEFT's distribution, which ends where it says and fills what is between.
#[test]
fn a_begins_uniform_and_b_at_zero() {
    let beside = Beside::new(Cpu::<f64>::new(), "llama", false);
    for [tensor, a, b] in beside.maps() {
        let bound = 1.0 / (beside.whole().tensors[tensor].columns as f64).sqrt();
        let [a, b] = [a, b].map(|map| &beside.adapters.0[map]);
        assert!(b.iter().all(|&entry| entry == 0.0) && a.iter().all(|entry| entry.abs() <= bound));
        let (least, most) = a.iter().fold((0.0_f64, 0.0_f64), |(l, m), &entry| (l.min(entry), m.max(entry)));
        assert!(least < -0.8 * bound && most > 0.8 * bound, "{least} to {most} of {bound}");
    }
}
