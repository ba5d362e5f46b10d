//! A language model over the characters of a text, trained beside PyTorch: `gsm8k_characters.py` starts from the same
//! weights and sees the same windows in the same order, and `gsm8k_curves.py` compares the losses.
//!
//! ```text
//! cargo run --release -p aprm-models --example gsm8k_characters -- train.jsonl FOLDER 300 > ours.csv
//! python aprm-models/examples/gsm8k_characters.py train.jsonl FOLDER 300 > pytorch.csv
//! python aprm-models/examples/gsm8k_curves.py ours.csv pytorch.csv
//! ```
//!
//! FOLDER takes the weights before the first step, in Hugging Face's form.

use std::error::Error;
use std::fs;
use std::path::Path;

use aprm_core::backend::Backend;
use aprm_core::optimizer::{Decay, Schedule};
use aprm_models::checkpoint::Checkpoint;
use aprm_models::config::ModelConfig;
use aprm_models::learner::{AdamCoefficients, Learner, LearnerConfig, RuleConfig};
use aprm_models::safetensors::Precision;
use aprm_models::transformer::{Activations, Batch, Parameters, PolicyHead, Scratch, Transformer};
use aprm_ndarray::Cpu;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const WINDOWS: usize = 64;
const LEN: usize = 128;

/// The first characters of windows into a text.
///
/// ```text
/// x_0 = 1,   x_{n+1} = 6364136223846793005 x_n + 1442695040888963407 mod 2⁶⁴
/// start_n = ⌊x_{n+1} / 2³³⌋ mod (characters − 127)
/// ```
///
/// # Reference
/// The multiplier and the increment are those of Knuth's MMIX.
struct WindowStarts {
    x: u64,
    choices: u64,
}

impl Iterator for WindowStarts {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.x = self.x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some(((self.x >> 33) % self.choices) as usize)
    }
}

/// A text as indices into its characters, which are sorted by their code points.
fn tokens(text: &str) -> (Vec<u32>, usize) {
    let mut alphabet: Vec<char> = text.chars().collect();
    alphabet.sort_unstable();
    alphabet.dedup();
    let index = |character| alphabet.binary_search(&character).expect("a character of the text") as u32;
    (text.chars().map(index).collect(), alphabet.len())
}

fn config(vocab: usize) -> ModelConfig {
    let json = format!(
        r#"{{"model_type": "llama", "hidden_size": 128, "num_hidden_layers": 3, "vocab_size": {vocab},
            "intermediate_size": 352, "num_attention_heads": 4, "max_position_embeddings": {LEN},
            "rms_norm_eps": 1e-6}}"#
    );
    ModelConfig::parse(json.as_bytes()).expect("a valid config")
}

/// Norms of one, and everything else uniform on ±0.0346, whose deviation is 0.02.
fn initial_weights(config: ModelConfig, seed: u64) -> Checkpoint {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let layout = aprm_models::layout::Layout::new(&config);
    let tensors = layout.tensors.iter().map(|spec| {
        let mut entry = || if spec.is_vector { 1.0 } else { rng.random_range(-0.0346..0.0346) };
        (0..spec.len()).map(|_| entry()).collect()
    });
    Checkpoint { config, weights: Parameters(tensors.collect()) }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [text, folder, steps] = &arguments[..] else {
        return Err("usage: gsm8k_characters TEXT FOLDER STEPS".into());
    };
    let (text, vocab) = tokens(&fs::read_to_string(text)?);
    let choices = text.len().checked_sub(LEN - 1).filter(|&choices| choices > 0).ok_or("the text is too short")?;
    let mut starts = WindowStarts { x: 1, choices: choices as u64 };

    let checkpoint = initial_weights(config(vocab), 0);
    checkpoint.save(Path::new(folder), Precision::F32)?;
    let mut cpu = Cpu::<f32>::new();
    let model = Transformer::new(&mut cpu, checkpoint.config)?;
    let weights = checkpoint.upload(&mut cpu)?;
    let adam = AdamCoefficients { weight_decay: 0.01, ..AdamCoefficients::default() };
    let schedule = Schedule { peak: 1e-3, warmup_steps: 20, decay: Decay::Constant };
    let learner = LearnerConfig { max_norm: Some(1.0), ..LearnerConfig::new(RuleConfig::Adam(adam), schedule) };
    let mut learner = Learner::new(&mut cpu, &model.layout, weights, learner)?;

    let rows = WINDOWS * LEN;
    let mut batch = Batch::new(&mut cpu, rows, WINDOWS)?;
    let mut activations = Activations::new(&mut cpu, &model.config, rows)?;
    let mut scratch = Scratch::new(&mut cpu, &model.config, rows)?;
    // Every character but the last of its window is trained to give the next.
    let selected: Vec<u32> = (0..rows as u32).filter(|row| row % LEN as u32 != LEN as u32 - 1).collect();
    let mut head = PolicyHead::new(&mut cpu, &model, selected.len())?;
    cpu.fill(selected.len(), -1.0 / selected.len() as f32, &mut head.gradients.log_prob)?;
    let mut log_probs = vec![0.0; selected.len()];

    println!("step,loss");
    for step in 0..steps.parse::<u64>()? {
        let windows: Vec<&[u32]> = starts.by_ref().take(WINDOWS).map(|start| &text[start..start + LEN]).collect();
        let targets: Vec<u32> = windows.iter().flat_map(|window| &window[1..]).copied().collect();
        batch.set(&mut cpu, &windows)?;
        learner.gradients.clear(&mut cpu, &model.layout)?;
        scratch.clear_hidden(&mut cpu, &model)?;
        let (weights, gradients) = (&learner.weights, &mut learner.gradients);
        model.forward(&mut cpu, weights, &batch, &mut activations)?;
        head.forward(&mut cpu, &model, weights, &activations, &selected, &targets, None)?;
        head.backward(&mut cpu, &model, weights, None, &mut scratch, gradients)?;
        model.backward(&mut cpu, weights, &batch, &mut activations, &mut scratch, gradients)?;
        cpu.read(&head.statistics.log_prob, 0, &mut log_probs)?;
        let loss = -log_probs.iter().map(|&log_prob| f64::from(log_prob)).sum::<f64>() / log_probs.len() as f64;
        println!("{step},{loss:.7}");
        learner.apply(&mut cpu, &format_args!("of step {step}"))?;
    }
    Ok(())
}
