//! `aprm eval processbench`: which step is the first wrong one?

mod judged;
mod official;
mod report;
mod subset;

use std::path::PathBuf;

use aprm_models::benchmark::estimate::Bootstrap;
use clap::Args;

use super::{EvalError, print};
use crate::device::{DeviceArgs, with_device};
use crate::prm::{PrmError, ReadOutArgs};
use judged::Judged;
use report::Report;

/// Find the first wrong step of solutions that people have judged.
///
/// A solution's first step that scores below the threshold is taken for its first wrong one; without such a step it
/// passes. The threshold is the one with the best F1 on one subset, unless --threshold gives it.
///
/// Beside the model stand, always: a checker of the equations that the steps show, "no error" for every solution, and
/// the best guess of somebody who reads nothing. Without --model they stand alone.
///
/// Steps from the first on that the model cannot read, for want of tokens or room, score zero; how many solutions that
/// touches is said.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aprm eval processbench --model DIR gsm8k.jsonl math.jsonl olympiadbench.jsonl omnimath.jsonl
  aprm eval processbench --model DIR --fit math --out predictions --json gsm8k.jsonl math.jsonl
  aprm eval processbench gsm8k.jsonl")]
pub(super) struct ProcessBench {
    /// The model: config.json, model.safetensors or its shards, and tokenizer.json or characters.json.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,

    #[command(flatten)]
    read_out: ReadOutArgs,

    /// The subset that the threshold is fitted on, named as its file without .jsonl [default: the first].
    #[arg(long, value_name = "SUBSET", requires = "model")]
    fit: Option<String>,

    /// The score below which a step is wrong, fitted on nothing here.
    #[arg(long, value_name = "T", requires = "model", conflicts_with = "fit", allow_negative_numbers = true)]
    threshold: Option<f64>,

    /// Write SUBSET_error.jsonl and SUBSET_correct.jsonl here, as the benchmark's own scripts do; replaces such files.
    #[arg(long, value_name = "DIR", requires = "model")]
    out: Option<PathBuf>,

    /// Where the intervals' resamples come from.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    device: DeviceArgs,

    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,

    /// ProcessBench's rows, a file for each subset: {"id", "generator", "problem", "steps", "final_answer_correct",
    /// "label"}.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl ProcessBench {
    pub(super) fn run(&self) -> Result<(), EvalError> {
        if let Some(threshold) = self.threshold.filter(|threshold| !(0.0..=1.0).contains(threshold)) {
            return Err(EvalError::Threshold(threshold));
        }
        let subsets = subset::read(&self.files)?;
        let judged = match &self.model {
            Some(model) => {
                let opened = self.device.open().map_err(PrmError::from)?;
                Some(with_device!(opened, |device| Judged::new(self, device, model, &subsets))?)
            }
            None => None,
        };
        // First: files that cannot be written are no reason to lose what was found.
        print(
            &Report::new(&subsets, judged.as_ref(), Bootstrap { seed: self.seed, ..Bootstrap::default() }),
            self.json,
        )?;
        match (&self.out, &judged) {
            (Some(folder), Some(judged)) => official::write(folder, &subsets, &judged.predictions),
            _ => Ok(()),
        }
    }
}
