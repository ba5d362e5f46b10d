//! A run's folder, as far as the run has come.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Table;

use super::ReportError;
use super::arm::Arm;
use super::summary::Summary;

/// What a run has written.
pub(super) struct Run {
    /// The settings, as they stand in config.toml.
    pub(super) config: String,
    pub(super) seed: Option<i64>,
    /// Missing until the run has ended.
    pub(super) summary: Option<Summary>,
    /// By name.
    pub(super) arms: Vec<Arm>,
}

impl Run {
    pub(super) fn open(folder: &Path) -> Result<Self, ReportError> {
        let path = folder.join("config.toml");
        if !path.is_file() {
            return Err(ReportError::NoRun(folder.into()));
        }
        let config = fs::read_to_string(&path).map_err(|source| ReportError::Read { path: path.clone(), source })?;
        let settings: Table = config.parse().map_err(|source| ReportError::Toml { path, source: Box::new(source) })?;
        let arms = arms(folder)?.iter().map(|arm| Arm::open(arm, &settings)).collect::<Result<_, _>>()?;
        Ok(Self {
            seed: settings.get("seed").and_then(toml::Value::as_integer),
            summary: json(&folder.join("summary.json"))?,
            arms,
            config,
        })
    }

    /// The last round that any arm has played.
    pub(super) fn last_round(&self) -> u64 {
        self.arms.iter().filter_map(|arm| arm.metrics.last_round()).max().unwrap_or(0)
    }
}

/// The folders of a run in which a game was logged, by name.
fn arms(folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let failed = |source| ReportError::Read { path: folder.into(), source };
    let mut arms = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.join("metrics.jsonl").is_file() {
            arms.push(path);
        }
    }
    arms.sort();
    Ok(arms)
}

/// A file of JSON, if it is there.
pub(super) fn json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ReportError> {
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read(path).map_err(|source| ReportError::Read { path: path.into(), source })?;
    serde_json::from_slice(&text).map(Some).map_err(|source| ReportError::Json { path: path.into(), source })
}
