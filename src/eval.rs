//! `aprm eval`: how good a process reward model is on published data.

mod best_of_n;
mod error;
mod percent;
mod processbench;

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use aprm_models::data::{JsonLines, Row};
use clap::{Args, Subcommand};
use serde::Serialize;

pub(crate) use error::EvalError;

/// Judge a process reward model on published data, beside what does without one.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    #[command(subcommand)]
    on: On,
}

#[derive(Debug, Subcommand)]
enum On {
    #[command(name = "processbench")]
    ProcessBench(processbench::ProcessBench),
    #[command(name = "best-of-n")]
    BestOfN(best_of_n::BestOfN),
}

impl Eval {
    pub(crate) fn run(&self) -> Result<(), EvalError> {
        let result = match &self.on {
            On::ProcessBench(processbench) => processbench.run(),
            On::BestOfN(best_of_n) => best_of_n.run(),
        };
        match result {
            // A reader that has seen enough, as `head`, is no failure.
            Err(EvalError::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}

/// All rows of a file; there is at least one.
fn rows<T: Row>(path: &Path) -> Result<Vec<T>, EvalError> {
    let file = File::open(path).map_err(|source| EvalError::Open { path: path.into(), source })?;
    let rows: Vec<T> = JsonLines::new(BufReader::new(file), path.display().to_string()).collect::<Result<_, _>>()?;
    if rows.is_empty() { Err(EvalError::Empty { path: path.into() }) } else { Ok(rows) }
}

fn print(report: &(impl Serialize + fmt::Display), json: bool) -> Result<(), EvalError> {
    let mut out = io::stdout().lock();
    match json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(report).expect("numbers and names"))?,
        false => write!(out, "{report}")?,
    }
    Ok(out.flush()?)
}
