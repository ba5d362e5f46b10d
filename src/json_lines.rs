//! Files of one JSON object per line, also while they are being written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a file of JSON lines could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JsonLinesError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}:{line}: {problem}", path.display())]
    Line { path: PathBuf, line: usize, problem: String },
}

/// All lines of a file; a last one that somebody is still writing is left out.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, JsonLinesError> {
    rows(path, true)
}

/// All lines of a file that nobody is writing.
pub(crate) fn read_whole<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, JsonLinesError> {
    rows(path, false)
}

fn rows<T: DeserializeOwned>(path: &Path, is_growing: bool) -> Result<Vec<T>, JsonLinesError> {
    let text = fs::read(path).map_err(|source| JsonLinesError::Read { path: path.into(), source })?;
    let mut rows = Vec::new();
    for (i, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        match serde_json::from_slice(line) {
            Ok(row) => rows.push(row),
            Err(_) if is_growing && !line.ends_with(b"\n") => break,
            Err(error) => {
                // Its own line number counts from the start of this line.
                let (problem, column) = (error.to_string(), format!(" at line {} column", error.line()));
                let problem = problem.replace(&column, " at column");
                return Err(JsonLinesError::Line { path: path.into(), line: i + 1, problem });
            }
        }
    }
    Ok(rows)
}
