use std::io;
use std::path::PathBuf;

use aprm::game_file::GameFileError;

/// Why a game could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlayError {
    #[error("cannot read the game file {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} holds no game", path.display())]
    Game { path: PathBuf, source: GameFileError },
    #[error("{flags} would do nothing in this game; `aprm play --help` says what is for which")]
    Idle { flags: String },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot plot to {}: {problem}", path.display())]
    Plot { path: PathBuf, problem: String },
    #[error("cannot print")]
    Print(#[from] io::Error),
    #[error("the profile diverged to infinity at iteration {iteration}; try a learning rate below {learning_rate}")]
    Diverged { iteration: usize, learning_rate: f64 },
}

impl PlayError {
    /// 2 for bad input, 1 for work that failed.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Read { .. } | Self::Game { .. } | Self::Idle { .. } => 2,
            Self::Write { .. } | Self::Plot { .. } | Self::Print(_) | Self::Diverged { .. } => 1,
        }
    }
}
