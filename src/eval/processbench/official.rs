//! The files that the benchmark's own scripts write.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use aprm_models::durable_file::{Disk, replace};

use super::subset::Subset;
use crate::eval::EvalError;

/// For each subset one file of the solutions with an error and one of those without, every row with its prediction.
pub(super) fn write(folder: &Path, subsets: &[Subset], predictions: &[Vec<Option<usize>>]) -> Result<(), EvalError> {
    fs::create_dir_all(folder).map_err(|source| EvalError::Write { path: folder.into(), source })?;
    for (Subset { name, rows, .. }, predictions) in subsets.iter().zip(predictions) {
        for (kind, has_error) in [("error", true), ("correct", false)] {
            let file = format!("{name}_{kind}.jsonl");
            let judged = rows.iter().zip(predictions).filter(|(row, _)| row.first_error.is_some() == has_error);
            let written = replace(&Disk(folder.into()), &file, |out| {
                for (row, prediction) in judged {
                    serde_json::to_writer(&mut *out, &row.judged(*prediction))?;
                    writeln!(out)?;
                }
                Ok::<_, io::Error>(())
            });
            written.map_err(|source| EvalError::Write { path: folder.join(file), source })?;
        }
    }
    Ok(())
}
