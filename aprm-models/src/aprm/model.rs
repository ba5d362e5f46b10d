//! The models of the game: one trunk, with a language model's head or a verifier's.

use aprm_core::backend::Backend;
use aprm_core::rand_core::Rng;
use aprm_core::scalar::Scalar;
use serde_json::json;

use super::config::ModelShape;
use super::pretraining::{initialize, residual};
use crate::config::{ConfigError, ModelConfig};
use crate::layout::LayerIndices;
use crate::transformer::{Parameters, Transformer};

/// What a model reads from its last layer's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Generators and solvers: the next token.
    LanguageModel,
    /// Verifiers: wrong or right.
    Verifier,
    /// Critics: a value.
    Critic,
}

impl ModelShape {
    /// The shape as a `config.json` has it, of the Llama family.
    ///
    /// # Errors
    /// [`ConfigError`], if no such model can be.
    pub fn config(&self, role: Role, vocab_size: usize) -> Result<ModelConfig, ConfigError> {
        let (architecture, labels) = match role {
            Role::LanguageModel => ("Qwen2ForCausalLM", 2),
            Role::Verifier => ("Qwen2ForTokenClassification", 2),
            Role::Critic => ("Qwen2ForTokenClassification", 1),
        };
        let extra = if role == Role::Verifier { self.verifier_extra_layers } else { 0 };
        let config = json!({
            "architectures": [architecture],
            "model_type": "qwen2",
            "num_labels": labels,
            "vocab_size": vocab_size,
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.num_hidden_layers + extra,
            "num_attention_heads": self.num_attention_heads,
            "max_position_embeddings": self.context,
            "rms_norm_eps": 1e-6,
            // What is predicted and what is read then lie along the same directions: a verifier that begins from these
            // weights can compare the two.
            "tie_word_embeddings": role == Role::LanguageModel,
        });
        ModelConfig::parse(config.to_string().as_bytes())
    }
}

/// The weights of one model as the beginning of another of the same widths and as many layers or more.
///
/// Tensors that both have are copied.
/// A layer that is new adds nothing to the residual stream yet, and a head that is new says nothing: what is added and
/// what is said is all zeros, the rest as [`initialize`] has it, but that half of a new layer's heads look at the token
/// before: what was predicted there is what a verifier compares with what is written.
///
/// # Errors
/// Whatever the device reports.
pub fn graft<B: Backend>(
    backend: &mut B,
    from: &Transformer<B>,
    weights: &Parameters<B::Buffer>,
    onto: &Transformer<B>,
    rng: &mut dyn Rng,
) -> Result<Parameters<B::Buffer>, B::Error> {
    let mut grafted = initialize(backend, onto, rng)?;
    let silent: Vec<usize> = residual(onto).into_iter().chain(onto.layout.score.iter().map(|map| map.weight)).collect();
    for (i, (spec, buffer)) in onto.layout.tensors.iter().zip(&mut grafted.0).enumerate() {
        if let Some(source) = from.layout.tensors.iter().position(|other| other == spec) {
            backend.copy(spec.len(), &weights.0[source], buffer)?;
        } else if silent.contains(&i) {
            backend.fill(spec.len(), B::Scalar::of(0.0), buffer)?;
        }
    }
    for layer in &onto.layout.layers[from.layout.layers.len()..] {
        look_back(backend, onto, layer, &mut grafted)?;
    }
    Ok(grafted)
}

/// The length of a query and of a key within each plane that is rotated; with it the token before has all but a few
/// thousandths of the attention in heads of 16 and more.
const LOOK_BACK: f64 = 7.0;

/// Lets half of a layer's heads look at the token before, whatever it is: their queries and keys are biases alone.
///
/// ```text
/// k = a e, q = a R(-1) e:   (R(t) q) · (R(s) k) = a² Σ_i cos((t − 1 − s) θ_i), which is largest at s = t − 1
/// ```
fn look_back<B: Backend>(
    backend: &mut B,
    model: &Transformer<B>,
    layer: &LayerIndices,
    weights: &mut Parameters<B::Buffer>,
) -> Result<(), B::Error> {
    let Some(bias) = layer.qkv_bias else { return Ok(()) };
    let ModelConfig { head_dim, hidden_size, num_attention_heads, .. } = model.config;
    let frequencies = model.config.rope_frequencies();
    let planes = frequencies.len();
    let query: Vec<f64> = frequencies
        .iter()
        .map(|frequency| libm::cos(*frequency))
        .chain(frequencies.iter().map(|frequency| -libm::sin(*frequency)))
        .collect();
    let key = [vec![1.0; planes], vec![0.0; planes]].concat();
    let heads = num_attention_heads / 2;
    for (part, entries) in [query, key].into_iter().enumerate() {
        let first_row = part * num_attention_heads * head_dim;
        let entries: Vec<B::Scalar> = entries.into_iter().map(|entry| B::Scalar::of(LOOK_BACK * entry)).collect();
        backend.write(&entries.repeat(heads), &mut weights.0[bias], first_row)?;
        let nothing = vec![B::Scalar::of(0.0); heads * head_dim * hidden_size];
        backend.write(&nothing, &mut weights.0[layer.qkv], first_row * hidden_size)?;
    }
    Ok(())
}
