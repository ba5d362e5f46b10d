//! Files of one JSON object a line.

use std::io::Write;
use std::path::Path;

use aprm_models::durable_file::{Disk, replace};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::TrainError;
use crate::json_lines;

/// Writes all rows, or nothing.
pub(crate) fn write_rows<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), TrainError> {
    let folder = Disk(path.parent().unwrap_or(Path::new(".")).into());
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let written =
        replace(&folder, name, |out| rows.iter().try_for_each(|row| writeln!(out, "{}", serde_json::to_string(row)?)));
    written.map_err(|source| TrainError::Write { path: path.into(), source })
}

/// Reads them back.
pub(crate) fn read_rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, TrainError> {
    Ok(json_lines::read_whole(path)?)
}
