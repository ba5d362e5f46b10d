//! The game: rounds in which a generator rewrites gold steps, an oracle judges, a verifier labels, and both learn.

use std::iter::repeat_n;
use std::time::Instant;

use aprm_core::advantage::leave_one_out;
use aprm_core::backend::Backend;
use aprm_core::gae::Discounts;
use aprm_core::metrics::fooling_rate::FoolingRate;
use aprm_core::oracle::Verdict;
use aprm_core::player::Label;
use aprm_core::rand_core::Rng;
use aprm_core::reward::{Payoff, PayoffTable, Reward, ZeroSum};
use aprm_core::scalar::Scalar;

use super::config::{Adversary, GameConfig, Order, Payoffs};
use super::critic::{Critic, CriticStatistics};
use super::error::RunError;
use super::generator_loss::{GeneratorLoss, GeneratorStatistics};
use super::health::{Health, Signals};
use super::league::League;
use super::lesson::{Lesson, Teaching, study};
use super::players::Player;
use super::prompt::Prompt;
use super::rewriting::{Position, Rewriting, deal, judge};
use super::round_report::{Phases, Rewrite, RoundReport, VerifierStatistics};
use super::row_scores::RowScores;
use super::streams::Streams;
use super::task::Task;
use super::token_policy::{Response, TokenPolicy};
use super::verifier_loss::Opinion;

/// Tokens that go through a model at a time.
const MICRO_BATCH: usize = 4096;

/// Two players and the room they play in.
#[expect(missing_debug_implementations, reason = "buffers of a device need not be printable")]
pub struct Game<B: Backend> {
    /// The rules.
    pub config: GameConfig,
    /// G.
    pub generator: Player<B>,
    /// R, a token classifier of two classes.
    pub verifier: Player<B>,
    /// The baseline of G's advantages, where it is not the mean of other rewrites.
    pub critic: Option<Critic<B>>,
    /// Past generators.
    pub league: League<B>,
    /// Who watches over the game.
    pub health: Health,
    /// Rounds played.
    pub round: u64,
    token_policy: TokenPolicy<B>,
    row_scores: RowScores<B>,
}

impl<B: Backend> Game<B> {
    /// Sets the table.
    ///
    /// # Errors
    /// [`RunError`], if the device fails.
    pub fn new(
        backend: &mut B,
        config: GameConfig,
        generator: Player<B>,
        verifier: Player<B>,
    ) -> Result<Self, RunError<B::Error>> {
        let token_policy = TokenPolicy::new(backend, &generator.model, MICRO_BATCH);
        let row_scores = RowScores::new(backend, &verifier.model, MICRO_BATCH);
        Ok(Self {
            league: League::new(config.league_size),
            health: Health::new(config.health_window, config.written_positions() * config.rewrites),
            config,
            generator,
            verifier,
            critic: None,
            round: 0,
            token_policy: token_policy.map_err(RunError::Device)?,
            row_scores: row_scores.map_err(RunError::Device)?,
        })
    }

