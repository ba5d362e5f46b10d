use std::path::PathBuf;

use aprm_models::data::ProcessBench;

use crate::eval::{EvalError, rows};

/// A file of rows.
pub(super) struct Subset {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) rows: Vec<ProcessBench>,
}

impl Subset {
    pub(super) fn labels(&self) -> Vec<Option<usize>> {
        self.rows.iter().map(|row| row.first_error).collect()
    }
}

/// All files, before anything is scored, so that a wrong line costs no time.
pub(super) fn read(files: &[PathBuf]) -> Result<Vec<Subset>, EvalError> {
    let mut subsets: Vec<Subset> = Vec::new();
    for path in files {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        if subsets.iter().any(|other| other.name == name) {
            return Err(EvalError::SameName { name });
        }
        subsets.push(Subset { name, path: path.clone(), rows: rows(path)? });
    }
    Ok(subsets)
}
