//! Model files: what is accepted, what is refused, and what survives a crash; and models held to transformers.

mod aprm;
mod arithmetic;
mod benchmark;
mod checkpoint;
mod config;
mod data;
mod data_sets;
mod durable_file;
mod game_state;
mod health;
mod learner;
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

/// The golden models, each in a folder that transformers has written.
const FAMILIES: [&str; 5] = ["llama", "llama3", "mistral", "qwen2", "qwen3"];

fn golden(family: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(family)
}
