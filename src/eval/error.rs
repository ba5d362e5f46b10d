use std::io;
use std::path::PathBuf;

use aprm_models::data::RowError;
use aprm_models::step_scorer::SolutionError;

use crate::prm::PrmError;

/// Why nothing was judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvalError {
    #[error(transparent)]
    Prm(#[from] PrmError),
    #[error("cannot read {}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Row(#[from] RowError),
    #[error("{}:{line}: {source}", path.display())]
    Solution { path: PathBuf, line: usize, source: SolutionError },
    #[error("{} holds no row", path.display())]
    Empty { path: PathBuf },
    #[error("two files are called {name}, so their results could not be told apart")]
    SameName { name: String },
    #[error("--fit {name} is none of the subsets, which are: {names}")]
    NoSubset { name: String, names: String },
    #[error(
        "no threshold can be fitted on {name}, where all solutions are right or all are wrong; \
             give --threshold, or another --fit"
    )]
    NoFit { name: String },
    #[error("--threshold {0} is not a number between 0 and 1")]
    Threshold(f64),
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot print")]
    Print(#[from] io::Error),
}

impl EvalError {
    /// 2 for bad input, 1 for work that failed.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Write { .. } | Self::Print(_) | Self::Prm(PrmError::Device(_)) => 1,
            _ => 2,
        }
    }
}
