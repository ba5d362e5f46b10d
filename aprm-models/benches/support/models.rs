//! The models that benches run, with random weights.

use aprm_models::config::ModelConfig;

/// Small Llamas a, b and c, and qwen, of the shape of Qwen2-0.5B.
pub(crate) fn config(name: &str) -> Option<ModelConfig> {
    let llama = |hidden: usize, layers: usize, vocab: usize, intermediate: usize, heads: usize| {
        format!(
            r#"{{"model_type": "llama", "hidden_size": {hidden}, "num_hidden_layers": {layers}, "vocab_size": {vocab},
                "intermediate_size": {intermediate}, "num_attention_heads": {heads}, "max_position_embeddings": 512,
                "rms_norm_eps": 1e-6}}"#
        )
    };
    let json = match name {
        "a" => llama(128, 3, 64, 352, 4),
        "b" => llama(256, 6, 2048, 704, 8),
        "c" => llama(512, 8, 8192, 1408, 8),
        "qwen" => r#"{"model_type": "qwen2", "hidden_size": 896, "num_hidden_layers": 24, "vocab_size": 151936,
            "intermediate_size": 4864, "num_attention_heads": 14, "num_key_value_heads": 2,
            "max_position_embeddings": 512, "rms_norm_eps": 1e-6, "tie_word_embeddings": true}"#
            .to_owned(),
        _ => return None,
    };
    Some(ModelConfig::parse(json.as_bytes()).expect("a valid config"))
}
