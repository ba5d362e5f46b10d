//! A model's shape, from Hugging Face's `config.json`.

mod head;
mod to_json;

pub use head::Head;
pub(crate) use head::HeadLayer;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::safetensors::Entries;

/// The families of decoder-only transformers that are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Llama 2 and 3.
    Llama,
    /// Mistral, without sliding windows.
    Mistral,
    /// Qwen2 and Qwen2.5: biases on queries, keys and values.
    Qwen2,
    /// Qwen3: a norm on each head of queries and keys.
    Qwen3,
}

impl Family {
    /// What the names of its architectures begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Llama => "Llama",
            Self::Mistral => "Mistral",
            Self::Qwen2 => "Qwen2",
            Self::Qwen3 => "Qwen3",
        }
    }
}

/// How the rotation angles of long contexts are stretched, as Llama 3.1 does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Llama3Scaling {
    /// By how much low frequencies are divided.
    pub factor: f64,
    /// Wavelengths above the original context over this are divided by `factor`.
    pub low_freq_factor: f64,
    /// Wavelengths below the original context over this stay as they are.
    pub high_freq_factor: f64,
    /// The context of the model before it was stretched.
    pub original_max_position_embeddings: f64,
}

/// A model's shape; field names are Hugging Face's.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are those of config.json, which its users know")]
pub struct ModelConfig {
    pub family: Family,
    pub head: Head,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub num_key_value_heads: usize,
    pub head_dim: usize,
    pub max_position_embeddings: usize,
    pub rms_norm_eps: f64,
    pub rope_theta: f64,
    pub rope_scaling: Option<Llama3Scaling>,
    pub attention_bias: bool,
    pub tie_word_embeddings: bool,
}

