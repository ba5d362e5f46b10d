use std::io;
use std::path::PathBuf;

use crate::json_lines::JsonLinesError;

/// Why a run has no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    #[error("{} is no run: it has no config.toml", .0.display())]
    NoRun(PathBuf),
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Toml { path: PathBuf, source: Box<toml::de::Error> },
    #[error("{}: {source}", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    #[error(transparent)]
    Lines(#[from] JsonLinesError),
    #[error("{}: {problem}", path.display())]
    WinRates { path: PathBuf, problem: String },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot print")]
    Print(#[source] io::Error),
}

impl ReportError {
    /// 2 for bad input, 1 for work that failed.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Write { .. } | Self::Print(_) => 1,
            _ => 2,
        }
    }
}
