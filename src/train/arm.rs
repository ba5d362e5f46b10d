//! One arm of a run: a verifier that learns from its common beginning on, and the judgement of it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aprm_models::aprm::attempt_scores::{step_likelihoods, step_scores};
use aprm_models::aprm::collection::Collection;
use aprm_models::aprm::config::{Adversary, Baseline};
use aprm_models::aprm::critic::Critic;
use aprm_models::aprm::error::RunError;
use aprm_models::aprm::evaluation::{Evaluation, fit_threshold};
use aprm_models::aprm::game::Game;
use aprm_models::aprm::labelled::{LabelledSolution, LabelledTraining, Labels, label};
use aprm_models::aprm::model::{Role, graft};
use aprm_models::aprm::players::{Player, copy};
use aprm_models::aprm::row_scores::RowScores;
use aprm_models::aprm::streams::{Streams, stream};
use aprm_models::aprm::token_policy::TokenPolicy;
use aprm_models::aprm::win_rates::{Match, Past, WinRates};
use aprm_models::durable_file::{Disk, replace};
use aprm_models::learner::LearnerConfig;
use aprm_models::training_state::{RandomStream, TrainingState};

use super::TrainError;
use super::metrics::Log;
use super::problems::{Problems, collected};
use super::rows::{read_rows, write_rows};
use super::settings::Arm;
use super::solving::{Solved, sampling};
use super::stages::{ROOM, Run, Weights, resumed};
use super::summary::{LIKELIHOOD, Row};
use crate::device::Device;

/// The random streams of what belongs to no stage.
const WIN_RATES: u64 = 13;
const LABELS: u64 = 14;
const CRITIC: u64 = 15;
/// What was found of an arm's verifier.
const JUDGEMENT: &str = "judgement.jsonl";
/// Generators, and verifiers, that are played against each other.
const MATCHES: usize = 5;