/// Why a `config.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not a JSON object.
    #[error("not a JSON object: {0}")]
    Json(#[from] serde_json::Error),
    /// A field stands twice.
    #[error("`{0}` stands twice")]
    Duplicate(String),
    /// A field that decides the model's shape is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A field holds something it may not.
    #[error("`{field}` is {value}: {expected}")]
    Value {
        /// The field.
        field: String,
        /// What it holds.
        value: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// A field is not known, so what it does to the model is not known either.
    #[error("`{0}` is not a known field; a model that depends on it would be run wrongly")]
    Unknown(String),
}

/// Fields that say nothing about the function that the model computes.
const IRRELEVANT: &[&str] = &[
    "_name_or_path",
    "auto_map",
    "bos_token_id",
    "classifier_dropout",
    "dtype",
    "eos_token_id",
    "id2label",
    "initializer_range",
    "label2id",
    "max_window_layers",
    "model_type",
    "num_labels",
    "pad_token_id",
    "pretraining_tp",
    "torch_dtype",
    "transformers_version",
    "unk_token_id",
    "use_cache",
    "attention_dropout",
    "problem_type",
    "return_dict",
    "summary_dropout_prob",
];

/// The fields of a config, taken one by one so that what is left over can be seen.
struct Fields(BTreeMap<String, Value>);

impl Fields {
    fn take(&mut self, field: &str) -> Option<Value> {
        self.0.remove(field).filter(|value| !value.is_null())
    }

    fn optional<T>(
        &mut self,
        field: &str,
        expected: &'static str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.take(field) else { return Ok(None) };
        match read(&value) {
            Some(read) => Ok(Some(read)),
            None => Err(ConfigError::Value { field: field.into(), value: value.to_string(), expected }),
        }
    }

    fn count(&mut self, field: &'static str) -> Result<Option<usize>, ConfigError> {
        // No dimension of a model that fits a machine is near 2^31, and products of two must not overflow.
        let read = |value: &Value| value.as_u64().filter(|&n| (1..1 << 31).contains(&n)).map(|n| n as usize);
        self.optional(field, "expected a positive whole number below 2^31", read)
    }

    fn number(&mut self, field: &'static str) -> Result<Option<f64>, ConfigError> {
        let read = |value: &Value| value.as_f64().filter(|x| x.is_finite() && *x > 0.0);
        self.optional(field, "expected a positive finite number", read)
    }

    fn switch(&mut self, field: &'static str) -> Result<bool, ConfigError> {
        Ok(self.optional(field, "expected true or false", Value::as_bool)?.unwrap_or(false))
    }
}

impl ModelConfig {
    /// Reads a `config.json`.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field. An architecture, an activation or a scaling that is not built is an error,
    /// and so is a field that is not known.
    ///
    /// ```
    /// use aprm_models::config::{Family, ModelConfig};
    ///
    /// let config = ModelConfig::parse(br#"{
    ///     "model_type": "qwen2", "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48,
    ///     "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    ///     "max_position_embeddings": 128, "rms_norm_eps": 1e-6, "rope_theta": 10000.0
    /// }"#).unwrap();
    /// assert_eq!((config.family, config.head_dim, config.attention_bias), (Family::Qwen2, 8, true));
    /// ```
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let entries: Entries<Value> = serde_json::from_slice(json)?;
        let mut fields = Fields(entries.into_map().map_err(ConfigError::Duplicate)?);
        let family = family(&mut fields)?;
        let head = Head::parse(&mut fields, family)?;
        let required = |field, value: Option<usize>| value.ok_or(ConfigError::Missing(field));
        let hidden_size = required("hidden_size", fields.count("hidden_size")?)?;
        let num_attention_heads = required("num_attention_heads", fields.count("num_attention_heads")?)?;
        let num_key_value_heads = fields.count("num_key_value_heads")?.unwrap_or(num_attention_heads);
        if num_attention_heads % num_key_value_heads != 0 {
            return Err(ConfigError::Value {
                field: "num_key_value_heads".into(),
                value: num_key_value_heads.to_string(),
                expected: "expected a divisor of num_attention_heads",
            });
        }
        let head_dim = match fields.count("head_dim")? {
            Some(head_dim) => head_dim,
            None if family == Family::Qwen3 => 128,
            None => hidden_size / num_attention_heads,
        };
        if head_dim == 0 || head_dim % 2 != 0 {
            return Err(ConfigError::Value {
                field: "head_dim".into(),
                value: head_dim.to_string(),
                expected: "expected an even number, since rotations turn pairs",
            });
        }
        // The rows of queries, keys and values; 2^62 at most, so it does not overflow itself.
        if num_attention_heads as u64 * head_dim as u64 >= 1 << 31 {
            return Err(ConfigError::Value {
                field: "head_dim".into(),
                value: head_dim.to_string(),
                expected: "expected fewer than 2^31 channels over all heads",
            });
        }
        let (rope_theta, rope_scaling) = rope(&mut fields)?;
        let attention_bias = fields.switch("attention_bias")?;
        if family != Family::Qwen2 && attention_bias {
            return Err(unsupported("attention_bias", "true", "only Qwen2's biases are built"));
        }
        let config = Self {
            family,
            head,
            vocab_size: required("vocab_size", fields.count("vocab_size")?)?,
            hidden_size,
            intermediate_size: required("intermediate_size", fields.count("intermediate_size")?)?,
            num_hidden_layers: required("num_hidden_layers", fields.count("num_hidden_layers")?)?,
            num_attention_heads,
            num_key_value_heads,
            head_dim,
            max_position_embeddings: required("max_position_embeddings", fields.count("max_position_embeddings")?)?,
            rms_norm_eps: fields.number("rms_norm_eps")?.ok_or(ConfigError::Missing("rms_norm_eps"))?,
            rope_theta,
            rope_scaling,
            attention_bias: family == Family::Qwen2,
            tie_word_embeddings: fields.switch("tie_word_embeddings")?,
        };
        refuse_what_is_not_built(&mut fields, config.max_position_embeddings)?;
        match fields.0.into_keys().find(|field| !IRRELEVANT.contains(&field.as_str())) {
            Some(unknown) => Err(ConfigError::Unknown(unknown)),
            None => Ok(config),
        }
    }

    /// The angle of each pair of channels per position.
    ///
    /// ```text
    /// ω_i = θ^{−2i/D},   stretched as `rope_scaling` says
    /// ```
    pub fn rope_frequencies(&self) -> Vec<f64> {
        let frequency = |i: usize| self.rope_theta.powf(-2.0 * i as f64 / self.head_dim as f64);
        (0..self.head_dim / 2).map(|i| self.rope_scaling.map_or(frequency(i), |s| s.stretch(frequency(i)))).collect()
    }
}

