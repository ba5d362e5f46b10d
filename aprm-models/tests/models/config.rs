//! Configurations: what is read, what is refused by name, and the way back.

use aprm_models::config::{ConfigError, ModelConfig};
use serde_json::{Value, json};

use super::{FAMILIES, golden};

fn parse(config: &Value) -> Result<ModelConfig, ConfigError> {
    ModelConfig::parse(config.to_string().as_bytes())
}

fn json_of(family: &str) -> Value {
    serde_json::from_slice(&std::fs::read(golden(family).join("config.json")).unwrap()).unwrap()
}

#[test]
fn what_is_written_is_read_back() {
    for family in FAMILIES {
        let config = parse(&json_of(family)).unwrap();
        assert_eq!(ModelConfig::parse(config.to_json().as_bytes()).unwrap(), config, "{family}");
    }
}

#[test]
fn numbers_come_back_to_the_last_bit() {
    let mut json = json_of("llama");
    for epsilon in
        [1e-6, f64::from_bits(1e-5_f64.to_bits() + 1), 0.1 + 0.2, f64::MIN_POSITIVE, 1.797_693_134_862_315_6e308]
    {
        json["rms_norm_eps"] = epsilon.into();
        let config = parse(&json).unwrap();
        assert_eq!(config.rms_norm_eps.to_bits(), epsilon.to_bits());
        assert_eq!(ModelConfig::parse(config.to_json().as_bytes()).unwrap(), config);
    }
}

#[test]
fn a_wrong_field_is_refused_by_its_name() {
    let scaling = |high: f64, original: f64| {
        json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": high,
               "original_max_position_embeddings": original})
    };
    for (field, value, named) in [
        ("model_type", json!("gpt2"), "model_type"),
        ("vocab_size", json!(0), "vocab_size"),
        ("vocab_size", json!(-1), "vocab_size"),
        ("vocab_size", json!(29.0), "vocab_size"),
        ("hidden_size", json!(1_u64 << 31), "hidden_size"),
        ("head_dim", json!(3), "head_dim"),
        ("head_dim", json!((1_u64 << 31) - 2), "head_dim"),
        ("num_key_value_heads", json!(3), "num_key_value_heads"),
        ("rms_norm_eps", json!(0.0), "rms_norm_eps"),
        ("rms_norm_eps", json!("nan"), "rms_norm_eps"),
        ("hidden_act", json!("gelu"), "hidden_act"),
        ("mlp_bias", json!(true), "mlp_bias"),
        ("attention_bias", json!(true), "attention_bias"),
        ("sliding_window", json!(32), "sliding_window"),
        ("layer_types", json!(["sliding_attention"]), "sliding_window"),
        ("rope_parameters", json!({"rope_type": "yarn"}), "rope_type"),
        ("rope_parameters", scaling(1.0, 16.0), "original_max_position_embeddings"),
        ("rope_parameters", json!([]), "rope_parameters"),
        ("logit_softcapping", json!(30.0), "logit_softcapping"),
    ] {
        let mut config = json_of("llama");
        config[field] = value.clone();
        let error = parse(&config).expect_err(field).to_string();
        assert!(error.contains(&format!("`{named}`")), "{field} = {value}: {error}");
    }
    let mut config = json_of("llama3");
    config["rope_parameters"]["high_freq_factor"] = json!(1.0);
    assert!(parse(&config).unwrap_err().to_string().contains("`high_freq_factor`"));
}

#[test]
fn a_missing_field_is_named() {
    for field in ["model_type", "vocab_size", "hidden_size", "num_hidden_layers", "rms_norm_eps"] {
        let mut config = json_of("qwen2");
        config.as_object_mut().unwrap().remove(field);
        assert!(matches!(parse(&config), Err(ConfigError::Missing(missing)) if missing == field), "{field}");
    }
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    let json = json_of("qwen2").to_string().replacen('{', r#"{"vocab_size":28,"#, 1);
    assert!(matches!(ModelConfig::parse(json.as_bytes()), Err(ConfigError::Duplicate(field)) if field == "vocab_size"));
}
