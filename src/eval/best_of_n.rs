//! `aprm eval best-of-n`: how often is the chosen solution right?

mod report;

use std::path::{Path, PathBuf};

use aprm_models::benchmark::choice::Candidate;
use aprm_models::benchmark::estimate::Bootstrap;
use aprm_models::benchmark::reading::{Reading, Shortfalls, step_scores};
use aprm_models::data::{Annotations, RecordedSolutions};
use clap::Args;

use super::{EvalError, print, rows};
use crate::device::{Device, DeviceArgs, with_device};
use crate::prm::{self, PrmError, ReadOutArgs};
use crate::progress::Progress;
use report::Report;

/// Choose among recorded solutions, and see how often the choice is right.
///
/// Reads what four models wrote for each question of GSM8K's test set (example_model_solutions.jsonl of
/// grade-school-math). Steps are scored without the last line, which states the answer.
///
/// Beside the model stand, always: a blind choice, the majority, a checker of the equations that the steps show, and a
/// choice that knows. Without --model they stand alone. Ties are broken by lot, and what is printed is the expectation.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aprm eval best-of-n --model DIR example_model_solutions.jsonl
  aprm eval best-of-n example_model_solutions.jsonl --json")]
pub(super) struct BestOfN {
    /// The model: config.json, model.safetensors or its shards, and tokenizer.json or characters.json.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,

    #[command(flatten)]
    read_out: ReadOutArgs,

    /// Let the model read calculator annotations, the <<48/2=24>> of GSM8K, too; it is spared them otherwise.
    #[arg(long, requires = "model")]
    keep_annotations: bool,

    /// Where the intervals' resamples come from.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    device: DeviceArgs,

    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,

    /// The solutions: {"question", "ground_truth", "6b_finetuning": {"solution", "is_correct"}, ...}.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What a model says of the steps of all solutions: `scores[problem][solution][step]`.
struct Judged {
    folder: PathBuf,
    keeps_annotations: bool,
    shortfalls: Shortfalls,
    scores: Vec<Vec<Vec<f64>>>,
}

impl BestOfN {
    pub(super) fn run(&self) -> Result<(), EvalError> {
        let rows: Vec<RecordedSolutions> = rows(&self.file)?;
        let judged = match &self.model {
            Some(model) => {
                let opened = self.device.open().map_err(PrmError::from)?;
                Some(with_device!(opened, |device| self.judge(device, model, &rows))?)
            }
            None => None,
        };
        let bootstrap = Bootstrap { seed: self.seed, ..Bootstrap::default() };
        print(&Report::new(&rows, judged.as_ref(), bootstrap), self.json)
    }

    fn judge<D: Device>(&self, device: D, folder: &Path, rows: &[RecordedSolutions]) -> Result<Judged, EvalError> {
        let checkpoint = prm::load(folder)?;
        let mut scorer = self.read_out.scorer(device, folder, &checkpoint)?;
        let annotations = if self.keep_annotations { Annotations::Kept } else { Annotations::Stripped };
        let mut readings = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            for solution in &row.solutions {
                let in_line = |source| EvalError::Solution { path: self.file.clone(), line: i + 1, source };
                let steps = solution.steps(annotations);
                readings.push(Reading::new(&scorer, &row.question, &steps).map_err(in_line)?);
            }
        }
        let progress = Progress::new();
        let bar = progress.stage("solutions", readings.len() as u64, 0);
        let scores =
            step_scores(&mut scorer, &readings, |done| bar.advance(done as u64, "")).map_err(PrmError::device)?;
        let each = RecordedSolutions::MODELS.len();
        Ok(Judged {
            folder: folder.into(),
            keeps_annotations: self.keep_annotations,
            shortfalls: readings.iter().collect(),
            scores: scores.chunks(each).map(<[_]>::to_vec).collect(),
        })
    }
}

fn candidates(row: &RecordedSolutions) -> Vec<Candidate> {
    let candidate = |solution: &aprm_models::data::RecordedSolution| Candidate {
        answer: solution.canonical_answer(),
        is_right: solution.is_correct,
    };
    row.solutions.iter().map(candidate).collect()
}
