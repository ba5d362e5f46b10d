//! Batched generation with a cache of keys and values: 64 prompts of 32 tokens, 64 tokens for each, drawn from the
//! policy itself, by the model b of `train_step`; and where the time goes.
//!
//! `cargo bench -p aprm-models --bench generate`, on as many threads as `RAYON_NUM_THREADS` says.

#[path = "support/peak.rs"]
mod peak;
#[path = "support/peak_memory.rs"]
mod peak_memory;
#[path = "support/timed.rs"]
mod timed;

use std::convert::Infallible;
use std::time::Instant;

use aprm_core::backend::Backend;
use aprm_core::policy::Sampler;
use aprm_models::config::ModelConfig;
use aprm_models::generate::{Generation, Generator};
use aprm_models::transformer::{Parameters, Transformer};
use aprm_ndarray::Cpu;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use self::peak_memory::peak_memory;
use self::timed::{Timed, print_table};

const PROMPTS: usize = 64;
const PROMPT_LEN: usize = 32;
const NEW_TOKENS: usize = 64;

const CONFIG: &str = r#"{"model_type": "llama", "hidden_size": 256, "num_hidden_layers": 6, "vocab_size": 2048,
    "intermediate_size": 704, "num_attention_heads": 8, "max_position_embeddings": 512, "rms_norm_eps": 1e-6}"#;

fn main() {
    // From within the pool: a kernel that is called from elsewhere is handed over to it, and waited for.
    let Ok(()) = rayon::scope(|_| bench());
}

fn bench() -> Result<(), Infallible> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut cpu = Timed::new(Cpu::<f32>::new());
    let model = Transformer::new(&mut cpu, ModelConfig::parse(CONFIG.as_bytes()).expect("a valid config"))?;
    let mut weights = Parameters::zeros(&mut cpu, &model.layout)?;
    for (buffer, spec) in weights.0.iter_mut().zip(&model.layout.tensors) {
        let mut entry = || if spec.is_vector { 1.0 } else { rng.random_range(-0.02..0.02) };
        let entries: Vec<f32> = (0..spec.len()).map(|_| entry()).collect();
        cpu.write(&entries, buffer, 0)?;
    }
    let vocab = model.config.vocab_size as u32;
    let prompts: Vec<u32> = (0..PROMPTS * PROMPT_LEN).map(|_| rng.random_range(0..vocab)).collect();
    let prompts: Vec<&[u32]> = prompts.chunks(PROMPT_LEN).collect();
    let generation = Generation { max_new_tokens: NEW_TOKENS, sampler: Sampler::default(), stop: &[] };

    let (mut times, mut kernels) = (Vec::new(), Vec::new());
    for _ in 0..11 {
        cpu.take();
        let begin = Instant::now();
        let mut generator = Generator::new(&mut cpu, &model, PROMPTS, PROMPT_LEN + NEW_TOKENS, PROMPTS * PROMPT_LEN)?;
        let continuations = generator.generate(&mut cpu, &model, &weights, &prompts, generation, &mut rng)?;
        times.push(begin.elapsed().as_secs_f64());
        kernels.push(cpu.take());
        assert!(continuations.iter().all(|continuation| continuation.tokens.len() == NEW_TOKENS));
    }
    // The first is warm-up.
    let (mut times, kernels) = (times.split_off(1), kernels.split_off(1));
    times.sort_by(f64::total_cmp);
    let (median, tokens) = (times[times.len() / 2], (PROMPTS * NEW_TOKENS) as f64);
    println!(
        "generate aprm: {:.0} tokens/s, {:.0} ms, best {:.0} ms, {} MiB at most",
        tokens / median,
        1e3 * median,
        1e3 * times[0],
        peak_memory().map_or("?".into(), |bytes| (bytes >> 20).to_string()),
    );
    print_table(&kernels);
    Ok(())
}
