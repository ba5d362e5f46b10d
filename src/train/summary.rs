//! What a run found, as a table and as JSON.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use aprm_models::aprm::evaluation::Evaluation;
use aprm_models::durable_file::{Disk, replace};
use serde::{Deserialize, Serialize};

use super::TrainError;

/// Stands in the place of a reward model: the likelihood of steps under the language model that all begin from.
pub(crate) const LIKELIHOOD: &str = "likelihood";

/// One reward model on one set.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Row {
    pub(crate) prm: String,
    pub(crate) set: String,
    #[serde(flatten)]
    pub(crate) evaluation: Evaluation,
}

/// All reward models on all sets.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Summary {
    pub(crate) seed: u64,
    pub(crate) rows: Vec<Row>,
}

impl Summary {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and names")
    }

    /// That of a run that has ended, if this one has.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, TrainError> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| TrainError::Read { path: path.into(), source })?,
        };
        let summary = serde_json::from_str(&text);
        summary.map(Some).map_err(|source| TrainError::Summary { path: path.into(), source })
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), TrainError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("summary.json");
        replace(&Disk(folder.into()), name, |out| writeln!(out, "{}", self.to_json()))
            .map_err(|source| TrainError::Write { path: path.into(), source })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return writeln!(f, "Nobody was judged: `aprm eval` does that on published data.");
        }
        let attempts = self.rows.first().map_or(0, |row| row.evaluation.attempts);
        writeln!(f, "Share of problems solved by the best of {attempts} attempts, as the reward model ranks them:\n")?;
        writeln!(f, "| set | PRM | best-of-N | step AUC | first-error F1 | blind | majority | oracle |")?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|---:|")?;
        for Row { prm, set, evaluation } in &self.rows {
            let share = |share: Option<f64>| share.map_or("–".into(), |share| format!("{share:.3}"));
            writeln!(
                f,
                "| {set} | {prm} | {:.3} | {} | {} | {:.3} | {:.3} | {:.3} |",
                evaluation.best_of_n,
                share(evaluation.step_auc),
                share(evaluation.first_error_f1),
                evaluation.mean,
                evaluation.majority,
                evaluation.oracle,
            )?;
        }
        Ok(())
    }
}
