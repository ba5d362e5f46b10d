//! `aprm study`: the same arms from several seeds, and what is sure of their differences.

mod forest;
mod page;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use clap::Args;

use crate::device::{DeviceArgs, with_device};
use crate::interruption::Interruption;
use crate::output::print;
use crate::progress::Progress;
use crate::train::settings;
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

    /// Threads, in all; as many as there are cores by default.
    #[arg(long)]
    threads: Option<usize>,

    /// Seeds at a time, which share the threads: one for each thread by default, or one on a GPU.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1024))]
    jobs: Option<u64>,

    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(Clone, Debug)]
struct Seeds(Vec<u64>);

impl Study {
    pub(crate) fn run(&self) -> Result<(), TrainError> {
        let arms = settings::Arms::read(&self.arms)?;
        settings::read_with(self.config.as_deref(), Some(&arms), &self.set, None)?;
        let names: Vec<String> = arms.table.keys().cloned().collect();
        let (jobs, threads) = self.shares();
        let (progress, interruption) = (Progress::new(), Interruption::listen());
        let waiting = Mutex::new(self.seeds.0.iter().copied().enumerate());
        let summaries = Mutex::new(BTreeMap::new());
        let job = || -> Result<(), TrainError> {
            let threads = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            loop {
                let next = lock(&waiting).next();
                let Some((place, seed)) = next else { return Ok(()) };
                let progress = progress.of(format!("seed {seed}"));
                let summary = self.seed(seed, &arms, &threads, &progress, &interruption).inspect_err(|error| {
                    lock(&waiting).by_ref().for_each(drop);
                    if self.seeds.0.len() > 1 && !interruption.is_noted() {
                        progress.warn(format!("seed {seed}: {error}; no more begin, those that have go on"));
                    }
                })?;
                // After every seed, so that a long study can be looked at.
                let mut summaries = lock(&summaries);
                summaries.insert(place, summary);
                Table::new(&names, &Vec::from_iter(summaries.values())).write(&self.out)?;
            }
        };
        std::thread::scope(|scope| {
            let jobs: Vec<_> = (0..jobs).map(|_| scope.spawn(job)).collect();
            let ends: Vec<_> = jobs.into_iter().map(|job| job.join().expect("a job that does not panic")).collect();
            ends.into_iter().collect::<Result<(), _>>()
        })?;
        let table = Table::new(&names, &Vec::from_iter(lock(&summaries).values()));
        Ok(print(&format!(
            "{table}\n{} holds study.json, study.md, study.html and a run for each seed\n",
            self.out.display()
        ))?)
    }

    /// How many seeds run at a time, and the threads that each of them has.
    fn shares(&self) -> (usize, usize) {
        let named = self.threads.filter(|&threads| threads > 0);
        let threads = named.or_else(|| Some(available_parallelism().ok()?.get())).unwrap_or(1);
        let jobs = self.jobs.map_or(if self.device.is_gpu() { 1 } else { threads }, |jobs| jobs as usize);
        let jobs = jobs.clamp(1, self.seeds.0.len().max(1));
        (jobs, (threads / jobs).max(1))
    }

    /// The run of one seed, from where it is to its end.
    fn seed(
        &self,
        seed: u64,
        arms: &settings::Arms,
        threads: &rayon::ThreadPool,
        progress: &Progress,
        interruption: &Interruption,
    ) -> Result<Summary, TrainError> {
        let folder = self.out.join(format!("seed-{seed}"));
        let mut settings = settings::read_with(self.config.as_deref(), Some(arms), &self.set, Some(seed))?;
        if folder.join(settings::FILE).is_file() {
            if !settings.extend(&settings::of_run(&folder)?) {
                return Err(TrainError::OtherSettings(folder));
            }
        } else {
            settings::occupy(&folder)?;
        }
        let file = folder.join("summary.json");
        let has_all = |summary: &Summary| arms.table.keys().all(|arm| summary.rows.iter().any(|row| row.prm == *arm));
        if let Some(summary) = Summary::read(&file)?.filter(has_all) {
            return Ok(summary);
        }
        let summary = with_device!(self.device.open()?, |device| {
            threads.install(|| {
                let run = Run::new(device, &folder, &settings, progress, interruption)?;
                settings.write(&folder)?;
                run.finish()
            })
        })
        .map_err(|error| match error {
            TrainError::Interrupted(_) => TrainError::StudyInterrupted(self.out.clone()),
            error => error.in_run(&folder),
        })?;
        summary.write(&file)?;
        Ok(summary)
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The most seeds of a study.
const MOST_SEEDS: usize = 10_000;

fn seeds(text: &str) -> Result<Seeds, String> {
    // TOML has no larger numbers.
    let number = |text: &str| {
        let number = text.trim().parse::<i64>().ok().and_then(|number| u64::try_from(number).ok());
        number.ok_or_else(|| format!("{text:?} is no seed: expected a number from 0 to {}", i64::MAX))
    };
    let (mut seeds, mut seen) = (Vec::new(), BTreeSet::new());
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = number(first)?..=number(last)?;
        if range.is_empty() {
            return Err(format!("{part} ends before it begins"));
        }
        for seed in range {
            if !seen.insert(seed) {
                return Err(format!("seed {seed} is there twice"));
            }
            if seen.len() > MOST_SEEDS {
                return Err(format!("more than {MOST_SEEDS} seeds"));
            }
            seeds.push(seed);
        }
    }
    Ok(Seeds(seeds))
}
