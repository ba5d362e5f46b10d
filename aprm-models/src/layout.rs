//! A model's tensors: their order in memory, their shapes, and the names they bear in a checkpoint.

use crate::config::{Family, Head, HeadLayer, ModelConfig};

/// A part of a tensor as a checkpoint names it: so many rows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Hugging Face's name.
    pub name: String,
    /// How many rows it has.
    pub rows: usize,
}

/// A tensor as it lies in memory: parts one below the other.
///
/// Queries, keys and values are one tensor, and so are gates and ups, since they are multiplied together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// The checkpoint's tensors that it is made of.
    pub parts: Vec<Part>,
    /// Entries of a row; a vector is one column wide.
    pub columns: usize,
    /// Whether the checkpoint's parts are vectors.
    pub is_vector: bool,
}

impl TensorSpec {
    /// The number of rows of all parts.
    pub fn rows(&self) -> usize {
        self.parts.iter().map(|part| part.rows).sum()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.rows() * self.columns
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Which tensors a layer is made of: indices into the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerIndices {
    /// The norm before attention, `[hidden]`.
    pub input_norm: usize,
    /// Queries, keys and values, `[(heads + 2 kv_heads) head_dim, hidden]`.
    pub qkv: usize,
    /// Their biases, if the family has them.
    pub qkv_bias: Option<usize>,
    /// The norms of query heads and of key heads, `[head_dim]`, if the family has them.
    pub qk_norms: Option<[usize; 2]>,
    /// From heads back to the residual stream, `[hidden, heads head_dim]`.
    pub attention_out: usize,
    /// The norm before the feed-forward layer, `[hidden]`.
    pub post_norm: usize,
    /// Gates and ups, `[2 intermediate, hidden]`.
    pub gate_up: usize,
    /// Back to the residual stream, `[hidden, intermediate]`.
    pub down: usize,
}

/// A linear map of a head: indices into the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearIndices {
    /// `[outputs, inputs]`.
    pub weight: usize,
    /// `[outputs]`, if it has one.
    pub bias: Option<usize>,
}

/// All tensors of a model, in the order of the forward pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The tensors.
    pub tensors: Vec<TensorSpec>,
    /// The token embedding, `[vocab, hidden]`.
    pub embedding: usize,
    /// The layers, first to last.
    pub layers: Vec<LayerIndices>,
    /// The norm after the last layer, `[hidden]`.
    pub final_norm: usize,
    /// From the residual stream to logits, `[vocab, hidden]`, in a language model: the embedding itself where they are tied.
    pub lm_head: Option<usize>,
    /// From the residual stream to class logits, with a ReLU between each map and the next, in any other model.
    pub score: Vec<LinearIndices>,
}

impl Layout {
    /// The layout of a model.
    ///
    /// ```
    /// # let config = aprm_models::config::ModelConfig::parse(br#"{
    /// #     "model_type": "llama", "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48,
    /// #     "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    /// #     "max_position_embeddings": 128, "rms_norm_eps": 1e-6
    /// # }"#).unwrap();
    /// use aprm_models::layout::Layout;
    ///
    /// let layout = Layout::new(&config);
    /// let qkv = &layout.tensors[layout.layers[1].qkv];
    /// assert_eq!((qkv.rows(), qkv.columns), (64, 32));
    /// assert_eq!(qkv.parts[1].name, "model.layers.1.self_attn.k_proj.weight");
    /// ```
    pub fn new(config: &ModelConfig) -> Self {
        let mut tensors = Vec::new();
        let hidden = config.hidden_size;
        let embedding = push(&mut tensors, hidden, [("model.embed_tokens.weight".into(), config.vocab_size)]);
        let layers = (0..config.num_hidden_layers).map(|layer| layer_indices(config, layer, &mut tensors)).collect();
        let final_norm = push_vector(&mut tensors, [("model.norm.weight".into(), hidden)]);
        let lm_head = (config.head == Head::CausalLm).then(|| match config.tie_word_embeddings {
            true => embedding,
            false => push(&mut tensors, hidden, [("lm_head.weight".into(), config.vocab_size)]),
        });
        let score = config.head.layers(hidden).into_iter().map(|HeadLayer { name, outputs, has_bias }| LinearIndices {
            weight: push(&mut tensors, hidden, [(format!("{name}.weight"), outputs)]),
            bias: has_bias.then(|| push_vector(&mut tensors, [(format!("{name}.bias"), outputs)])),
        });
        let score = score.collect();
        Self { tensors, embedding, layers, final_norm, lm_head, score }
    }
}

fn layer_indices(config: &ModelConfig, layer: usize, tensors: &mut Vec<TensorSpec>) -> LayerIndices {
    let (hidden, head_dim) = (config.hidden_size, config.head_dim);
    let (queries, keys) = (config.num_attention_heads * head_dim, config.num_key_value_heads * head_dim);
    let name = |part: &str| format!("model.layers.{layer}.{part}");
    let attention = |part: &str| name(&format!("self_attn.{part}"));
    let qkv = |kind: &str| {
        [("q_proj", queries), ("k_proj", keys), ("v_proj", keys)]
            .map(|(projection, rows)| (attention(&format!("{projection}.{kind}")), rows))
    };
    let ups = ["gate_proj", "up_proj"].map(|part| (name(&format!("mlp.{part}.weight")), config.intermediate_size));
    LayerIndices {
        input_norm: push_vector(tensors, [(name("input_layernorm.weight"), hidden)]),
        qkv: push(tensors, hidden, qkv("weight")),
        qkv_bias: config.attention_bias.then(|| push_vector(tensors, qkv("bias"))),
        qk_norms: (config.family == Family::Qwen3).then(|| {
            ["q_norm.weight", "k_norm.weight"].map(|norm| push_vector(tensors, [(attention(norm), head_dim)]))
        }),
        attention_out: push(tensors, queries, [(attention("o_proj.weight"), hidden)]),
        post_norm: push_vector(tensors, [(name("post_attention_layernorm.weight"), hidden)]),
        gate_up: push(tensors, hidden, ups),
        down: push(tensors, config.intermediate_size, [(name("mlp.down_proj.weight"), hidden)]),
    }
}

fn push<const PARTS: usize>(tensors: &mut Vec<TensorSpec>, columns: usize, parts: [(String, usize); PARTS]) -> usize {
    let parts = parts.map(|(name, rows)| Part { name, rows }).into();
    tensors.push(TensorSpec { parts, columns, is_vector: false });
    tensors.len() - 1
}

fn push_vector<const PARTS: usize>(tensors: &mut Vec<TensorSpec>, parts: [(String, usize); PARTS]) -> usize {
    let index = push(tensors, 1, parts);
    tensors[index].is_vector = true;
    index
}
