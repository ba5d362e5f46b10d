use core::convert::Infallible;
use std::io;
use std::path::PathBuf;

use aprm_models::checkpoint::LoadError;
use aprm_models::config::Head;
use aprm_models::data::RowError;
use aprm_models::evaluator::SequenceError;
use aprm_models::step_scorer::{ScorerError, SolutionError};
use aprm_models::step_text::SetupError;
use aprm_models::tokenizer::FolderError;

/// Why nothing, or not all, was scored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScoreError {
    #[error("{} holds no model that can be loaded", path.display())]
    Model { path: PathBuf, source: LoadError },
    #[error("{} holds no tokenizer", path.display())]
    Tokenizer { path: PathBuf, source: FolderError },
    #[error("config.json does not say how steps are scored; choose --read-out: {choices}")]
    ReadOutInDoubt { choices: String },
    #[error("--read-out {asked} does not read this model's head; --read-out may be: {choices}")]
    OtherReadOut { asked: String, choices: String },
    #[error("no read-out reads the head {head:?}; try --logits")]
    NoReadOut { head: Head },
    #[error("the read-out cannot be used with this tokenizer")]
    Setup(#[from] SetupError),
    #[error("the read-out cannot be used with this model")]
    Scorer(#[from] ScorerError<Infallible>),
    #[error("cannot read {}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Row(#[from] RowError),
    #[error("{file}:{line}: {source}")]
    Solution { file: String, line: u64, source: SolutionError },
    #[error("{file}:{line}: {source}")]
    Sequence { file: String, line: u64, source: SequenceError },
    #[error("cannot print")]
    Print(#[from] io::Error),
}

impl ScoreError {
    /// 2 for bad input, 1 for work that failed.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Print(_) => 1,
            _ => 2,
        }
    }
}
