//! Model files: what is accepted, what is refused, and what survives a crash; and models held to transformers.

mod checkpoint;
mod config;
mod durable_file;
mod safetensors;
mod transformer;

use std::path::PathBuf;

/// The golden models, each in a folder that transformers has written.
const FAMILIES: [&str; 5] = ["llama", "llama3", "mistral", "qwen2", "qwen3"];

fn golden(family: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(family)
}