    /// Plays one round; both players learn from it.
    ///
    /// # Errors
    /// [`RunError`]; a round that fails may have moved one of the players, so go on from the last checkpoint.
    pub fn play<K: Task>(
        &mut self,
        backend: &mut B,
        task: &mut K,
        prompt: &Prompt,
        streams: &mut Streams,
    ) -> Result<RoundReport<B::Scalar>, RunError<B::Error>> {
        let mut phases = Phases::default();
        if self.config.league_share > 0.0 && self.round.is_multiple_of(self.config.league_every.max(1)) {
            let Player { model, learner, .. } = &self.generator;
            self.league.keep(backend, model, self.round, &learner.weights).map_err(RunError::Device)?;
        }
        let positions = deal(task, self.config.positions, &mut streams.deal);
        let rewriting = Rewriting { each: self.config.rewrites, max_tokens: self.config.max_rewrite_tokens };
        let Player { model, learner, .. } = &self.generator;

        let clock = Instant::now();
        let table = (&*task, prompt);
        let (written, ruled) = positions.split_at(self.config.written_positions());
        let rng = &mut streams.generator;
        let mut responses = match self.config.adversary {
            Adversary::Generator => rewriting.sample(backend, (model, &learner.weights), table, written, rng)?,
            Adversary::Rules | Adversary::NewRules => self.corrupt(task, prompt, written, rng)?,
        };
        let own = responses.len();
        responses.extend(self.corrupt(task, prompt, ruled, &mut streams.league)?);
        let dealt = responses.len();
        let past = (own as f64 * self.config.league_share / (1.0 - self.config.league_share)).round() as usize;
        if past > 0
            && let Some(weights) = self.league.draw(&mut streams.league)
        {
            let positions = &positions[..past.div_ceil(self.config.rewrites).min(positions.len())];
            responses.extend(rewriting.sample(backend, (model, weights), table, positions, &mut streams.league)?);
        }
        phases.generate = clock.elapsed();

        let clock = Instant::now();
        let mut rewrites = Vec::with_capacity(responses.len());
        for (i, response) in responses.iter().enumerate() {
            let nth = if i < dealt { i } else { i - dealt };
            let position = &positions[nth / self.config.rewrites];
            rewrites.push(judge(task, prompt, position, &response.tokens)?);
        }
        phases.judge = clock.elapsed();

        let (generator_moves, verifier_moves) = self.moves();
        let (lesson, questioned) = self.lesson(task, prompt, &rewrites, &mut streams.deal)?;
        let GameConfig { gold_share, verifier_hints: hints, verifier_reading: reading, .. } = self.config;
        let teaching = Teaching { loss: self.config.verifier_loss(), gold_share, reading, hints };
        let (mut old_opinions, mut old_log_probs) = (Vec::new(), Vec::new());
        let mut advantages = Vec::new();
        let lengths: Vec<usize> = responses[..own].iter().map(|response| response.tokens.len()).collect();
        let mut report = RoundReport {
            round: self.round,
            rewrites: Vec::new(),
            fooling: FoolingRate::default(),
            generator: None,
            generator_statistics: [GeneratorStatistics::default(); 2],
            critic: None,
            verifier: None,
            verifier_statistics: VerifierStatistics::default(),
            alarms: Vec::new(),
            tokens: lesson.tokens()
                + responses.iter().map(|response| response.prompt.len() + response.tokens.len()).sum::<usize>(),
            phases,
        };
        for epoch in 0..self.config.ppo_epochs.max(1) {
            // Both gradients are taken where both players stand, and only then does either move.
            let clock = Instant::now();
            let (room, opinions) = (&mut self.row_scores, &mut old_opinions);
            let statistics =
                study(backend, &mut self.verifier, room, &lesson, teaching, opinions, &mut streams.verifier)?;
            if epoch == 0 {
                report.verifier_statistics = statistics;
                self.pay(&mut rewrites, &questioned, &old_opinions);
            }
            report.phases.verifier += clock.elapsed();
            let clock = Instant::now();
            if generator_moves {
                if epoch == 0 {
                    advantages = self.advantages(backend, &rewrites[..own], &responses[..own], &mut report.critic)?;
                }
                let found =
                    self.generator_pass(backend, &responses[..own], &lengths, &advantages, &mut old_log_probs)?;
                report.generator_statistics[usize::from(epoch > 0)] = found;
                let update = update(backend, &mut self.generator, "generator", self.round)?;
                report.generator.get_or_insert(update);
            }
            report.phases.generator += clock.elapsed();
            let clock = Instant::now();
            if verifier_moves {
                let update = update(backend, &mut self.verifier, "verifier", self.round)?;
                report.verifier.get_or_insert(update);
            }
            report.phases.verifier += clock.elapsed();
        }
        rewrites.truncate(own);
        for rewrite in &rewrites {
            report.fooling.observe(rewrite.verdict, rewrite.label == Label::Correct);
        }
        report.rewrites = rewrites;
        report.alarms = self.health.observe(Signals::of(&report));
        self.round += 1;
        Ok(report)
    }

    /// Whether generator and verifier move in this round.
    fn moves(&self) -> (bool, bool) {
        let (generator, verifier) = match self.config.order {
            Order::Simultaneous => (true, true),
            Order::Alternating => (self.round.is_multiple_of(2), !self.round.is_multiple_of(2)),
        };
        let can_move = self.config.adversary == Adversary::Generator && self.config.generator_learning_rate > 0.0;
        (generator && can_move, verifier)
    }

