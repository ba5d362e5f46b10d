//! Batched generation with a cache of keys and values, by the Llama of candle-transformers.
//!
//! `cargo run --release --bin candle`, on as many threads as `RAYON_NUM_THREADS` says.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_nn::sampling::gumbel_softmax;
use candle_transformers::models::llama::{Cache, Config, Llama};
use peers::{MAX_POSITIONS, Shape, median_seconds, peak_mebibytes};

const PROMPTS: usize = 64;
const PROMPT_LEN: usize = 32;
const NEW_TOKENS: usize = 64;

fn config(shape: &Shape) -> Config {
    Config {
        hidden_size: shape.hidden,
        intermediate_size: shape.intermediate,
        vocab_size: shape.vocab,
        num_hidden_layers: shape.layers,
        num_attention_heads: shape.heads,
        num_key_value_heads: shape.heads,
        use_flash_attn: false,
        rms_norm_eps: 1e-6,
        rope_theta: 10_000.0,
        bos_token_id: None,
        eos_token_id: None,
        rope_scaling: None,
        max_position_embeddings: MAX_POSITIONS,
        tie_word_embeddings: false,
    }
}

/// Random weights under the names of a checkpoint.
fn weights(shape: &Shape, device: &Device) -> Result<HashMap<String, Tensor>> {
    let Shape { hidden, vocab, intermediate, .. } = *shape;
    let matrix = |outputs: usize, inputs: usize| Tensor::randn(0_f32, 0.02, (outputs, inputs), device);
    let ones = || Tensor::ones(hidden, DType::F32, device);
    let mut weights = HashMap::from([
        ("model.embed_tokens.weight".into(), matrix(vocab, hidden)?),
        ("model.norm.weight".into(), ones()?),
        ("lm_head.weight".into(), matrix(vocab, hidden)?),
    ]);
    for layer in 0..shape.layers {
        let mut insert = |name, weight| weights.insert(format!("model.layers.{layer}.{name}.weight"), weight);
        for name in ["input_layernorm", "post_attention_layernorm"] {
            insert(name, ones()?);
        }
        for name in ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"] {
            insert(name, matrix(hidden, hidden)?);
        }
        for name in ["mlp.gate_proj", "mlp.up_proj"] {
            insert(name, matrix(intermediate, hidden)?);
        }
        insert("mlp.down_proj", matrix(hidden, intermediate)?);
    }
    Ok(weights)
}

/// Draws from the policy itself: the largest of logits with Gumbel noise.
fn generate(model: &Llama, config: &Config, prompts: &Tensor) -> Result<Tensor> {
    let mut cache = Cache::new(true, DType::F32, config, prompts.device())?;
    let mut logits = model.forward(prompts, 0, &mut cache)?;
    let mut continuations = Vec::new();
    for step in 0..NEW_TOKENS {
        let tokens = gumbel_softmax(&logits, 1.0, 1)?.unsqueeze(1)?;
        if step + 1 < NEW_TOKENS {
            logits = model.forward(&tokens, PROMPT_LEN + step, &mut cache)?;
        }
        continuations.push(tokens);
    }
    Tensor::cat(&continuations, 1)
}

fn main() -> Result<()> {
    let shape = Shape::of("b", 512).expect("a model");
    let (device, config) = (Device::Cpu, config(&shape));
    let builder = VarBuilder::from_tensors(weights(&shape, &device)?, DType::F32, &device);
    let model = Llama::load(builder, &config)?;
    let prompts = Tensor::rand(0_f32, shape.vocab as f32, (PROMPTS, PROMPT_LEN), &device)?.to_dtype(DType::U32)?;
    let mut continuations = None;
    let median = median_seconds(1, 5, || continuations = Some(generate(&model, &config, &prompts)));
    let continuations = continuations.expect("six runs")?;
    assert_eq!(continuations.dims(), [PROMPTS, NEW_TOKENS]);
    assert!(continuations.max_all()?.to_scalar::<u32>()? < shape.vocab as u32);
    println!(
        "generate candle: {:.0} tokens/s, {:.0} ms, {} MiB at most",
        (PROMPTS * NEW_TOKENS) as f64 / median,
        1e3 * median,
        peak_mebibytes(),
    );
    Ok(())
}
