use serde_json::json;

use super::{Family, ModelConfig};

impl ModelConfig {
    /// Writes a `config.json` from which transformers, 4 or 5, makes the same model.
    ///
    /// ```
    /// # let config = aprm_models::config::ModelConfig::parse(br#"{
    /// #     "model_type": "llama", "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48,
    /// #     "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    /// #     "max_position_embeddings": 128, "rms_norm_eps": 1e-6
    /// # }"#).unwrap();
    /// use aprm_models::config::ModelConfig;
    ///
    /// assert_eq!(ModelConfig::parse(config.to_json().as_bytes()).unwrap(), config);
    /// ```
    pub fn to_json(&self) -> String {
        let (architecture, of_head) = self.head.to_json(self.family);
        let mut config = json!({
            "architectures": [architecture],
            "model_type": self.family.prefix().to_lowercase(),
            "vocab_size": self.vocab_size,
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.num_hidden_layers,
            "num_attention_heads": self.num_attention_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "head_dim": self.head_dim,
            "max_position_embeddings": self.max_position_embeddings,
            "rms_norm_eps": self.rms_norm_eps,
            "rope_theta": self.rope_theta,
            "rope_scaling": self.rope_scaling.map(|scaling| json!({
                "rope_type": "llama3",
                "factor": scaling.factor,
                "low_freq_factor": scaling.low_freq_factor,
                "high_freq_factor": scaling.high_freq_factor,
                // transformers warns of anything but a whole number.
                "original_max_position_embeddings": scaling.original_max_position_embeddings as u64,
            })),
            "hidden_act": "silu",
            "tie_word_embeddings": self.tie_word_embeddings,
            // transformers gives a Mistral model without this field a window of 4096.
            "sliding_window": null,
        });
        // Qwen2 has the biases without saying so, and no switch for them.
        if self.family != Family::Qwen2 {
            config["attention_bias"] = self.attention_bias.into();
        }
        for (field, value) in of_head.as_object().into_iter().flatten() {
            config[field] = value.clone();
        }
        format!("{config:#}\n")
    }
}
