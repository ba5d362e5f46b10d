//! The models' size.

use serde::{Deserialize, Serialize};

/// The shape of a transformer trained from scratch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelShape {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Layers that the verifier has on top of the language model's: comparing what is written with what it would have
    /// written takes a layer above those that know.
    pub verifier_extra_layers: usize,
    /// Heads of attention.
    pub num_attention_heads: usize,
    /// Width of the feed-forward layers.
    pub intermediate_size: usize,
    /// Tokens of the longest sequence.
    pub context: usize,
}

impl Default for ModelShape {
    fn default() -> Self {
        Self {
            hidden_size: 96,
            num_hidden_layers: 3,
            verifier_extra_layers: 1,
            num_attention_heads: 4,
            intermediate_size: 256,
            context: 512,
        }
    }
}
