//! Model files: what is accepted, what is refused, and what survives a crash; and models held to transformers.

mod aprm;
mod arithmetic;
mod attempt_scores;
mod benchmark;
mod bf16;
mod checkpoint;
mod collection;
mod config;
mod critic;
mod data;
mod data_sets;
mod durable_file;
mod game_state;
mod generator_loss;
mod graft;
mod gsm8k_task;
mod health;
mod learner;
mod lesson;
mod low_rank;
mod oracle;
#[cfg(unix)]
mod process_oracle;
mod recomputation;
mod safetensors;
mod score_head;
mod step_scorer;
#[cfg(feature = "tokenizers")]
mod step_text;
mod tiny;
mod tokenizer;
mod training_state;
mod transformer;

use std::path::PathBuf;

use aprm_wgpu::{Adapter, Gpu, Limits};

/// The golden models, each in a folder that transformers has written.
const FAMILIES: [&str; 5] = ["llama", "llama3", "mistral", "qwen2", "qwen3"];

/// Whether tests of the GPU were switched off, by `APRM_GPU=off`.
fn gpu_is_off() -> bool {
    let is_off = std::env::var("APRM_GPU").is_ok_and(|value| value == "off");
    if is_off {
        eprintln!("SKIPPED: APRM_GPU=off");
    }
    is_off
}

/// The first GPU, or the one that `APRM_ADAPTER` names; Mesa's software will do.
fn gpu() -> Gpu {
    let name = std::env::var("APRM_ADAPTER").ok();
    Adapter::choose(name.as_deref()).and_then(|adapter| adapter.open(Limits::default())).unwrap_or_else(|error| {
        panic!("{error}; `apt-get install mesa-vulkan-drivers` gives one in software, APRM_GPU=off goes without")
    })
}

fn golden(family: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(family)
}
