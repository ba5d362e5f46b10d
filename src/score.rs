//! `aprm score`: scores of steps, or the logits of token ids, by a model in a folder.

mod error;
mod logits;
mod steps;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use aprm_core::search::aggregate::Aggregate;
use clap::{Args, ValueEnum};

use crate::device::{DeviceArgs, with_device};
use crate::prm::{self, PrmError, ReadOutArgs};
pub(crate) use error::ScoreError;

/// Score the steps of solutions with a process reward model.
///
/// Reads one JSON object per line and prints one for each, in the same order:
///   {"prompt": "1 + 1?", "steps": ["1 + 1 = 2"]}  gives  {"scores": [0.98], "aggregate": 0.98}
/// `completions` for `steps` and `problem` for `prompt` are read as well; other fields are not.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
#[command(after_help = "\
Examples:
  aprm score --model DIR solutions.jsonl
  aprm score --model DIR --read-out math-shepherd --marker ' ки' < solutions.jsonl
  echo '{\"ids\": [1, 2, 3]}' | aprm score --model DIR --logits")]
pub(crate) struct Score {
    /// The model: config.json, model.safetensors or its shards, and tokenizer.json or characters.json.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,

    #[command(flatten)]
    read_out: ReadOutArgs,

    /// How the scores of a solution's steps become one.
    #[arg(long, value_enum, default_value_t = AggregateName::Min)]
    aggregate: AggregateName,

    /// Read {"ids": [...]} and print {"logits": [[...], ...]}, a row for each token, in all digits.
    #[arg(long, conflicts_with_all = ["read_out", "marker", "good_token", "bad_token", "aggregate"])]
    logits: bool,

    #[command(flatten)]
    device: DeviceArgs,

    /// Print JSON, as it does without: taken so that every subcommand has it.
    #[arg(long)]
    json: bool,

    /// The file to read; standard input without it.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AggregateName {
    Last,
    Min,
    Product,
    Mean,
}

impl From<AggregateName> for Aggregate {
    fn from(name: AggregateName) -> Self {
        match name {
            AggregateName::Last => Self::Last,
            AggregateName::Min => Self::Min,
            AggregateName::Product => Self::Product,
            AggregateName::Mean => Self::Mean,
        }
    }
}

impl Score {
    pub(crate) fn run(&self) -> Result<(), ScoreError> {
        let checkpoint = prm::load(&self.model)?;
        let opened = self.device.open().map_err(PrmError::from)?;
        let result = with_device!(opened, |device| match self.logits {
            true => logits::print(self, device, &checkpoint),
            false => steps::print(self, device, &checkpoint),
        });
        match result {
            // A reader that has seen enough, as `head`, is no failure.
            Err(ScoreError::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    /// The input, and what errors call it.
    fn open(&self) -> Result<(Box<dyn BufRead>, String), ScoreError> {
        match self.file.as_deref().filter(|file| *file != Path::new("-")) {
            None => Ok((Box::new(io::stdin().lock()), "standard input".into())),
            Some(file) => {
                let opened = File::open(file).map_err(|source| ScoreError::Open { path: file.into(), source })?;
                Ok((Box::new(BufReader::new(opened)), file.display().to_string()))
            }
        }
    }
}
