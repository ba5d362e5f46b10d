//! What solvers write: the material that reward models are judged on.

use std::fs;
use std::path::Path;

use aprm_core::policy::Sampler;
use aprm_models::aprm::arithmetic_task::attempts;
use aprm_models::aprm::attempts::Attempts;
use aprm_models::aprm::config::{OwnErrors, RunConfig, Solver};
use aprm_models::aprm::error::RunError;
use aprm_models::aprm::model::Role;
use aprm_models::aprm::own_errors::own_errors;
use aprm_models::aprm::solver::{Sampling, continue_all};
use aprm_models::aprm::streams::stream;
use aprm_models::aprm::warm_start::Corruption;
use aprm_models::arithmetic::{DistributionError, Part, Preset, Problem};
use aprm_models::generate::Generation;
use aprm_models::oracle::ArithmeticOracle;
use rand::rngs::ChaCha8Rng;

use super::TrainError;
use super::rows::{read_rows, write_rows};
use super::stages::{Run, SEQUENCES, Weights};
use crate::device::Device;

/// Streams of its own for each set, so that none depends on the others: of its problems and of the weak solver's attempts,
/// and of the strong one's.
const SOLVER: u64 = 1100;
const STRONG_SOLVER: u64 = 1150;
/// And of the errors that the generator begins from.
const OWN_ERRORS: u64 = 17;

/// How solvers write solutions.
pub(super) fn sampling<'a>(config: &RunConfig, end: &'a [u32]) -> Sampling<'a, f32> {
    let max_new_tokens = config.evaluation.max_tokens;
    Sampling {
        sequences: SEQUENCES,
        capacity: config.model.context,
        generation: Generation { max_new_tokens, sampler: Sampler::default(), stop: end },
    }
}

/// How many problems the set of a number has; a threshold, for which the first is held out, is one number and takes fewer
/// than a comparison.
fn count(config: &RunConfig, set: usize) -> usize {
    let problems = config.evaluation.problems;
    if set == 0 { problems.div_ceil(4) } else { problems }
}

/// Its problems, and the stream that solvers go on with.
fn problems(config: &RunConfig, set: usize, preset: Preset) -> Result<(Vec<Problem>, ChaCha8Rng), DistributionError> {
    let mut rng = stream(config.seed, SOLVER + set as u64);
    let distribution = preset.beside(&config.problems);
    Ok((distribution.draw_distinct(Part::Evaluation, count(config, set), &mut rng)?, rng))
}

/// Whether every set has its problems, before anything is trained.
pub(super) fn check_sets(config: &RunConfig) -> Result<(), TrainError> {
    if config.gsm8k.is_some() {
        return Ok(());
    }
    let presets = [Preset::InDistribution].into_iter().chain(config.evaluation.sets.iter().copied());
    presets.enumerate().try_for_each(|(set, preset)| {
        let found = problems(config, set, preset).map(drop);
        found.map_err(|error| TrainError::OfSet { set: preset.name(), error })
    })
}

/// A set of problems with what a solver wrote.
pub(super) struct Solved {
    pub(super) name: String,
    pub(super) attempts: Vec<Attempts>,
}

impl<D: Device> Run<'_, D> {
    /// What solvers write for problems of each set; the first set is for fitting thresholds alone, and the first solver's.
    pub(super) fn solve(&mut self, weak: &Weights<D>, strong: &Weights<D>) -> Result<Vec<Solved>, TrainError> {
        if self.config.gsm8k.is_some() {
            return Ok(Vec::new());
        }
        let folder = self.folder.join("attempts");
        fs::create_dir_all(&folder).map_err(|source| TrainError::Write { path: folder.clone(), source })?;
        let (solvers, presets) = (self.config.evaluation.solvers.clone(), self.config.evaluation.sets.clone());
        let mut sets = Vec::new();
        for (s, &solver) in solvers.iter().enumerate() {
            let weights = match solver {
                Solver::Weak => weak,
                Solver::Strong => strong,
            };
            if s == 0 {
                sets.push(self.attempt(&folder, "held out".into(), (0, Preset::InDistribution), (solver, weights))?);
            }
            for (i, &preset) in presets.iter().enumerate() {
                let name = match solvers.len() {
                    1 => preset.name().into(),
                    _ => format!("{preset}, {solver} solver"),
                };
                sets.push(self.attempt(&folder, name, (i + 1, preset), (solver, weights))?);
            }
        }
        Ok(sets)
    }

    /// Wrong steps that a language model writes behind gold ones, which the generator begins from.
    pub(super) fn own_errors(&mut self, base: &Weights<D>) -> Result<Vec<Corruption>, TrainError> {
        let OwnErrors { share, attempts, temperature } = self.config.warm_start.own_errors;
        if share == 0.0 {
            return Ok(Vec::new());
        }
        let path = self.folder.join("own-errors.jsonl");
        if !path.exists() {
            let model = self.model(Role::LanguageModel)?;
            let stop = [self.prompt.step_end, self.prompt.end];
            let sampler = Sampler { temperature: temperature as f32, ..Sampler::default() };
            let max_new_tokens = self.config.game.max_rewrite_tokens;
            let sampling = Sampling {
                generation: Generation { max_new_tokens, sampler, stop: &stop },
                ..sampling(&self.config, &stop)
            };
            let bar = self.progress.stage("own errors", attempts as u64, 0);
            let mut rng = stream(self.config.seed, OWN_ERRORS);
            let errors = own_errors(
                &mut self.backend,
                (&model, base),
                (&mut self.task, &self.prompt),
                attempts,
                sampling,
                &mut rng,
                |by| bar.advance(by as u64, "steps"),
            )?;
            write_rows(&path, &errors)?;
        }
        read_rows(&path)
    }

    /// What one solver writes for problems of the set of a number, the first of which is held out.
    fn attempt(
        &mut self,
        folder: &Path,
        name: String,
        (set, preset): (usize, Preset),
        (solver, weights): (Solver, &Weights<D>),
    ) -> Result<Solved, TrainError> {
        let path = folder.join(format!("{}.jsonl", name.replace(", ", "-").replace(' ', "-")));
        if !path.exists() {
            let model = self.model(Role::LanguageModel)?;
            let each = self.config.evaluation.attempts;
            let (problems, mut rng) = problems(&self.config, set, preset)?;
            if solver == Solver::Strong {
                rng = stream(self.config.seed, STRONG_SOLVER + set as u64);
            }
            let mut prompts = Vec::with_capacity(problems.len() * each);
            for problem in &problems {
                let ids = self.prompt.transcript(&problem.to_string(), &[]).map_err(RunError::<D::Error>::Prompt)?;
                prompts.extend(std::iter::repeat_n(ids, each));
            }
            let bar = self.progress.stage("attempts", prompts.len() as u64, 0);
            let end = [self.prompt.end];
            let sampling = sampling(&self.config, &end);
            let advance = |by| bar.advance(by as u64, name.clone());
            let written = continue_all(&mut self.backend, &model, weights, &prompts, sampling, &mut rng, advance)
                .map_err(TrainError::device)?;
            let oracle = ArithmeticOracle { leniency: self.config.oracle.leniency() };
            write_rows(&path, &attempts(&problems, oracle, &self.prompt, &written))?;
        }
        let (attempts, expected) = (read_rows(&path)?, count(&self.config, set));
        if attempts.len() != expected {
            return Err(TrainError::Attempts { path, found: attempts.len(), expected });
        }
        Ok(Solved { name, attempts })
    }
}
