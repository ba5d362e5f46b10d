use std::io;
use std::path::PathBuf;

use aprm_models::data::RowError;
use aprm_models::evaluator::SequenceError;
use aprm_models::step_scorer::SolutionError;

use crate::prm::PrmError;

/// Why nothing, or not all, was scored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScoreError {
    #[error(transparent)]
    Prm(#[from] PrmError),
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
            Self::Print(_) | Self::Prm(PrmError::Device(_)) => 1,
            _ => 2,
        }
    }
}
