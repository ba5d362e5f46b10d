//! A transformer small enough to be trained in a test, and the mean cross-entropy of its next tokens.

use aprm_core::backend::Backend;
use aprm_core::scalar::Scalar;
use aprm_models::config::ModelConfig;
use aprm_models::layout::Layout;
use aprm_models::transformer::{Activations, Batch, Parameters, PolicyHead, Scratch, Transformer};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

pub(crate) const VOCAB: u32 = 13;
const ROWS: usize = 96;
const SEQUENCES: usize = 16;

/// Of a family with norms of queries and keys.
pub(crate) fn config() -> ModelConfig {
    let json = r#"{"model_type": "qwen3", "hidden_size": 16, "num_hidden_layers": 3, "vocab_size": 13,
        "intermediate_size": 24, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4,
        "max_position_embeddings": 32, "rms_norm_eps": 1e-6, "tie_word_embeddings": true, "attention_bias": false}"#;
    ModelConfig::parse(json.as_bytes()).unwrap()
}

/// Random weights in host memory.
pub(crate) fn weights<B: Backend>(backend: &mut B, layout: &Layout, seed: u64) -> Parameters<B::Buffer>
where
    B::Error: core::fmt::Debug,
{
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let weights = Parameters::zeros(backend, layout).unwrap();
    let tensors = weights.0.into_iter().zip(&layout.tensors).map(|(mut buffer, spec)| {
        let mut entry = || if spec.is_vector { 1.0 } else { rng.random_range(-0.3..0.3) };
        let entries: Vec<B::Scalar> = (0..spec.len()).map(|_| B::Scalar::of(entry())).collect();
        backend.write(&entries, &mut buffer, 0).unwrap();
        buffer
    });
    Parameters(tensors.collect())
}

pub(crate) fn sequences(rng: &mut ChaCha8Rng, count: usize) -> Vec<Vec<u32>> {
    (0..count).map(|_| (0..rng.random_range(2..7)).map(|_| rng.random_range(0..VOCAB)).collect()).collect()
}

/// The bits of all entries: equal for equal bits only.
pub(crate) fn bits<B: Backend>(backend: &mut B, layout: &Layout, parameters: &Parameters<B::Buffer>) -> Vec<Vec<u64>>
where
    B::Error: core::fmt::Debug,
{
    let tensors = layout.tensors.iter().zip(&parameters.0).map(|(spec, buffer)| {
        let mut host = vec![B::Scalar::of(0.0); spec.len()];
        backend.read(buffer, 0, &mut host).unwrap();
        host.into_iter().map(|entry| entry.widen().to_bits()).collect()
    });
    tensors.collect()
}

/// What a backward pass needs beside weights and gradients.
pub(crate) struct Tiny<B: Backend> {
    pub(crate) backend: B,
    pub(crate) model: Transformer<B>,
    pub(crate) activations: Activations<B::Buffer>,
    batch: Batch<B>,
    scratch: Scratch<B::Buffer>,
    pub(crate) head: PolicyHead<B>,
}

impl<B: Backend> Tiny<B>
where
    B::Error: core::fmt::Debug,
{
    pub(crate) fn new(mut backend: B) -> Self {
        let model = Transformer::new(&mut backend, config()).unwrap();
        Self {
            batch: Batch::new(&mut backend, ROWS, SEQUENCES).unwrap(),
            activations: Activations::new(&mut backend, &model.config, ROWS).unwrap(),
            scratch: Scratch::new(&mut backend, &model.config, ROWS).unwrap(),
            head: PolicyHead::new(&mut backend, &model, ROWS).unwrap(),
            model,
            backend,
        }
    }

    pub(crate) fn weights(&mut self, seed: u64) -> Parameters<B::Buffer> {
        weights(&mut self.backend, &self.model.layout, seed)
    }
}

/// Adds the gradients of the sequences' share of a mean over `targets` next tokens.
pub(crate) fn backward<B: Backend>(
    tiny: &mut Tiny<B>,
    sequences: &[Vec<u32>],
    targets: usize,
    weights: &Parameters<B::Buffer>,
    gradients: &mut Parameters<B::Buffer>,
) where
    B::Error: core::fmt::Debug,
{
    let Tiny { backend, model, activations, batch, scratch, head } = tiny;
    let views: Vec<&[u32]> = sequences.iter().map(|sequence| &sequence[..]).collect();
    batch.set(backend, &views).unwrap();
    let (mut selected, mut next, mut start) = (Vec::new(), Vec::new(), 0);
    for sequence in sequences {
        selected.extend(start..start + sequence.len() as u32 - 1);
        next.extend_from_slice(&sequence[1..]);
        start += sequence.len() as u32;
    }
    model.forward(backend, weights, batch, activations).unwrap();
    head.forward(backend, model, weights, activations, &selected, &next, None).unwrap();
    backend.fill(selected.len(), B::Scalar::of(-1.0 / targets as f64), &mut head.gradients.log_prob).unwrap();
    scratch.clear_hidden(backend, model).unwrap();
    head.backward(backend, model, weights, None, scratch, gradients).unwrap();
    model.backward(backend, weights, batch, activations, scratch, gradients).unwrap();
}
