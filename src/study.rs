//! `aprm study`: the same arms from several seeds, and what is sure of their differences.

mod forest;
mod page;
mod table;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::device::{DeviceArgs, with_device};
use crate::progress::Progress;
use crate::train::settings::{self, Settings};
use crate::train::{Run, Summary, TrainError};
use table::Table;

/// Train several arms from each of several seeds and compare them.
///
/// Each ARM file holds one arm: overrides of the [game] settings, and what only an arm has, `labels` and `oracle`; its name
/// is the file's. The first is what the others are compared with. The language model, the solver's attempts and the warm
/// start of a seed are shared by its arms.
///
/// A study that was stopped goes on when it is started again, with more arms or seeds if there are: the folder keeps each
/// seed's run as `aprm train` does.
/// In the end it holds study.json, study.md and, with plots, study.html: means and 95 % intervals over seeds, and of
/// differences seed by seed.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  aprm study examples/study/static.toml examples/study/arms/*.toml --seeds 1-5 --out runs/study")]
pub(crate) struct Study {
    /// The arms, one TOML file each.
    #[arg(value_name = "ARM", required = true)]
    arms: Vec<PathBuf>,

    /// Read the settings that all arms share from a TOML file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Override one of the shared settings; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Seeds, as in 1-5 or 1,2,7.
    #[arg(long, default_value = "1-5", value_parser = seeds)]
    seeds: Seeds,

    /// Where everything is written.
    #[arg(long, value_name = "DIR", default_value = "runs/study")]
    out: PathBuf,

    /// Threads; as many as there are cores by default.
    #[arg(long)]
    threads: Option<usize>,

    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(Clone, Debug)]
struct Seeds(Vec<u64>);

impl Study {
    pub(crate) fn run(&self) -> Result<(), TrainError> {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(self.threads.unwrap_or(0)).build()?;
        let arms = settings::read_arms(&self.arms)?;
        let names: Vec<String> = arms.keys().cloned().collect();
        let mut summaries: Vec<Summary> = Vec::new();
        for &seed in &self.seeds.0 {
            let folder = self.out.join(format!("seed-{seed}"));
            let settings = settings::read_with(self.config.as_deref(), Some(&arms), &self.set, Some(seed))?;
            if folder.join(settings::FILE).is_file() {
                if !settings.extend(&settings::of_run(&folder)?) {
                    return Err(TrainError::OtherSettings(folder));
                }
                settings.write(&folder)?;
            } else {
                settings::begin(&folder, &settings)?;
            }
            let has_all = |summary: &Summary| names.iter().all(|arm| summary.rows.iter().any(|row| row.prm == *arm));
            let summary = match Summary::read(&folder.join("summary.json"))?.filter(has_all) {
                Some(summary) => summary,
                None => self.seed(seed, &folder, settings, &threads)?,
            };
            summaries.push(summary);
            // After every seed, so that a long study can be looked at.
            let table = Table::new(&names, &summaries);
            table.write(&self.out)?;
        }
        print!("{}", Table::new(&names, &summaries));
        println!("\n{} holds study.json, study.md, study.html and a run for each seed", self.out.display());
        Ok(())
    }

    /// The run of one seed, from where it is to its end.
    fn seed(
        &self,
        seed: u64,
        folder: &Path,
        settings: Settings,
        threads: &rayon::ThreadPool,
    ) -> Result<Summary, TrainError> {
        eprintln!("seed {seed}");
        let progress = Progress::new();
        let summary = with_device!(self.device.open()?, |device| {
            threads.install(|| Run::new(device, folder, settings, &progress)?.finish())
        })
        .map_err(|error| error.in_run(folder))?;
        summary.write(&folder.join("summary.json"))?;
        Ok(summary)
    }
}

fn seeds(text: &str) -> Result<Seeds, String> {
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| format!("{text:?} is no seed"));
    let mut seeds = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => seeds.extend(number(first)?..=number(last)?),
            None => seeds.push(number(part)?),
        }
    }
    if seeds.is_empty() { Err("no seeds".into()) } else { Ok(Seeds(seeds)) }
}
