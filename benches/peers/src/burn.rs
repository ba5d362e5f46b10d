//! A training step (forward, backward, AdamW) of a Llama or Qwen2 model in burn, on padded batches as its users run them.
//!
//! `cargo run --release --features burn --bin burn -- [a|b|c|qwen] [steps=15] [length=512] [clip=1]`, on as many threads as
//! `RAYON_NUM_THREADS` says; with the feature `burn-wgpu` on Vulkan. `clip` is the largest norm of each tensor's
//! gradient, if any.

use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::{
    Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig, RmsNorm, RmsNormConfig, RotaryEncoding,
    RotaryEncodingConfig, SwiGlu, SwiGluConfig,
};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Device, Int, Tensor, TensorData};
use peers::{MAX_POSITIONS, Shape, median_seconds, peak_mebibytes};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// What fills sequences up, and no sequence contains.
const PAD: usize = 0;
/// The most logits of a tensor: a GPU does not bind those of 4,096 tokens over a vocabulary of 151,936 at once.
const MAX_LOGITS: usize = 1 << 28;
const INITIALIZER: Initializer = Initializer::Normal { mean: 0.0, std: 0.02 };

#[derive(Module, Debug)]
struct Layer {
    attention_norm: RmsNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    mlp_norm: RmsNorm,
    gate_up: SwiGlu,
    down: Linear,
    heads: usize,
    kv_heads: usize,
}

impl Layer {
    fn new(shape: &Shape, device: &Device) -> Self {
        let norm = || RmsNormConfig::new(shape.hidden).with_epsilon(1e-6).init(device);
        let project = |width| linear(shape.hidden, width, shape.is_qwen2, device);
        Self {
            attention_norm: norm(),
            query: project(shape.hidden),
            key: project(shape.kv_width()),
            value: project(shape.kv_width()),
            output: linear(shape.hidden, shape.hidden, false, device),
            mlp_norm: norm(),
            gate_up: SwiGluConfig::new(shape.hidden, shape.intermediate).with_initializer(INITIALIZER).init(device),
            down: linear(shape.intermediate, shape.hidden, false, device),
            heads: shape.heads,
            kv_heads: shape.kv_heads,
        }
    }

    fn forward(&self, x: Tensor<3>, rope: &RotaryEncoding) -> Tensor<3> {
        let [batch, time, hidden] = x.dims();
        let normed = self.attention_norm.forward(x.clone());
        let (head_dim, group) = (hidden / self.heads, self.heads / self.kv_heads);
        let heads = |linear: &Linear, heads| {
            linear.forward(normed.clone()).reshape([batch, time, heads, head_dim]).swap_dims(1, 2)
        };
        // Attention wants a key for each query.
        let repeat = |x: Tensor<4>| match group {
            1 => x,
            _ => x.unsqueeze_dim::<5>(2).repeat_dim(2, group).reshape([batch, self.heads, time, head_dim]),
        };
        let (query, key) = (heads(&self.query, self.heads), heads(&self.key, self.kv_heads));
        let (query, key) = (rope.forward(query), repeat(rope.forward(key)));
        // Padding stands to the right, where no query of a sequence looks.
        let causal = AttentionModuleOptions { is_causal: true, ..Default::default() };
        let mixed = attention(query, key, repeat(heads(&self.value, self.kv_heads)), None, None, causal);
        let x = x + self.output.forward(mixed.swap_dims(1, 2).reshape([batch, time, hidden]));
        x.clone() + self.down.forward(self.gate_up.forward(self.mlp_norm.forward(x)))
    }
}

#[derive(Module, Debug)]
struct Llama {
    embedding: Embedding,
    layers: Vec<Layer>,
    norm: RmsNorm,
    /// None if it is the embedding.
    lm_head: Option<Linear>,
    rope: RotaryEncoding,
}

impl Llama {
    fn new(shape: &Shape, device: &Device) -> Self {
        Self {
            embedding: EmbeddingConfig::new(shape.vocab, shape.hidden).with_initializer(INITIALIZER).init(device),
            layers: (0..shape.layers).map(|_| Layer::new(shape, device)).collect(),
            norm: RmsNormConfig::new(shape.hidden).with_epsilon(1e-6).init(device),
            lm_head: (!shape.is_qwen2).then(|| linear(shape.hidden, shape.vocab, false, device)),
            rope: RotaryEncodingConfig::new(MAX_POSITIONS, shape.hidden / shape.heads).init(device),
        }
    }

