//! Both players on rule-made corruptions, before they meet; the verifier after it is the static PRM.

use aprm_core::backend::Backend;
use aprm_core::oracle::Verdict;
use aprm_core::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::config::{GameConfig, WarmStartPhases};
use super::error::RunError;
use super::lesson::{Lesson, Teaching, study};
use super::model::graft;
use super::players::{Player, copy};
use super::prompt::Prompt;
use super::round_report::VerifierStatistics;
use super::row_scores::RowScores;
use super::supervised::imitate;
use super::task::Task;
use super::token_policy::{Response, TokenPolicy};
use super::verifier_loss::VerifierLoss;
use crate::arithmetic::ErrorKind;
use crate::draw::{choose, happens, index};
use crate::transformer::{Parameters, Transformer};

/// A gold step and a wrong one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corruption {
    /// The problem.
    pub problem: String,
    /// The gold steps up to and with the one that is corrupted.
    pub steps: Vec<String>,
    /// What stands in the place of the last.
    pub corrupted: String,
    /// In which way it is wrong.
    pub kind: ErrorKind,
}

impl Corruption {
    /// Deals solutions until the rules know a wrong step for one of a solution's steps.
    pub fn deal<K: Task>(task: &K, rng: &mut dyn Rng) -> Self {
        loop {
            let solution = task.deal(rng);
            let gold = task.steps(&solution);
            let step = index(gold.len(), rng);
            if let Some((kind, corrupted)) = task.corrupt(&solution, step, rng) {
                return Self {
                    problem: task.problem(&solution).into(),
                    steps: gold[..=step].to_vec(),
                    corrupted,
                    kind,
                };
            }
        }
    }

    /// The steps with the wrong one in its place.
    pub fn corrupted_steps(&self) -> Vec<String> {
        self.steps[..self.steps.len() - 1].iter().chain([&self.corrupted]).cloned().collect()
    }
}

/// Both players on rule-made corruptions.
#[expect(missing_debug_implementations, reason = "buffers of a device need not be printable")]
pub struct WarmStart<B: Backend> {
    /// Learns to write what the rules write, and a language model's own errors.
    pub generator: Player<B>,
    /// Learns to tell gold steps from what the rules write.
    pub verifier: Player<B>,
    phases: WarmStartPhases,
    own_errors: Vec<Corruption>,
    hints: f64,
    reading: f64,
    token_policy: TokenPolicy<B>,
    row_scores: RowScores<B>,
}

/// How many steps a player has done, those that were skipped among them.
fn tried<B: Backend>(player: &Player<B>) -> u64 {
    player.learner.steps + player.learner.skipped
}

/// What a step of the warm start found.
#[derive(Clone, Copy, Debug)]
pub struct WarmStartReport {
    /// The generator's loss in nats per token, while it learns.
    pub generator_loss: Option<f64>,
    /// What the verifier said, while it learns.
    pub verifier: Option<VerifierStatistics>,
}

impl<B: Backend> WarmStart<B> {
    /// A generator of the first model and a verifier of the second, both from a language model's weights, and the errors of
    /// its own, without which the rules write all; what the verifier's loss weighs is the game's.
    ///
    /// # Errors
    /// [`RunError`], if the device fails.
    pub fn new(
        backend: &mut B,
        (generator, verifier): (Transformer<B>, Transformer<B>),
        (base, own_errors): (&Parameters<B::Buffer>, Vec<Corruption>),
        (phases, game): (WarmStartPhases, &GameConfig),
        room: usize,
        rng: &mut dyn Rng,
    ) -> Result<Self, RunError<B::Error>> {
        let copied = copy(backend, &generator, base).map_err(RunError::Device)?;
        let grafted = graft(backend, &generator, base, &verifier, rng).map_err(RunError::Device)?;
        let token_policy = TokenPolicy::new(backend, &generator, room).map_err(RunError::Device)?;
        let row_scores = RowScores::new(backend, &verifier, room).map_err(RunError::Device)?;
        Ok(Self {
            generator: Player::new(backend, generator, copied, phases.generator.learner())?,
            verifier: Player::new(backend, verifier, grafted, phases.verifier.learner())?,
            phases,
            own_errors,
            hints: game.verifier_hints,
            reading: game.verifier_reading,
            token_policy,
            row_scores,
        })
    }