impl Llama3Scaling {
    /// Low frequencies are divided by the factor, high ones kept, and those between interpolated.
    fn stretch(&self, frequency: f64) -> f64 {
        let turns = self.original_max_position_embeddings * frequency / core::f64::consts::TAU;
        let smooth = (turns - self.low_freq_factor) / (self.high_freq_factor - self.low_freq_factor);
        let smooth = smooth.clamp(0.0, 1.0);
        frequency * (smooth + (1.0 - smooth) / self.factor)
    }
}

fn unsupported(field: &str, value: impl Into<String>, expected: &'static str) -> ConfigError {
    ConfigError::Value { field: field.into(), value: value.into(), expected }
}

fn family(fields: &mut Fields) -> Result<Family, ConfigError> {
    let model_type = fields.take("model_type").ok_or(ConfigError::Missing("model_type"))?;
    match model_type.as_str() {
        Some("llama") => Ok(Family::Llama),
        Some("mistral") => Ok(Family::Mistral),
        Some("qwen2") => Ok(Family::Qwen2),
        Some("qwen3") => Ok(Family::Qwen3),
        _ => Err(unsupported("model_type", model_type.to_string(), "expected llama, mistral, qwen2 or qwen3")),
    }
}

/// θ and the scaling, from either place where transformers has kept them.
fn rope(fields: &mut Fields) -> Result<(f64, Option<Llama3Scaling>), ConfigError> {
    let theta = fields.number("rope_theta")?;
    let object = "expected an object";
    let read = |value: &Value| value.as_object().map(|object| Fields(object.clone().into_iter().collect()));
    let parameters = fields.optional("rope_parameters", object, read)?;
    let scaling = fields.optional("rope_scaling", object, read)?;
    let Some(mut rope) = parameters.or(scaling) else { return Ok((theta.unwrap_or(10_000.0), None)) };
    let theta = rope.number("rope_theta")?.or(theta).unwrap_or(10_000.0);
    let kind = rope.take("rope_type").or(rope.take("type"));
    match kind.as_ref().and_then(Value::as_str) {
        None | Some("default") => Ok((theta, None)),
        Some("llama3") => {
            let original = "original_max_position_embeddings";
            let original = rope.count(original)?.ok_or(ConfigError::Missing(original))? as f64;
            let mut number = |field| rope.number(field)?.ok_or(ConfigError::Missing(field));
            let scaling = Llama3Scaling {
                factor: number("factor")?,
                low_freq_factor: number("low_freq_factor")?,
                high_freq_factor: number("high_freq_factor")?,
                original_max_position_embeddings: original,
            };
            if scaling.high_freq_factor <= scaling.low_freq_factor {
                let expected = "expected more than low_freq_factor, between which frequencies are interpolated";
                return Err(unsupported("high_freq_factor", scaling.high_freq_factor.to_string(), expected));
            }
            Ok((theta, Some(scaling)))
        }
        Some(other) => Err(unsupported("rope_type", other, "expected default or llama3")),
    }
}

fn refuse_what_is_not_built(fields: &mut Fields, max_position_embeddings: usize) -> Result<(), ConfigError> {
    let activation = fields.take("hidden_act");
    if activation.as_ref().is_some_and(|activation| activation != "silu") {
        return Err(unsupported("hidden_act", activation.unwrap_or_default().to_string(), "only silu is built"));
    }
    if fields.switch("mlp_bias")? {
        return Err(unsupported("mlp_bias", "true", "biases of the feed-forward layers are not built"));
    }
    if fields.switch("use_mrope")? {
        return Err(unsupported("use_mrope", "true", "rotations of several axes are not built"));
    }
    // Qwen names a window and says apart from it whether it is used; Mistral only names one.
    let uses_window = fields.optional("use_sliding_window", "expected true or false", Value::as_bool)?;
    let window = fields.count("sliding_window")?.filter(|&window| window < max_position_embeddings);
    let layer_types = fields.take("layer_types");
    let mut layer_types = layer_types.iter().filter_map(Value::as_array).flatten();
    if uses_window.unwrap_or(window.is_some()) || layer_types.any(|layer| layer != "full_attention") {
        return Err(unsupported("sliding_window", format!("{window:?}"), "sliding windows are not built"));
    }
    Ok(())
}