    /// Has the rules rewrite each position.
    fn corrupt<K: Task>(
        &self,
        task: &K,
        prompt: &Prompt,
        positions: &[Position<K::Solution>],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Response>, RunError<B::Error>> {
        let mut responses = Vec::with_capacity(positions.len() * self.config.rewrites);
        for Position { solution, step } in positions {
            for _ in 0..self.config.rewrites {
                let corrupted = task.corrupt(solution, *step, rng);
                let tokens = corrupted.map_or(Ok(Vec::new()), |(_, corrupted)| prompt.step(&corrupted))?;
                responses.push(Response { prompt: Vec::new(), tokens });
            }
        }
        Ok(responses)
    }

    /// What the verifier learns from: every decidable rewrite in its context, and whole gold solutions; and which rewrites
    /// are in it.
    fn lesson<K: Task>(
        &self,
        task: &K,
        prompt: &Prompt,
        rewrites: &[Rewrite<B::Scalar>],
        rng: &mut dyn Rng,
    ) -> Result<(Lesson, Vec<usize>), RunError<B::Error>> {
        let (mut lesson, mut questioned) = (Lesson::default(), Vec::new());
        let has_hints = self.config.verifier_hints > 0.0;
        for (i, rewrite) in rewrites.iter().enumerate().filter(|(_, rewrite)| rewrite.verdict != Verdict::Undecidable) {
            let steps: Vec<String> = rewrite.prefix.iter().chain([&rewrite.text]).cloned().collect();
            let marked = prompt.marked(&rewrite.problem, &steps)?;
            let gold: Vec<String> = rewrite.prefix.iter().chain([&rewrite.gold_step]).cloned().collect();
            let deviation = has_hints.then(|| prompt.deviation(&rewrite.problem, &gold, &marked)).transpose()?;
            lesson.question(marked, rewrite.verdict, deviation);
            questioned.push(i);
        }
        let gold = (rewrites.len() as f64 * self.config.gold_share).round() as usize;
        while lesson.len() < lesson.questions() + gold {
            let solution = task.deal(rng);
            let begin = prompt.transcript(task.problem(&solution), &[])?.len();
            lesson.gold(prompt.marked(task.problem(&solution), task.steps(&solution))?, begin, has_hints);
        }
        Ok((lesson, questioned))
    }

    /// The generator's gradient.
    fn generator_pass(
        &mut self,
        backend: &mut B,
        responses: &[Response],
        lengths: &[usize],
        advantages: &[B::Scalar],
        old_log_probs: &mut Vec<B::Scalar>,
    ) -> Result<GeneratorStatistics, RunError<B::Error>> {
        let mut loss = GeneratorLoss {
            lengths,
            advantages,
            old_log_probs,
            clip_range: B::Scalar::of(self.config.clip_range),
            tau: B::Scalar::of(self.config.tau),
            divergence: self.config.divergence,
            entropy: B::Scalar::of(self.config.entropy),
            found: GeneratorStatistics::default(),
        };
        let Player { model, learner, reference } = &mut self.generator;
        learner.gradients.clear(backend, &model.layout).map_err(RunError::Device)?;
        let (weights, gradients) = (&learner.weights, &mut learner.gradients);
        self.token_policy.accumulate(backend, model, weights, Some(reference), responses, &mut loss, gradients)?;
        Ok(loss.found)
    }

    /// Pays for all rewrites; one that the oracle cannot decide is paid by the table, whatever its label.
    fn pay(&self, rewrites: &mut [Rewrite<B::Scalar>], questioned: &[usize], opinions: &[Opinion<B::Scalar>]) {
        for (&i, opinion) in questioned.iter().zip(opinions) {
            (rewrites[i].score, rewrites[i].label) = (opinion.score, opinion.label);
        }
        for rewrite in rewrites {
            let payoff = |label| self.payoff(rewrite.verdict, label);
            rewrite.payoff = if self.config.expected_payoffs {
                let (accepted, rejected) = (payoff(Label::Correct), payoff(Label::Incorrect));
                let mix = |accepted, rejected| rejected + rewrite.score * (accepted - rejected);
                Payoff {
                    generator: mix(accepted.generator, rejected.generator),
                    verifier: mix(accepted.verifier, rejected.verifier),
                }
            } else {
                payoff(rewrite.label)
            };
        }
    }

    fn payoff(&self, verdict: Verdict, label: Label) -> Payoff<B::Scalar> {
        let scalar = B::Scalar::of;
        match self.config.payoffs {
            Payoffs::Table { fooled, detected, uncorrupted } => {
                let table = PayoffTable {
                    fooled: scalar(fooled),
                    detected: scalar(detected),
                    uncorrupted: scalar(uncorrupted),
                };
                table.payoff(&(verdict, label))
            }
            Payoffs::ZeroSum => ZeroSum::new().payoff(&(verdict, label)),
        }
    }

    /// One advantage for each token; a critic, if there is one, says what it found.
    fn advantages(
        &mut self,
        backend: &mut B,
        rewrites: &[Rewrite<B::Scalar>],
        responses: &[Response],
        found: &mut Option<CriticStatistics>,
    ) -> Result<Vec<B::Scalar>, RunError<B::Error>> {
        let payoffs: Vec<B::Scalar> = rewrites.iter().map(|rewrite| rewrite.payoff.generator).collect();
        if let Some(critic) = &mut self.critic {
            let discounts = Discounts { gamma: B::Scalar::of(1.0), gae_lambda: B::Scalar::of(self.config.gae_lambda) };
            let assessment = critic.assess(backend, responses, &payoffs, discounts, self.round)?;
            *found = Some(assessment.statistics);
            return Ok(assessment.advantages);
        }
        let mut of_rewrites = vec![B::Scalar::default(); payoffs.len()];
        leave_one_out(&payoffs, self.config.rewrites, &mut of_rewrites);
        let of_tokens = of_rewrites.into_iter().zip(responses);
        let of_tokens = of_tokens.flat_map(|(advantage, response)| repeat_n(advantage, response.tokens.len()));
        Ok(of_tokens.collect())
    }
}

fn update<B: Backend>(
    backend: &mut B,
    player: &mut Player<B>,
    name: &'static str,
    round: u64,
) -> Result<crate::learner::UpdateReport<B::Scalar>, RunError<B::Error>> {
    let batch = format_args!("round {round}");
    player.learner.apply(backend, &batch).map_err(|error| RunError::Update { player: name, error })
}
