//! The stages of a run, each of which leaves its result in the folder, so that a run that goes on skips what is there.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use super::TrainError;
use super::problems::{Problems, collected};
use super::settings::{Arm, Settings};
use super::solving::check_sets;
use super::summary::Summary;
use crate::device::Device;
use crate::interruption::Interruption;
use crate::output::tell;
use crate::progress::Progress;
use aprm_core::backend::Backend;
use aprm_models::aprm::collection::Collection;
use aprm_models::aprm::config::RunConfig;
use aprm_models::aprm::model::Role;
use aprm_models::aprm::pretraining::Pretraining;
use aprm_models::aprm::prompt::Prompt;
use aprm_models::aprm::streams::stream;
use aprm_models::aprm::warm_start::WarmStart;
use aprm_models::checkpoint::Checkpoint;
use aprm_models::safetensors::{Options, Precision};
use aprm_models::tokenizer::{CharacterTokenizer, Tokenizer};
use aprm_models::training_state::{RandomStream, StateFolder, TrainingState};
use aprm_models::transformer::{Parameters, Transformer};

/// The random streams of the stages; those of the game are 1 to 4.
const PRETRAINING: u64 = 10;
const WARM_START: u64 = 12;

/// Tokens that go through a model at a time.
pub(super) const ROOM: usize = 8192;
/// Attempts that are written at a time.
pub(super) const SEQUENCES: usize = 256;

pub(super) type Weights<D> = Parameters<<D as Backend>::Buffer>;

/// A run and its folder.
pub(crate) struct Run<'a, D: Device> {
    pub(super) folder: &'a Path,
    pub(super) config: RunConfig,
    arms: Vec<Arm>,
    pub(super) progress: &'a Progress,
    interruption: &'a Interruption,
    pub(super) backend: D,
    tokenizer: CharacterTokenizer,
    pub(super) prompt: Prompt,
    pub(super) task: Collection<Problems>,
}

impl<'a, D: Device> Run<'a, D> {
    pub(crate) fn new(
        backend: D,
        folder: &'a Path,
        settings: &Settings,
        progress: &'a Progress,
        interruption: &'a Interruption,
    ) -> Result<Self, TrainError> {
        let (config, arms) = (settings.run.clone(), settings.arms.clone());
        check_sets(&config)?;
        let task = Problems::new(&config, config.oracle)?;
        let tokenizer = CharacterTokenizer::new(task.alphabet())?;
        let task = collected(&config, task)?;
        Ok(Self {
            folder,
            config,
            arms,
            progress,
            interruption,
            backend,
            prompt: Prompt::new(Box::new(tokenizer.clone()))?,
            tokenizer,
            task,
        })
    }

    /// All stages, one after the other.
    pub(crate) fn finish(mut self) -> Result<Summary, TrainError> {
        let (base, solver) = self.pretrain()?;
        let sets = self.solve(&solver, &base)?;
        let (generator, verifier) = self.warm_start(&base)?;
        let mut rows = Vec::new();
        for arm in std::mem::take(&mut self.arms) {
            match arm.labels {
                None => self.play(&arm, &generator, &verifier)?,
                Some(labels) => self.learn(&arm, labels, &solver, &verifier)?,
            }
            rows.extend(self.judge(&arm, &sets)?);
        }
        rows.extend(self.likelihoods(&base, &sets)?);
        // Rows of one set stand together.
        rows.sort_by_key(|row| sets.iter().position(|set| set.name == row.set));
        Ok(Summary { seed: self.config.seed, rows })
    }

    /// The language model that both players begin from, and the weaker one of an earlier step, which solves problems.
    fn pretrain(&mut self) -> Result<(Weights<D>, Weights<D>), TrainError> {
        let (base, solver) = (self.folder.join("base"), self.folder.join("solver"));
        if base.exists() {
            return Ok((self.load(&base)?, self.load(&solver)?));
        }
        if let Some(run) = self.config.language_models.clone() {
            for (from, to) in [("solver", &solver), ("base", &base)] {
                self.adopt(&run.join(from), to)?;
            }
            return Ok((self.load(&base)?, self.load(&solver)?));
        }
        let (states, phase) = (self.states(&self.folder.join("states"), "pretraining")?, self.config.pretraining);
        let mut rng = stream(self.config.seed, PRETRAINING);
        let model = self.model(Role::LanguageModel)?;
        let tasks = Problems::of_language_model(&self.config)?;
        let mut stage = Pretraining::new(&mut self.backend, model, phase, ROOM, &mut rng)?;
        if let Some(state) = resumed(&states)? {
            state.restore(&mut self.backend, "base", &mut stage.learner)?;
            rng = state.stream("deal")?;
        }
        let weak = ((phase.steps as f64 * self.config.weak_solver) as u64).clamp(1, phase.steps);
        let bar = self.progress.stage("language model", phase.steps, stage.done());
        while !stage.is_done() {
            let loss = stage.step(&mut self.backend, &tasks, &self.prompt, &mut rng)?;
            bar.advance(1, format!("loss {loss:.3}"));
            if stage.done() == weak {
                self.save(&solver, &stage.model, &stage.learner.weights)?;
            }
            self.pause(&states, stage.done(), |backend| {
                let mut state = TrainingState { step: stage.done(), ..TrainingState::default() };
                state.capture(backend, "base", &stage.learner)?;
                state.streams.insert("deal".into(), RandomStream::from(&rng));
                Ok(state)
            })?;
        }
        self.save(&base, &stage.model, &stage.learner.weights)?;
        Ok((self.load(&base)?, self.load(&solver)?))
    }