    /// How many steps are done.
    pub fn done(&self) -> u64 {
        tried(&self.generator).max(tried(&self.verifier))
    }

    /// How many steps there are.
    pub fn steps(&self) -> u64 {
        self.phases.generator.steps.max(self.phases.verifier.steps)
    }

    /// Whether all steps are done.
    pub fn is_done(&self) -> bool {
        self.done() >= self.steps()
    }

    /// One update of each player whose phase is not over, on corruptions of its own.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn step<K: Task>(
        &mut self,
        backend: &mut B,
        task: &K,
        prompt: &Prompt,
        rng: &mut dyn Rng,
    ) -> Result<WarmStartReport, RunError<B::Error>> {
        let generator_learns = tried(&self.generator) < self.phases.generator.steps;
        let generator_loss = generator_learns.then(|| self.step_generator(backend, task, prompt, rng)).transpose()?;
        let verifier_learns = tried(&self.verifier) < self.phases.verifier.steps;
        let verifier = verifier_learns.then(|| self.step_verifier(backend, task, prompt, rng)).transpose()?;
        Ok(WarmStartReport { generator_loss, verifier })
    }

    /// What the generator is to write.
    fn written<K: Task>(&self, task: &K, rng: &mut dyn Rng) -> Corruption {
        let own = happens(self.phases.own_errors.share, rng).then(|| choose(&self.own_errors, rng)).flatten();
        own.cloned().unwrap_or_else(|| Corruption::deal(task, rng))
    }

    fn has_hints(&self) -> bool {
        self.hints > 0.0
    }

    fn step_generator<K: Task>(
        &mut self,
        backend: &mut B,
        task: &K,
        prompt: &Prompt,
        rng: &mut dyn Rng,
    ) -> Result<f64, RunError<B::Error>> {
        let responses = (0..self.phases.generator.batch).map(|_| {
            let corruption = self.written(task, rng);
            let asked = prompt.to_rewrite(&corruption.problem, &corruption.steps)?;
            Ok(Response { prompt: asked, tokens: prompt.announced_step(corruption.kind, &corruption.corrupted)? })
        });
        let responses = responses.collect::<Result<Vec<_>, RunError<B::Error>>>()?;
        let Player { model, learner, .. } = &mut self.generator;
        let step = learner.steps;
        imitate(backend, model, learner, &mut self.token_policy, &responses, step)
    }

    fn step_verifier<K: Task>(
        &mut self,
        backend: &mut B,
        task: &K,
        prompt: &Prompt,
        rng: &mut dyn Rng,
    ) -> Result<VerifierStatistics, RunError<B::Error>> {
        let mut lesson = Lesson::default();
        for _ in 0..self.phases.verifier.batch {
            let corruption = Corruption::deal(task, rng);
            let marked = prompt.marked(&corruption.problem, &corruption.corrupted_steps())?;
            let deviation = self.has_hints().then(|| prompt.deviation(&corruption.problem, &corruption.steps, &marked));
            lesson.question(marked, Verdict::Incorrect, deviation.transpose()?);
        }
        while lesson.len() < 2 * self.phases.verifier.batch {
            let solution = task.deal(rng);
            let begin = prompt.transcript(task.problem(&solution), &[])?.len();
            lesson.gold(prompt.marked(task.problem(&solution), task.steps(&solution))?, begin, self.has_hints());
        }
        let (verifier, room) = (&mut self.verifier, &mut self.row_scores);
        let (hints, reading) = (self.hints, self.reading);
        let teaching = Teaching { loss: VerifierLoss::cross_entropy(), gold_share: 1.0, reading, hints };
        let statistics = study(backend, verifier, room, &lesson, teaching, &mut Vec::new(), rng)?;
        let step = verifier.learner.steps;
        let update = verifier.learner.apply(backend, &format_args!("batch {step}"));
        update.map_err(|error| RunError::Update { player: "verifier", error })?;
        Ok(statistics)
    }
}
