//! A training step (forward, backward, AdamW) of a small Llama model in burn, on padded batches as its users run them.
//!
//! `cargo run --release --bin burn -- [a|b|c]`, on as many threads as `RAYON_NUM_THREADS` says.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
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
}

impl Layer {
    fn new(shape: &Shape, device: &Device) -> Self {
        let norm = || RmsNormConfig::new(shape.hidden).with_epsilon(1e-6).init(device);
        let square = || linear(shape.hidden, shape.hidden, device);
        Self {
            attention_norm: norm(),
            query: square(),
            key: square(),
            value: square(),
            output: square(),
            mlp_norm: norm(),
            gate_up: SwiGluConfig::new(shape.hidden, shape.intermediate).with_initializer(INITIALIZER).init(device),
            down: linear(shape.intermediate, shape.hidden, device),
            heads: shape.heads,
        }
    }

    fn forward(&self, x: Tensor<3>, rope: &RotaryEncoding) -> Tensor<3> {
        let [batch, time, hidden] = x.dims();
        let normed = self.attention_norm.forward(x.clone());
        let heads = |linear: &Linear| {
            linear.forward(normed.clone()).reshape([batch, time, self.heads, hidden / self.heads]).swap_dims(1, 2)
        };
        let (query, key) = (rope.forward(heads(&self.query)), rope.forward(heads(&self.key)));
        // Padding stands to the right, where no query of a sequence looks.
        let causal = AttentionModuleOptions { is_causal: true, ..Default::default() };
        let mixed = attention(query, key, heads(&self.value), None, None, causal);
        let x = x + self.output.forward(mixed.swap_dims(1, 2).reshape([batch, time, hidden]));
        x.clone() + self.down.forward(self.gate_up.forward(self.mlp_norm.forward(x)))
    }
}

#[derive(Module, Debug)]
struct Llama {
    embedding: Embedding,
    layers: Vec<Layer>,
    norm: RmsNorm,
    lm_head: Linear,
    rope: RotaryEncoding,
}

impl Llama {
    fn new(shape: &Shape, device: &Device) -> Self {
        Self {
            embedding: EmbeddingConfig::new(shape.vocab, shape.hidden).with_initializer(INITIALIZER).init(device),
            layers: (0..shape.layers).map(|_| Layer::new(shape, device)).collect(),
            norm: RmsNormConfig::new(shape.hidden).with_epsilon(1e-6).init(device),
            lm_head: linear(shape.hidden, shape.vocab, device),
            rope: RotaryEncodingConfig::new(MAX_POSITIONS, shape.hidden / shape.heads).init(device),
        }
    }

    fn forward(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let embedded = self.embedding.forward(tokens);
        let hidden = self.layers.iter().fold(embedded, |x, layer| layer.forward(x, &self.rope));
        self.lm_head.forward(self.norm.forward(hidden))
    }
}

fn linear(inputs: usize, outputs: usize, device: &Device) -> Linear {
    LinearConfig::new(inputs, outputs).with_bias(false).with_initializer(INITIALIZER).init(device)
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

fn main() {
    let name = std::env::args().nth(1).unwrap_or("a".into());
    let shape = Shape::of(&name).expect("one of the models a, b and c");
    let device = Device::flex().autodiff();
    device.seed(0);
    let mut model = Llama::new(&shape, &device);
    assert_eq!(model.num_params(), shape.parameters() + shape.vocab * shape.hidden);
    let mut adam = AdamWConfig::new().with_weight_decay(0.01).init();
    let cross_entropy = CrossEntropyLossConfig::new().with_pad_tokens(Some(vec![PAD])).init(&device);
    let (tokens, targets) = batch(&shape, &device);

    let mut losses = Vec::new();
    let median = median_seconds(3, 12, || {
        let logits = model.forward(tokens.clone()).flatten::<2>(0, 1);
        let loss = cross_entropy.forward(logits, targets.clone().flatten(0, 1));
        losses.push(loss.clone().into_scalar::<f32>());
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = adam.step(1e-4, model.clone(), gradients);
    });
    let rows: usize = shape.lengths.iter().sum();
    println!(
        "{name} burn: {:.0} ms, {:.0} GFLOP/s, {rows} tokens, loss {:.3} to {:.3}, {} MiB at most",
        1e3 * median,
        (6 * shape.parameters() * rows) as f64 / median / 1e9,
        losses[0],
        losses[losses.len() - 1],
        peak_mebibytes(),
    );
}
