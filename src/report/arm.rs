//! One arm of a run: a game and what was logged of it.

use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Table;

use super::ReportError;
use super::alarms::Alarm;
use super::heat_map::WinRates;
use super::metrics::Metrics;
use super::run::json;
use super::samples::Sample;
use crate::json_lines;

/// What an arm has written.
pub(super) struct Arm {
    pub(super) name: String,
    /// Rounds that are to be played.
    pub(super) rounds: Option<i64>,
    pub(super) metrics: Metrics,
    pub(super) samples: Vec<Sample>,
    pub(super) alarms: Vec<Alarm>,
    pub(super) win_rates: Option<WinRates>,
}

impl Arm {
    pub(super) fn open(folder: &Path, settings: &Table) -> Result<Self, ReportError> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let of_arm = settings.get("arms").and_then(|arms| arms.get(&name)).and_then(|arm| arm.get("rounds"));
        let rounds = of_arm.or_else(|| settings.get("game").and_then(|game| game.get("rounds")));
        let path = folder.join("win_rates.json");
        let win_rates: Option<WinRates> = json(&path)?;
        if let Some(problem) = win_rates.as_ref().and_then(WinRates::problem) {
            return Err(ReportError::WinRates { path, problem });
        }
        Ok(Self {
            name,
            rounds: rounds.and_then(toml::Value::as_integer),
            metrics: Metrics::new(json_lines::read(&folder.join("metrics.jsonl"))?),
            samples: lines(&folder.join("samples.jsonl"))?,
            alarms: lines(&folder.join("alarms.jsonl"))?,
            win_rates,
        })
    }

    /// Whether its generator learns; of rules, which have no policy, divergence and entropy are logged as zero.
    pub(super) fn has_policy(&self) -> bool {
        !self.metrics.series("generator/lr").is_empty()
    }
}

/// The lines of a file, if it is there.
fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, ReportError> {
    if path.exists() { Ok(json_lines::read(path)?) } else { Ok(Vec::new()) }
}