impl<D: Device> Run<'_, D> {
    /// An arm that is a game, of which checkpoints stay.
    pub(super) fn play(&mut self, arm: &Arm, generator: &Weights<D>, verifier: &Weights<D>) -> Result<(), TrainError> {
        let (folder, config) = (self.folder.join(&arm.name), arm.game.clone());
        if folder.join("verifier").exists() {
            return self.matches(arm);
        }
        begin(&folder)?;
        let mut task = self.task_of(arm)?;
        let states = self.states(&folder, "states")?;
        let generator = {
            let model = self.model(Role::LanguageModel)?;
            let weights = copy(&mut self.backend, &model, generator).map_err(TrainError::device)?;
            Player::new(&mut self.backend, model, weights, config.generator_learner())?
        };
        let verifier = self.verifier(arm, verifier)?;
        let critic = match config.baseline {
            Baseline::LeaveOneOut => None,
            Baseline::Critic => Some(self.critic(&generator, config.critic_learner())?),
        };
        let rounds = config.rounds;
        let mut game = Game::new(&mut self.backend, config, generator, verifier)?;
        game.critic = critic;
        let mut streams = Streams::new(self.config.seed);
        if let Some(state) = resumed(&states)? {
            game.restore(&mut self.backend, &state, &mut streams)?;
        }
        let mut log = Log::open(&folder, game.round, self.progress)?;
        let bar = self.progress.stage(&arm.name, rounds, game.round);
        while game.round < rounds {
            let report = game.play(&mut self.backend, &mut task, &self.prompt, &mut streams)?;
            log.write(&report)?;
            for alarm in &report.alarms {
                self.progress.warn(format!("{}, round {}: {alarm}: {}", arm.name, report.round, alarm.advice()));
            }
            let fooled = report.fooling.fooling_rate().unwrap_or(f64::NAN);
            bar.advance(1, format!("fooled {fooled:.2}, accuracy {:.2}", report.verifier_statistics.accuracy()));
            // Before the state: a run that goes on from a state has all checkpoints up to it.
            if self.is_checkpoint(game.round, rounds) {
                let folder = checkpoint(&folder, game.round);
                self.save(&folder.join("generator"), &game.generator.model, &game.generator.learner.weights)?;
                let averaged = game.verifier.learner.averaged_weights();
                self.save(&folder.join("verifier"), &game.verifier.model, averaged)?;
            }
            self.pause(&states, game.round, |backend| game.capture(backend, &streams))?;
        }
        self.save(&folder.join("generator"), &game.generator.model, &game.generator.learner.weights)?;
        self.save(&folder.join("verifier"), &game.verifier.model, game.verifier.learner.averaged_weights())?;
        self.matches(arm)
    }

    /// An arm that learns from labelled solutions, of which checkpoints stay.
    pub(super) fn learn(
        &mut self,
        arm: &Arm,
        labels: Labels,
        solver: &Weights<D>,
        verifier: &Weights<D>,
    ) -> Result<(), TrainError> {
        let folder = self.folder.join(&arm.name);
        if folder.join("verifier").exists() {
            return Ok(());
        }
        let solutions = self.labelled(solver)?;
        if solutions.is_empty() {
            return Err(TrainError::NoSolutions);
        }
        begin(&folder)?;
        let states = self.states(&folder, "states")?;
        let verifier = self.verifier(arm, verifier)?;
        let mut training = LabelledTraining::new(&mut self.backend, arm.game.clone(), verifier, ROOM)?;
        let mut streams = Streams::new(self.config.seed);
        if let Some(state) = resumed(&states)? {
            state.restore(&mut self.backend, "verifier", &mut training.verifier.learner)?;
            (streams.deal, streams.verifier) = (state.stream("deal")?, state.stream("verifier")?);
            training.round = state.step;
        }
        let mut log = Log::open(&folder, training.round, self.progress)?;
        let bar = self.progress.stage(&arm.name, arm.game.rounds, training.round);
        while training.round < arm.game.rounds {
            let (round, rngs) = (training.round, (&mut streams.deal as _, &mut streams.verifier as _));
            let report = training.step(&mut self.backend, &self.prompt, &solutions, labels, rngs)?;
            log.write_supervised(round, &report)?;
            bar.advance(1, format!("accuracy {:.2}", report.statistics.accuracy()));
            if self.is_checkpoint(training.round, arm.game.rounds) {
                let averaged = training.verifier.learner.averaged_weights();
                let folder = checkpoint(&folder, training.round).join("verifier");
                self.save(&folder, &training.verifier.model, averaged)?;
            }
            self.pause(&states, training.round, |backend| {
                let mut state = TrainingState { step: training.round, ..TrainingState::default() };
                state.capture(backend, "verifier", &training.verifier.learner)?;
                for (name, rng) in [("deal", &streams.deal), ("verifier", &streams.verifier)] {
                    state.streams.insert(name.into(), RandomStream::from(rng));
                }
                Ok(state)
            })?;
        }
        let averaged = training.verifier.learner.averaged_weights();
        self.save(&folder.join("verifier"), &training.verifier.model, averaged)
    }

    /// Solutions of training problems that the solver wrote and continued, the same for all arms.
    fn labelled(&mut self, solver: &Weights<D>) -> Result<Vec<LabelledSolution>, TrainError> {
        let path = self.folder.join("labelled").join("solutions.jsonl");
        if !path.exists() {
            let model = self.model(Role::LanguageModel)?;
            let mut rng = stream(self.config.seed, LABELS);
            let config = self.config.labelling;
            let end = [self.prompt.end];
            let sampling = sampling(&self.config, &end);
            let bar = self.progress.stage("labels", config.problems as u64, 0);
            let labelled = label(
                &mut self.backend,
                (&model, solver),
                (&self.task, &self.prompt),
                (config.problems, config.continuations),
                sampling,
                &mut rng,
                |by| bar.advance(by as u64, "solutions and continuations"),
            )?;
            let folder = self.folder.join("labelled");
            fs::create_dir_all(&folder).map_err(|source| TrainError::Write { path: folder, source })?;
            write_rows(&path, &labelled)?;
        }
        read_rows(&path)
    }

    /// The problems as an arm's oracle sees them.
    fn task_of(&self, arm: &Arm) -> Result<Collection<Problems>, TrainError> {
        let task = collected(&self.config, Problems::new(&self.config, arm.oracle)?)?;
        Ok(if arm.game.adversary == Adversary::NewRules { task.with_new_errors() } else { task })
    }

    fn verifier(&mut self, arm: &Arm, weights: &Weights<D>) -> Result<Player<D>, TrainError> {
        let model = self.model(Role::Verifier)?;
        let weights = copy(&mut self.backend, &model, weights).map_err(TrainError::device)?;
        Ok(Player::new(&mut self.backend, model, weights, arm.game.verifier_learner())?)
    }

    fn matches(&mut self, arm: &Arm) -> Result<(), TrainError> {
        if arm.game.adversary != Adversary::Generator {
            return Ok(());
        }
        self.win_rates(&arm.name, arm.game.rounds, arm.game.max_rewrite_tokens)
    }

    /// A critic that begins as the generator, with a head that says nothing yet.
    fn critic(&mut self, generator: &Player<D>, config: LearnerConfig<f32>) -> Result<Critic<D>, TrainError> {
        let model = self.model(Role::Critic)?;
        let weights = graft(
            &mut self.backend,
            &generator.model,
            &generator.reference,
            &model,
            &mut stream(self.config.seed, CRITIC),
        )
        .map_err(TrainError::device)?;
        Ok(Critic::new(&mut self.backend, model, weights, config, ROOM)?)
    }

    /// The checkpoints of an arm against each other.
    fn win_rates(&mut self, arm: &str, rounds: u64, max_tokens: usize) -> Result<(), TrainError> {
        let path = self.folder.join(arm).join("win_rates.json");
        if path.exists() {
            return Ok(());
        }
        let all: Vec<u64> = (1..=rounds).filter(|&round| self.is_checkpoint(round, rounds)).collect();
        // At most so many, the last among them.
        let every = all.len().div_ceil(MATCHES);
        let rounds: Vec<u64> = all.into_iter().rev().step_by(every).collect();
        let (mut generators, mut verifiers) = (Vec::new(), Vec::new());
        for round in rounds.into_iter().rev() {
            let folder = checkpoint(&self.folder.join(arm), round);
            generators.push((round, self.load(&folder.join("generator"))?));
            verifiers.push((round, self.load(&folder.join("verifier"))?));
        }
        let (generator, verifier) = (self.model(Role::LanguageModel)?, self.model(Role::Verifier)?);
        let mut room = RowScores::new(&mut self.backend, &verifier, ROOM).map_err(RunError::Device)?;
        let rates = WinRates::play(
            &mut self.backend,
            Past { model: &generator, players: &generators },
            Past { model: &verifier, players: &verifiers },
            &mut room,
            (&mut self.task, &self.prompt),
            Match { positions: 200, max_tokens },
            &mut stream(self.config.seed, WIN_RATES),
        )?;
        let json = serde_json::to_string(&rates).expect("numbers");
        let folder = path.parent().unwrap_or(Path::new("."));
        replace(&Disk(folder.into()), "win_rates.json", |out| writeln!(out, "{json}"))
            .map_err(|source| TrainError::Write { path, source })
    }

    fn is_checkpoint(&self, round: u64, rounds: u64) -> bool {
        round == rounds || (rounds - round).is_multiple_of(self.config.evaluation.every)
    }

    /// The last checkpoints of an arm on all sets, each at a threshold of its own, on average.
    pub(super) fn judge(&mut self, arm: &Arm, sets: &[Solved]) -> Result<Vec<Row>, TrainError> {
        if sets.is_empty() {
            return Ok(Vec::new());
        }
        let path = self.folder.join(&arm.name).join(JUDGEMENT);
        let (prm, rounds) = (&arm.name, arm.game.rounds);
        if path.exists() {
            let rows: Vec<Row> = read_rows(&path)?;
            // What is not of this arm and these sets is found anew.
            if rows.iter().map(|row| (&row.prm, &row.set)).eq(sets.iter().skip(1).map(|set| (prm, &set.name))) {
                return Ok(rows);
            }
        }
        let last: Vec<u64> = (1..=rounds)
            .rev()
            .filter(|&round| self.is_checkpoint(round, rounds))
            .take(self.config.evaluation.checkpoints)
            .collect();
        let model = self.model(Role::Verifier)?;
        let mut room = RowScores::new(&mut self.backend, &model, ROOM).map_err(RunError::Device)?;
        let bar = self.progress.stage("judging", last.len() as u64, 0);
        let mut found: Vec<Vec<Evaluation>> = vec![Vec::new(); sets.len()];
        for round in last {
            let verifier = self.load(&checkpoint(&self.folder.join(prm), round).join("verifier"))?;
            let mut threshold = 0.5;
            for (i, Solved { attempts, .. }) in sets.iter().enumerate() {
                let scores = step_scores(&mut self.backend, &model, &verifier, &mut room, &self.prompt, attempts)?;
                if i == 0 {
                    threshold = fit_threshold(attempts, &scores);
                }
                found[i].push(Evaluation::new(attempts, &scores, threshold));
            }
            bar.advance(1, prm.clone());
        }
        let judged = sets.iter().zip(&found).skip(1);
        let rows: Vec<Row> = judged
            .map(|(set, found)| Row { prm: prm.clone(), set: set.name.clone(), evaluation: Evaluation::mean(found) })
            .collect();
        write_rows(&path, &rows)?;
        Ok(rows)
    }

    /// What the language model that all begin from says of the attempts, without having learnt to judge.
    pub(super) fn likelihoods(&mut self, base: &Weights<D>, sets: &[Solved]) -> Result<Vec<Row>, TrainError> {
        let model = self.model(Role::LanguageModel)?;
        let mut room = TokenPolicy::new(&mut self.backend, &model, ROOM).map_err(RunError::Device)?;
        let (mut rows, mut threshold) = (Vec::new(), 0.5);
        for (i, Solved { name, attempts }) in sets.iter().enumerate() {
            let scores = step_likelihoods(&mut self.backend, &model, base, &mut room, &self.prompt, attempts)?;
            if i == 0 {
                threshold = fit_threshold(attempts, &scores);
            } else {
                let evaluation = Evaluation::new(attempts, &scores, threshold);
                rows.push(Row { prm: LIKELIHOOD.into(), set: name.clone(), evaluation });
            }
        }
        Ok(rows)
    }
}

/// Makes the folder of an arm that learns from here on, about which nothing is known then.
fn begin(folder: &Path) -> Result<(), TrainError> {
    let begun = fs::create_dir_all(folder).and_then(|()| match fs::remove_file(folder.join(JUDGEMENT)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    });
    begun.map_err(|source| TrainError::Write { path: folder.into(), source })
}

/// Where an arm's players after a round are kept.
fn checkpoint(arm: &Path, round: u64) -> PathBuf {
    arm.join("checkpoints").join(format!("{round:06}"))
}