    fn loss(&self, tokens: Tensor<2, Int>, targets: Tensor<2, Int>, cross_entropy: &CrossEntropyLoss) -> Tensor<1> {
        let [batch, time] = tokens.dims();
        let embedded = self.embedding.forward(tokens);
        let hidden = self.layers.iter().fold(embedded, |x, layer| layer.forward(x, &self.rope));
        let hidden = self.norm.forward(hidden);
        let vocab = self.embedding.weight.dims()[0];
        let at_once = (MAX_LOGITS / (time * vocab)).clamp(1, batch);
        let losses = hidden.split(at_once, 0).into_iter().zip(targets.split(at_once, 0)).map(|(hidden, targets)| {
            let logits = match &self.lm_head {
                Some(lm_head) => lm_head.forward(hidden),
                None => hidden.matmul(self.embedding.weight.val().transpose().unsqueeze()),
            };
            let share = targets.dims()[0] as f32 / batch as f32;
            cross_entropy.forward(logits.flatten::<2>(0, 1), targets.flatten(0, 1)) * share
        });
        losses.reduce(|sum, loss| sum + loss).expect("a sequence")
    }
}

fn linear(inputs: usize, outputs: usize, has_bias: bool, device: &Device) -> Linear {
    LinearConfig::new(inputs, outputs).with_bias(has_bias).with_initializer(INITIALIZER).init(device)
}

/// Random sequences and what follows each of their tokens, both padded, `[batch, time]`.
fn batch(shape: &Shape, device: &Device) -> (Tensor<2, Int>, Tensor<2, Int>) {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let longest = shape.lengths.iter().copied().max().unwrap_or(0);
    let (mut tokens, mut targets) = (Vec::<i64>::new(), Vec::<i64>::new());
    for &len in &shape.lengths {
        let mut sequence: Vec<i64> = (0..len).map(|_| rng.random_range(PAD as i64 + 1..shape.vocab as i64)).collect();
        sequence.resize(longest + 1, PAD as i64);
        tokens.extend(&sequence[..longest]);
        targets.extend(&sequence[1..]);
    }
    let tensor =
        |entries: Vec<i64>| Tensor::from_data(TensorData::new(entries, [shape.lengths.len(), longest]), device);
    (tensor(tokens), tensor(targets))
}

#[cfg(feature = "burn-wgpu")]
fn device() -> Device {
    Device::vulkan(burn::tensor::DeviceKind::DefaultDevice)
}

#[cfg(not(feature = "burn-wgpu"))]
fn device() -> Device {
    Device::flex()
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| asked.iter().find_map(|asked| asked.strip_prefix(name)?.parse::<usize>().ok());
    let name = asked.iter().find(|asked| !asked.contains('=')).map_or("a", |name| name);
    let steps = number("steps=").unwrap_or(15).max(1);
    let shape = Shape::of(name, number("length=").unwrap_or(512)).expect("one of the models a, b, c and qwen");
    let device = device().autodiff();
    device.seed(0);
    let mut model = Llama::new(&shape, &device);
    let embedding = if shape.is_qwen2 { 0 } else { shape.vocab * shape.hidden };
    assert_eq!(model.num_params(), shape.parameters() + embedding);
    let clipping = number("clip=").map(|norm| GradientClippingConfig::Norm(norm as f32));
    let mut adam = AdamWConfig::new().with_weight_decay(0.01).with_grad_clipping(clipping).init();
    let cross_entropy = CrossEntropyLossConfig::new().with_pad_tokens(Some(vec![PAD])).init(&device);
    let (tokens, targets) = batch(&shape, &device);

    let mut losses = Vec::new();
    let warm_up = 3.min(steps - 1);
    let median = median_seconds(warm_up, steps - warm_up, || {
        let loss = model.loss(tokens.clone(), targets.clone(), &cross_entropy);
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = adam.step(1e-4, model.clone(), gradients);
        losses.push(loss.into_scalar::<f32>());
        device.sync().expect("a step");
    });
    // What a GPU holds, where there is one: pools do not shrink.
    let pools = device.memory_pool_usage().map(|usage| (usage.bytes_reserved >> 20).to_string());
    let rows: usize = shape.lengths.iter().sum();
    println!(
        "{name} burn: {:.1} ms, {:.0} GFLOP/s, {rows} tokens, loss {:.3} to {:.3}, {} MiB at most",
        1e3 * median,
        (6 * shape.parameters() * rows) as f64 / median / 1e9,
        losses[0],
        losses[losses.len() - 1],
        pools.unwrap_or_else(peak_mebibytes),
    );
}
