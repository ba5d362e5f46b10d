//! GSM8K in the place of the built-in problems.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where problems of GSM8K come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gsm8kConfig {
    /// Its `train.jsonl`.
    pub file: PathBuf,
    /// Problems with more characters, their solutions included, are left out.
    #[serde(default = "most_characters")]
    pub characters: usize,
    /// A program that judges steps beside the oracle of the arithmetic that they show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<JudgeConfig>,
}

/// What leaves room for a rewrite in the default context.
fn most_characters() -> usize {
    368
}

/// A program that judges steps, as [`ProcessOracle`](crate::oracle::ProcessOracle) asks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeConfig {
    /// It and its arguments.
    pub command: Vec<String>,
    /// The seconds that it has for an answer.
    #[serde(default = "patience")]
    pub seconds: u64,
    /// When it is asked.
    #[serde(default)]
    pub asked: Asked,
}

fn patience() -> u64 {
    30
}

/// When a judge is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Where the oracle cannot tell.
    #[default]
    IfUndecidable,
    /// Always, and nobody else.
    Always,
}
