use std::path::{Path, PathBuf};

use aprm_core::metrics::processbench::{Example, first_error};
use aprm_models::benchmark::reading::{Reading, Shortfalls, step_scores};
use aprm_models::benchmark::threshold::fit_threshold;

use super::ProcessBench;
use super::subset::Subset;
use crate::device::Device;
use crate::eval::EvalError;
use crate::prm::{self, PrmError};
use crate::progress::Progress;

/// What a model says of all subsets.
pub(super) struct Judged {
    pub(super) folder: PathBuf,
    pub(super) threshold: f64,
    /// The subset that the threshold comes from; none if it was given.
    pub(super) fitted_on: Option<String>,
    /// For each subset.
    pub(super) shortfalls: Vec<Shortfalls>,
    /// For each solution of each subset.
    pub(super) predictions: Vec<Vec<Option<usize>>>,
}

impl Judged {
    pub(super) fn new<D: Device>(
        options: &ProcessBench,
        device: D,
        folder: &Path,
        subsets: &[Subset],
    ) -> Result<Self, EvalError> {
        let fitted_on = match (options.threshold, &options.fit) {
            (Some(_), _) => None,
            (None, None) => subsets.first(),
            (None, Some(name)) => Some(subsets.iter().find(|subset| subset.name == *name).ok_or_else(|| {
                let names: Vec<&str> = subsets.iter().map(|subset| &*subset.name).collect();
                EvalError::NoSubset { name: name.clone(), names: names.join(", ") }
            })?),
        };
        // No threshold is better than another where all solutions are wrong, or all right: that is said before they are read.
        if let Some(subset) = fitted_on {
            let wrong = subset.rows.iter().filter(|row| row.first_error.is_some()).count();
            if wrong == 0 || wrong == subset.rows.len() {
                return Err(EvalError::NoFit { name: subset.name.clone() });
            }
        }
        let checkpoint = prm::load(folder)?;
        let mut scorer = options.read_out.scorer(device, folder, &checkpoint)?;
        let mut readings = Vec::new();
        for Subset { path, rows, .. } in subsets {
            let read = rows.iter().enumerate().map(|(i, row)| {
                let in_line = |source| EvalError::Solution { path: path.clone(), line: i + 1, source };
                Reading::new(&scorer, &row.problem, &row.steps).map_err(in_line)
            });
            readings.push(read.collect::<Result<Vec<_>, _>>()?);
        }
        let progress = Progress::new();
        let bar = progress.stage("solutions", readings.iter().map(Vec::len).sum::<usize>() as u64, 0);
        let mut scores = Vec::new();
        for (Subset { name, .. }, readings) in subsets.iter().zip(&readings) {
            let of_subset =
                step_scores(&mut scorer, readings, |done| bar.advance(done as u64, name)).map_err(PrmError::device)?;
            scores.push(of_subset);
        }
        let threshold = match (options.threshold, fitted_on) {
            (Some(threshold), _) => threshold,
            (None, fitted_on) => fit(fitted_on, subsets, &scores)?,
        };
        let of_subset = |scores: &Vec<Vec<f64>>| scores.iter().map(|scores| first_error(scores, threshold)).collect();
        Ok(Self {
            folder: folder.into(),
            threshold,
            fitted_on: fitted_on.map(|subset| subset.name.clone()),
            shortfalls: readings.iter().map(|readings| readings.iter().collect()).collect(),
            predictions: scores.iter().map(of_subset).collect(),
        })
    }
}

fn fit(fitted_on: Option<&Subset>, subsets: &[Subset], scores: &[Vec<Vec<f64>>]) -> Result<f64, EvalError> {
    let chosen = subsets.iter().zip(scores).find(|(subset, _)| fitted_on.is_some_and(|it| it.name == subset.name));
    let (subset, scores) = chosen.expect("a file is required, and the subset is one of them");
    let examples: Vec<Example<'_, f64>> = (subset.rows.iter().zip(scores))
        .map(|(row, step_scores)| Example { step_scores, label: row.first_error })
        .collect();
    fit_threshold(&examples).ok_or_else(|| EvalError::NoFit { name: subset.name.clone() })
}
