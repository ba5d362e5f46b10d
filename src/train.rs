//! `aprm train`: a generator and a process reward model that train each other, from nothing to a table.

mod arm;
mod error;
mod metrics;
mod problems;
mod rows;
pub(crate) mod settings;
mod solving;
mod stages;
mod summary;

use std::path::PathBuf;

use clap::Args;

use crate::device::{DeviceArgs, with_device};
use crate::interruption::Interruption;
use crate::output::print;
use crate::progress::Progress;
use crate::report;
pub(crate) use error::TrainError;
pub(crate) use stages::Run;
pub(crate) use summary::{LIKELIHOOD, Summary};

/// Train a process reward model against a generator on built-in arithmetic problems.
///
/// A language model learns to solve problems; a generator and a verifier begin from it and train each other.
/// A verifier that learns from fixed, rule-made errors for as many rounds stands beside: the static PRM.
/// Both then choose among the solver's attempts at problems that nobody has trained on.
///
/// The folder holds everything: config.toml, models as Hugging Face has them, attempts, metrics.jsonl, samples.jsonl
/// and TensorBoard's event file of each arm, summary.json, report.html, and the states from which a stopped run goes
/// on, bit for bit.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aprm train
  aprm train --seed 3 --out runs/three --set game.rounds=200 --set game.tau=0.1
  aprm train --config run.toml --out runs/mine
  aprm train --resume runs/mine
  aprm train --backend gpu")]
pub(crate) struct Train {
    /// Read settings from a TOML file; those that it does not name keep their defaults.
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    config: Option<PathBuf>,

    /// Override one setting; may be given several times.
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "resume")]
    set: Vec<String>,

    /// Everything random follows from it.
    // TOML has no larger numbers.
    #[arg(long, conflicts_with = "resume", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,

    /// Where everything is written; must not exist or be empty.
    #[arg(long, value_name = "DIR", default_value = "runs/aprm", conflicts_with = "resume")]
    out: PathBuf,

    /// Go on with a run that was stopped, with its own settings.
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,

    /// Threads; as many as there are cores by default.
    #[arg(long)]
    threads: Option<usize>,

    #[command(flatten)]
    device: DeviceArgs,

    /// Print the summary as JSON instead of a table.
    #[arg(long)]
    json: bool,

    /// Print the settings as TOML and stop.
    #[arg(long)]
    dry_run: bool,
}

impl Train {
    pub(crate) fn run(&self) -> Result<(), TrainError> {
        let (folder, settings) = match &self.resume {
            Some(folder) => (folder, settings::of_unedited_run(folder)?),
            None => (&self.out, settings::read(self.config.as_deref(), &self.set, self.seed)?),
        };
        if self.dry_run {
            return Ok(print(&settings.to_toml())?);
        }
        let is_new = self.resume.is_none();
        if is_new {
            settings::occupy(folder)?;
        }
        let threads = rayon::ThreadPoolBuilder::new().num_threads(self.threads.unwrap_or(0)).build()?;
        let (progress, interruption) = (Progress::new(), Interruption::listen());
        let summary = with_device!(self.device.open()?, |device| {
            threads.install(|| {
                let run = Run::new(device, folder, &settings, &progress, &interruption)?;
                // Only now: what is refused leaves nothing behind.
                if is_new {
                    settings.write(folder)?;
                }
                run.finish()
            })
        })
        .map_err(|error| error.in_run(folder))?;
        summary.write(&folder.join("summary.json"))?;
        let page = report::write(folder)?;
        Ok(print(&if self.json {
            format!("{}\n", summary.to_json())
        } else {
            let (folder, page) = (folder.display(), page.display());
            format!("{summary}\n{folder} holds the models and the metrics; {page} shows the run\n")
        })?)
    }
}
