//! `aprm study`: the same arms from several seeds, and what is sure of their differences.

mod forest;
mod page;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use clap::Args;

use crate::device::{DeviceArgs, with_device};
use crate::interruption::Interruption;
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
    #[arg(long)]
    jobs: Option<usize>,

    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(Clone, Debug)]
struct Seeds(Vec<u64>);

impl Study {
    pub(crate) fn run(&self) -> Result<(), TrainError> {
        let arms = settings::read_arms(&self.arms)?;
        let names: Vec<String> = arms.keys().cloned().collect();
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
                    if jobs > 1 && !interruption.is_noted() {
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
        print!("{}", Table::new(&names, &Vec::from_iter(lock(&summaries).values())));
        println!("\n{} holds study.json, study.md, study.html and a run for each seed", self.out.display());
        Ok(())
    }

    /// How many seeds run at a time, and the threads that each of them has.
    fn shares(&self) -> (usize, usize) {
        let threads = self.threads.or_else(|| Some(available_parallelism().ok()?.get())).unwrap_or(1).max(1);
        let jobs = self.jobs.unwrap_or(if self.device.is_gpu() { 1 } else { threads });
        let jobs = jobs.clamp(1, self.seeds.0.len().max(1));
        (jobs, (threads / jobs).max(1))
    }

    /// The run of one seed, from where it is to its end.
    fn seed(
        &self,
        seed: u64,
        arms: &toml::Table,
        threads: &rayon::ThreadPool,
        progress: &Progress,
        interruption: &Interruption,
    ) -> Result<Summary, TrainError> {
        let folder = self.out.join(format!("seed-{seed}"));
        let settings = settings::read_with(self.config.as_deref(), Some(arms), &self.set, Some(seed))?;
        if folder.join(settings::FILE).is_file() {
            if !settings.extend(&settings::of_run(&folder)?) {
                return Err(TrainError::OtherSettings(folder));
            }
            settings.write(&folder)?;
        } else {
            settings::begin(&folder, &settings)?;
        }
        let file = folder.join("summary.json");
        let has_all = |summary: &Summary| arms.keys().all(|arm| summary.rows.iter().any(|row| row.prm == *arm));
        if let Some(summary) = Summary::read(&file)?.filter(has_all) {
            return Ok(summary);
        }
        let summary = with_device!(self.device.open()?, |device| {
            threads.install(|| Run::new(device, &folder, settings, progress, interruption)?.finish())
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

fn seeds(text: &str) -> Result<Seeds, String> {
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| format!("{text:?} is no seed"));
    let mut seeds = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => seeds.extend(number(first)?..=number(last)?),
            None => seeds.push(number(part)?),
        }
    }
    if let Some(seed) = seeds.iter().enumerate().find_map(|(i, seed)| seeds[..i].contains(seed).then_some(seed)) {
        return Err(format!("seed {seed} is there twice"));
    }
    if seeds.is_empty() { Err("no seeds".into()) } else { Ok(Seeds(seeds)) }
}
