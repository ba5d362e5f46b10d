//! Means over seeds, and how sure they are.

use std::fmt;
use std::io::Write;
use std::path::Path;

use aprm_models::aprm::evaluation::Evaluation;
use aprm_models::durable_file::{Disk, replace};
use serde::Serialize;

use super::page;
use crate::train::{LIKELIHOOD, Summary, TrainError};

/// A mean over seeds with its 95 % interval by Student's t, which two seeds at least must give.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Mean {
    pub(crate) mean: f64,
    /// Half of the interval's width.
    pub(crate) margin: Option<f64>,
    pub(crate) seeds: usize,
}

/// One arm on one set, or what the language model says without having learnt to judge.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) prm: String,
    pub(crate) set: String,
    pub(crate) best_of_n: Option<Mean>,
    /// What this arm has over the first one: the mean of what it has for each seed.
    pub(crate) best_of_n_gain: Option<Mean>,
    /// The same for each seed.
    pub(crate) best_of_n_gains: Vec<f64>,
    pub(crate) step_auc: Option<Mean>,
    pub(crate) first_error_f1: Option<Mean>,
    pub(crate) mean: Option<Mean>,
    pub(crate) majority: Option<Mean>,
    pub(crate) oracle: Option<Mean>,
}

/// All arms on all sets.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Table {
    pub(crate) seeds: Vec<u64>,
    pub(crate) rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(arms: &[String], summaries: &[&Summary]) -> Self {
        let of = |summary: &Summary, arm: &str, set: &str| {
            let mut rows = summary.rows.iter();
            rows.find(|row| row.prm == arm && row.set == set).map(|row| row.evaluation.clone())
        };
        let mut sets: Vec<&str> = summaries.iter().flat_map(|summary| &summary.rows).map(|row| &row.set[..]).collect();
        sets.dedup();
        let mut seen = Vec::new();
        sets.retain(|set| {
            !seen.contains(set) && {
                seen.push(*set);
                true
            }
        });
        let row = |set: &str, arm: &String| {
            let found: Vec<Evaluation> = summaries.iter().filter_map(|summary| of(summary, arm, set)).collect();
            let mean =
                |rate: fn(&Evaluation) -> Option<f64>| Mean::of(&found.iter().filter_map(rate).collect::<Vec<_>>());
            let gains = summaries.iter().filter(|_| Some(arm) != arms.first()).filter_map(|summary| {
                Some(of(summary, arm, set)?.best_of_n - of(summary, arms.first()?, set)?.best_of_n)
            });
            let gains: Vec<f64> = gains.collect();
            Row {
                prm: arm.clone(),
                set: set.into(),
                best_of_n: mean(|found| Some(found.best_of_n)),
                best_of_n_gain: Mean::of(&gains),
                best_of_n_gains: gains,
                step_auc: mean(|found| found.step_auc),
                first_error_f1: mean(|found| found.first_error_f1),
                mean: mean(|found| Some(found.mean)),
                majority: mean(|found| Some(found.majority)),
                oracle: mean(|found| Some(found.oracle)),
            }
        };
        let prms: Vec<String> = arms.iter().cloned().chain([LIKELIHOOD.into()]).collect();
        let rows = sets.iter().flat_map(|set| prms.iter().map(|prm| row(set, prm))).collect();
        Self { seeds: summaries.iter().map(|summary| summary.seed).collect(), rows }
    }

    /// Writes study.json, study.md and study.html.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), TrainError> {
        let json = serde_json::to_string_pretty(self).expect("numbers and names");
        let page = page::page(self).into_string();
        for (name, text) in [("study.json", json), ("study.md", self.to_string()), ("study.html", page)] {
            replace(&Disk(folder.into()), name, |out| writeln!(out, "{}", text.trim_end()))
                .map_err(|source| TrainError::Write { path: folder.join(name), source })?;
        }
        Ok(())
    }
}

impl Row {
    /// For how many seeds it is ahead of the first arm.
    pub(crate) fn ahead(&self) -> usize {
        self.best_of_n_gains.iter().filter(|gain| **gain > 0.0).count()
    }
}

impl Mean {
    fn of(values: &[f64]) -> Option<Self> {
        let seeds = values.len();
        if seeds == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / seeds as f64;
        let margin = (seeds > 1).then(|| {
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (seeds - 1) as f64;
            student_t(seeds - 1) * (variance / seeds as f64).sqrt()
        });
        Some(Self { mean, margin, seeds })
    }
}

/// The 97.5th percentile of Student's t with so many degrees of freedom.
///
/// Beyond the table by Fisher's expansion around the normal distribution's, z, which has the table's digits there:
///
/// ```text
/// t = z + (z³ + z) / 4ν + (5z⁵ + 16z³ + 3z) / 96ν²
/// ```
fn student_t(freedom: usize) -> f64 {
    let z: f64 = 1.959_963_985;
    let nu = freedom as f64;
    let expansion =
        z + (z.powi(3) + z) / (4.0 * nu) + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * nu * nu);
    STUDENT_T.get(freedom.wrapping_sub(1)).copied().unwrap_or(expansion)
}

/// The same with 1 to 19 degrees of freedom.
const STUDENT_T: [f64; 19] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093,
];

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Per cent of problems solved by the best attempt, mean over {} seeds ± 95 %:\n", self.seeds.len())?;
        writeln!(
            f,
            "| set | PRM | best-of-N | over the first | ahead | step AUC | first-error F1 | blind | majority | oracle |"
        )?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for row in &self.rows {
            let percent = |mean: Option<Mean>| with_margin(mean, 100.0, 1);
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                row.set,
                row.prm,
                percent(row.best_of_n),
                row.best_of_n_gain.map_or("".into(), signed),
                row.best_of_n_gain.map_or("".into(), |gain| format!("{} of {}", row.ahead(), gain.seeds)),
                with_margin(row.step_auc, 1.0, 3),
                with_margin(row.first_error_f1, 1.0, 3),
                percent(row.mean),
                percent(row.majority),
                percent(row.oracle),
            )?;
        }
        Ok(())
    }
}

pub(super) fn with_margin(mean: Option<Mean>, scale: f64, digits: usize) -> String {
    let Some(Mean { mean, margin, .. }) = mean else { return "–".into() };
    let margin = margin.map_or(String::new(), |margin| format!(" ± {:.digits$}", scale * margin));
    format!("{:.digits$}{margin}", scale * mean)
}

pub(super) fn signed(gain: Mean) -> String {
    let sign = if gain.mean >= 0.0 { "+" } else { "" };
    format!("{sign}{}", with_margin(Some(gain), 100.0, 1))
}

#[cfg(test)]
mod tests {
    use super::{Mean, student_t};

    #[test]
    fn the_interval_is_students() {
        // Mean 3, variance 2.5 of five values: 2.776 √(2.5 / 5).
        let mean = Mean::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(mean.mean, 3.0);
        assert!((mean.margin.unwrap() - 1.962_929).abs() < 1e-5);
        for (freedom, expected) in [(1, 12.706), (19, 2.093), (20, 2.086), (30, 2.042), (60, 2.000), (120, 1.980)] {
            assert!((student_t(freedom) - expected).abs() < 6e-4, "{freedom}: {}", student_t(freedom));
        }
        assert_eq!(Mean::of(&[1.0]).unwrap().margin, None);
        assert_eq!(Mean::of(&[]), None);
    }
}
