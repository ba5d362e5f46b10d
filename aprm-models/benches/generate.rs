//! Batched generation with a cache of keys and values: prompts of 32 tokens, as many tokens for each, drawn from the policy
//! itself; and where the time goes.
//!
//! `cargo bench -p aprm-models --bench generate [-- [a|b|qwen] [gpu] [matrices] [prompts=64] [tokens=64] [rounds=11]]`, by model
//! b if none is named: on as many threads as `RAYON_NUM_THREADS` says, or on a GPU, as `gpu_step` chooses one.

#[path = "support/gpu.rs"]
mod gpu;
#[path = "support/models.rs"]
mod models;
#[path = "support/peak.rs"]
mod peak;
#[path = "support/peak_memory.rs"]
mod peak_memory;
#[path = "support/timed.rs"]
mod timed;

use std::error::Error;
use std::time::Instant;

use aprm_core::backend::Backend;
use aprm_core::policy::Sampler;
use aprm_models::generate::{Generation, Generator};
use aprm_models::transformer::{Parameters, Transformer};
use aprm_ndarray::Cpu;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use self::peak_memory::peak_memory;
use self::timed::{Timed, print_table};

const PROMPT_LEN: usize = 32;

/// What is generated, and how often.
#[derive(Clone, Debug)]
struct Work {
    model: String,
    prompts: usize,
    tokens: usize,
    rounds: usize,
}

impl Work {
    /// Seconds of each round, of which the first is warm-up.
    fn run<B>(&self, device: &mut B, mut at_end: impl FnMut(&mut B)) -> Result<Vec<f64>, B::Error>
    where
        B: Backend<Scalar = f32>,
    {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let model = Transformer::new(device, models::config(&self.model).expect("a model's name"))?;
        let mut weights = Parameters::zeros(device, &model.layout)?;
        for (buffer, spec) in weights.0.iter_mut().zip(&model.layout.tensors) {
            let mut entry = || if spec.is_vector { 1.0 } else { rng.random_range(-0.02..0.02) };
            let entries: Vec<f32> = (0..spec.len()).map(|_| entry()).collect();
            device.write(&entries, buffer, 0)?;
        }
        let vocab = model.config.vocab_size as u32;
        let prompts: Vec<u32> = (0..self.prompts * PROMPT_LEN).map(|_| rng.random_range(0..vocab)).collect();
        let prompts: Vec<&[u32]> = prompts.chunks(PROMPT_LEN).collect();
        let generation = Generation { max_new_tokens: self.tokens, sampler: Sampler::default(), stop: &[] };
        let mut times = Vec::new();
        for _ in 0..self.rounds {
            let begin = Instant::now();
            let capacity = PROMPT_LEN + self.tokens;
            let mut generator = Generator::new(device, &model, prompts.len(), capacity, prompts.len() * PROMPT_LEN)?;
            let continuations = generator.generate(device, &model, &weights, &prompts, generation, &mut rng)?;
            times.push(begin.elapsed().as_secs_f64());
            at_end(device);
            assert!(continuations.iter().all(|continuation| continuation.tokens.len() == self.tokens));
        }
        Ok(times)
    }

    fn print(&self, mut times: Vec<f64>, peak_bytes: Option<usize>) {
        times.sort_by(f64::total_cmp);
        let (median, tokens) = (times[times.len() / 2], (self.prompts * self.tokens) as f64);
        println!(
            "generate aprm: {:.0} tokens/s, {:.0} ms, best {:.0} ms, {} MiB at most",
            tokens / median,
            1e3 * median,
            1e3 * times[0],
            peak_bytes.map_or("?".into(), |bytes| (bytes >> 20).to_string()),
        );
    }

    fn on_cpu(&self) {
        let mut cpu = Timed::new(Cpu::<f32>::new());
        let mut kernels = Vec::new();
        let Ok(mut times) = self.run(&mut cpu, |cpu| kernels.push(cpu.take()));
        self.print(times.split_off(1), peak_memory());
        print_table(&kernels.split_off(1));
    }

    fn on_gpu(&self, wants_matrices: bool) -> Result<(), Box<dyn Error>> {
        let mut gpu = gpu::open(wants_matrices)?;
        let mut times = self.run(&mut gpu, |_| ())?;
        self.print(times.split_off(1), usize::try_from(gpu.work().peak_bytes).ok());
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let says = |word: &str| asked.iter().any(|asked| asked == word);
    let number = |name: &str| asked.iter().find_map(|asked| asked.strip_prefix(name)?.parse().ok());
    let work = Work {
        model: ["a", "qwen"].into_iter().find(|name| says(name)).unwrap_or("b").to_owned(),
        prompts: number("prompts=").unwrap_or(64).max(1),
        tokens: number("tokens=").unwrap_or(64).max(1),
        rounds: number("rounds=").unwrap_or(11).max(2),
    };
    if says("gpu") || says("matrices") {
        return work.on_gpu(says("matrices"));
    }
    // From within the pool: a kernel that is called from elsewhere is handed over to it, and waited for.
    rayon::scope(|_| work.on_cpu());
    Ok(())
}