    /// Makes a language model of another run one of this run's.
    fn adopt(&mut self, from: &Path, to: &Path) -> Result<(), TrainError> {
        let other = |what| TrainError::OtherModel { path: from.into(), what };
        let model = self.model(Role::LanguageModel)?;
        let loaded = Checkpoint::load(from, Options::default());
        let checkpoint = loaded.map_err(|source| TrainError::Load { path: from.into(), source })?;
        if CharacterTokenizer::load(from)?.alphabet() != self.tokenizer.alphabet() {
            return Err(other("alphabet"));
        }
        if checkpoint.config != model.config {
            return Err(other("shape"));
        }
        let weights = checkpoint.upload(&mut self.backend).map_err(TrainError::device)?;
        self.save(to, &model, &weights)
    }

    /// Generator and verifier on rule-made corruptions.
    fn warm_start(&mut self, base: &Weights<D>) -> Result<(Weights<D>, Weights<D>), TrainError> {
        let [generator, verifier] = ["generator-0", "verifier-0"].map(|name| self.folder.join(name));
        if verifier.exists() {
            return Ok((self.load(&generator)?, self.load(&verifier)?));
        }
        let (states, phases) = (self.states(&self.folder.join("states"), "warm-start")?, self.config.warm_start);
        let mut rng = stream(self.config.seed, WARM_START);
        let models = (self.model(Role::LanguageModel)?, self.model(Role::Verifier)?);
        let own_errors = self.own_errors(base)?;
        let mut stage =
            WarmStart::new(&mut self.backend, models, (base, own_errors), (phases, &self.config.game), ROOM, &mut rng)?;
        if let Some(state) = resumed(&states)? {
            state.restore(&mut self.backend, "generator", &mut stage.generator.learner)?;
            state.restore(&mut self.backend, "verifier", &mut stage.verifier.learner)?;
            rng = state.stream("deal")?;
        }
        let bar = self.progress.stage("warm start", stage.steps(), stage.done());
        while !stage.is_done() {
            let report = stage.step(&mut self.backend, &self.task, &self.prompt, &mut rng)?;
            let loss = report.generator_loss.map(|loss| format!("loss {loss:.3}"));
            let accuracy = report.verifier.map(|verifier| format!("accuracy {:.2}", verifier.accuracy()));
            bar.advance(1, [loss, accuracy].into_iter().flatten().collect::<Vec<_>>().join(", "));
            self.pause(&states, stage.done(), |backend| {
                let mut state = TrainingState { step: stage.done(), ..TrainingState::default() };
                state.capture(backend, "generator", &stage.generator.learner)?;
                state.capture(backend, "verifier", &stage.verifier.learner)?;
                state.streams.insert("deal".into(), RandomStream::from(&rng));
                Ok(state)
            })?;
        }
        self.save(&generator, &stage.generator.model, &stage.generator.learner.weights)?;
        self.save(&verifier, &stage.verifier.model, &stage.verifier.learner.weights)?;
        Ok((self.load(&generator)?, self.load(&verifier)?))
    }

    /// Saves a state now and then, and where the run is interrupted, which ends it.
    pub(super) fn pause(
        &mut self,
        states: &StateFolder,
        done: u64,
        capture: impl FnOnce(&mut D) -> Result<TrainingState<f32>, D::Error>,
    ) -> Result<(), TrainError> {
        let is_interrupted = self.interruption.is_noted();
        if is_interrupted || done.is_multiple_of(self.config.save_every) {
            let state = capture(&mut self.backend).map_err(TrainError::device)?;
            states.save(&state)?;
        }
        if is_interrupted { Err(TrainError::Interrupted(self.folder.into())) } else { Ok(()) }
    }

    pub(super) fn states(&self, parent: &Path, stage: &str) -> Result<StateFolder, TrainError> {
        fs::create_dir_all(parent).map_err(|source| TrainError::Write { path: parent.into(), source })?;
        Ok(StateFolder::open(&parent.join(stage), NonZeroUsize::new(2).expect("two"))?)
    }

    pub(super) fn model(&mut self, role: Role) -> Result<Transformer<D>, TrainError> {
        let config = self.config.model.config(role, self.tokenizer.vocab_size())?;
        Transformer::new(&mut self.backend, config).map_err(TrainError::device)
    }

    pub(super) fn save(
        &mut self,
        folder: &Path,
        model: &Transformer<D>,
        weights: &Weights<D>,
    ) -> Result<(), TrainError> {
        let written = |source| TrainError::Write { path: folder.into(), source };
        let checkpoint = Checkpoint::download(&mut self.backend, model.config, weights).map_err(TrainError::device)?;
        // The folder's name is the sign that the stage is done, so it comes last.
        let partial = folder.with_extension("partial");
        fs::create_dir_all(&partial).map_err(written)?;
        checkpoint.save(&partial, Precision::F32).map_err(|source| TrainError::Save { path: folder.into(), source })?;
        self.tokenizer.save(&partial).map_err(written)?;
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(written)?;
        }
        fs::rename(&partial, folder).map_err(written)
    }

    pub(super) fn load(&mut self, folder: &Path) -> Result<Weights<D>, TrainError> {
        let loaded = Checkpoint::load(folder, Options::default());
        let checkpoint = loaded.map_err(|source| TrainError::Load { path: folder.into(), source })?;
        checkpoint.upload(&mut self.backend).map_err(TrainError::device)
    }
}

pub(super) fn resumed(states: &StateFolder) -> Result<Option<TrainingState<f32>>, TrainError> {
    let Some(loaded) = states.load_newest()? else { return Ok(None) };
    for rejected in &loaded.rejected {
        tell(&format!("warning: passed over {rejected}"));
    }
    Ok(Some(loaded.state))
}
