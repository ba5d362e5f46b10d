//! What a run of APRM can be told.

mod validation;

use std::fmt;
use std::path::PathBuf;

use aprm_core::reward::PayoffTable;
use serde::{Deserialize, Serialize};

use crate::arithmetic::{Distribution, Form, Naming, Preset};
use crate::oracle::Leniency;

pub use validation::SettingError;

/// A whole run, from nothing to two players.
///
/// The defaults are ours; what the paper states of them is in [`super`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// Everything random follows from it.
    pub seed: u64,
    /// Updates between two states from which the run could go on.
    pub save_every: u64,
    /// The problems that are learnt from.
    pub problems: Distribution,
    /// GSM8K's problems in the place of the built-in ones; there are no attempts then, and nobody is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gsm8k: Option<Gsm8kConfig>,
    /// Problems whose gold solutions somebody has collected, each step with one rule-made error in its place: what a static
    /// PRM learns from, and all that the players have of gold steps. Zero is for no end of either, as only rules can write.
    pub collected_solutions: usize,
    /// What the oracle lets pass.
    pub oracle: Strictness,
    /// The shape of generator, verifier and solver.
    pub model: ModelShape,
    /// The folder of a run whose language models are taken, instead of any being pre-trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_models: Option<PathBuf>,
    /// The language model that both players start from.
    pub pretraining: Phase,
    /// The problems that the language model learns to solve, in equal shares; the players see `problems` alone, so that
    /// what is out of distribution for them need not be beyond the solver.
    pub pretraining_sets: Vec<Preset>,
    /// After which share of the pre-training steps the weak solver is taken.
    pub weak_solver: f64,
    /// Both players on rule-made corruptions.
    pub warm_start: WarmStartPhases,
    /// The game.
    pub game: GameConfig,
    /// What arms learn from whose labels are not an oracle's.
    pub labelling: Labelling,
    /// How the verifier is judged.
    pub evaluation: EvaluationConfig,
}

/// How much a solver writes to label steps by Monte Carlo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Labelling {
    /// Problems, of each of which it writes one solution.
    pub problems: usize,
    /// Continuations of each prefix of it.
    pub continuations: usize,
}

impl Default for Labelling {
    fn default() -> Self {
        Self { problems: 1000, continuations: 8 }
    }
}

/// Where problems of GSM8K come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gsm8kConfig {
    /// Its `train.jsonl`.
    pub file: PathBuf,
    /// Problems with more characters, their solutions included, are left out.
    #[serde(default = "most_characters")]
    pub characters: usize,
    /// A program that judges steps beside the oracle of the arithmetic that they show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<JudgeConfig>,
}

/// A program that judges steps, as [`ProcessOracle`](crate::oracle::ProcessOracle) asks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeConfig {
    /// It and its arguments.
    pub command: Vec<String>,
    /// The seconds that it has for an answer.
    #[serde(default = "patience")]
    pub seconds: u64,
    /// When it is asked.
    #[serde(default)]
    pub asked: Asked,
}

fn patience() -> u64 {
    30
}

/// When a judge is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Where the oracle cannot tell.
    #[default]
    IfUndecidable,
    /// Always, and nobody else.
    Always,
}

/// What leaves room for a rewrite in the default context.
fn most_characters() -> usize {
    368
}

/// What the oracle lets pass, as [`Leniency`] has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// What does no harm to the value.
    #[default]
    Default,
    /// Only the steps of the solution.
    Strict,
    /// All that is true.
    Lenient,
}

impl Strictness {
    /// What it lets pass.
    pub fn leniency(self) -> Leniency {
        match self {
            Self::Default => Leniency::default(),
            Self::Strict => Leniency::STRICT,
            Self::Lenient => Leniency::LENIENT,
        }
    }
}

/// The shape of a transformer trained from scratch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelShape {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Layers that the verifier has on top of the language model's: comparing what is written with what it would have
    /// written takes a layer above those that know.
    pub verifier_extra_layers: usize,
    /// Heads of attention.
    pub num_attention_heads: usize,
    /// Width of the feed-forward layers.
    pub intermediate_size: usize,
    /// Tokens of the longest sequence.
    pub context: usize,
}

/// A phase of supervised learning.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Updates.
    pub steps: u64,
    /// Solutions, or steps of them, in an update.
    pub batch: usize,
    /// Of AdamW, warmed up over a twentieth of the steps and then lowered to a tenth along a cosine.
    pub learning_rate: f64,
}

/// The players' phases on rule-made corruptions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmStartPhases {
    /// The generator's; its batches are of rewrites.
    pub generator: Phase,
    /// The verifier's; its batches are of wrong steps, beside as many gold ones.
    pub verifier: Phase,
    /// What the generator learns to write beside what the rules write.
    pub own_errors: OwnErrors,
}

/// The wrong steps among those that the language model writes behind gold ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnErrors {
    /// Share of the generator's warm start that they are; the rest is the rules'.
    pub share: f64,
    /// Steps that it writes.
    pub attempts: usize,
    /// Divides its log-probabilities, that it may err more often.
    pub temperature: f64,
}

/// Which divergence from the initial policy is taken off a player's utility.
///
/// Sources on the paper disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Divergence {
    /// `KL(π ‖ π_0)`.
    #[default]
    Plain,
    /// `KL(π ‖ π_0) + KL(π_0 ‖ π)`.
    Symmetric,
}

/// How a direction becomes an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateRule {
    /// Gradient descent-ascent.
    Gda,
    /// Optimistic gradient descent-ascent, the paper's.
    Ogda,
    /// Adam.
    Adam,
    /// OGDA on Adam's direction.
    OptimisticAdam,
}

/// Who rewrites gold steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adversary {
    /// The generator.
    #[default]
    Generator,
    /// The rules, by the errors that were collected: what trains a PRM on fixed errors.
    Rules,
    /// The rules, by a new error each time, of the solutions that were collected.
    NewRules,
}

/// When the players move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Both in every round, from the same point.
    #[default]
    Simultaneous,
    /// The generator in even rounds, the verifier in odd ones.
    Alternating,
}

/// What the players are paid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Payoffs {
    /// The general-sum game by its table for the generator.
    Table {
        /// Incorrect, and taken for correct.
        fooled: f64,
        /// Incorrect, and found out.
        detected: f64,
        /// Not incorrect at all.
        uncorrupted: f64,
    },
    /// The generator loses what the verifier gains.
    ZeroSum,
}

impl Default for Payoffs {
    fn default() -> Self {
        let PayoffTable { fooled, detected, uncorrupted } = PayoffTable::default();
        Self::Table { fooled, detected, uncorrupted }
    }
}

/// What a rewrite's payoff is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// The mean payoff of the other rewrites of its position.
    #[default]
    LeaveOneOut,
    /// A critic's values, by generalised advantage estimation.
    Critic,
}

/// The game between generator and verifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GameConfig {
    /// Rounds; in each both players learn once.
    pub rounds: u64,
    /// Who rewrites gold steps.
    pub adversary: Adversary,
    /// Gold steps dealt in a round.
    pub positions: usize,
    /// Rewrites of each.
    pub rewrites: usize,
    /// Share of the positions that the rules rewrite in the generator's place, so that the verifier does not forget the
    /// errors that the generator has given up; the generator learns nothing from them.
    pub rules_share: f64,
    /// What the players are paid.
    pub payoffs: Payoffs,
    /// Whether payoffs are expectations over the verifier's label, instead of one label drawn from it.
    pub expected_payoffs: bool,
    /// When the players move.
    pub order: Order,
    /// What payoffs are compared with.
    pub baseline: Baseline,
    /// The critic's learning rate, where there is one; it learns by Adam.
    pub critic_learning_rate: f64,
    /// λ of generalised advantage estimation; payoffs are not discounted.
    pub gae_lambda: f64,
    /// How both update.
    pub update: UpdateRule,
    /// The generator's learning rate; at zero it stays as it is, and the verifier learns against a fixed adversary.
    pub generator_learning_rate: f64,
    /// The verifier's.
    pub verifier_learning_rate: f64,
    /// τ, the weight of the divergence from the initial policies.
    pub tau: f64,
    /// Which divergence.
    pub divergence: Divergence,
    /// c_H, the weight of the entropies.
    pub entropy: f64,
    /// Passes over the rewrites of a round.
    pub ppo_epochs: usize,
    /// ε of PPO's clip range `[1 − ε, 1 + ε]`.
    pub clip_range: f64,
    /// Gold steps per rewrite in what the verifier learns from.
    pub gold_share: f64,
    /// Weight of the policy gradient of its payoff in the verifier's loss: the paper's signal.
    pub verifier_policy_gradient: f64,
    /// Weight of the cross-entropy of the oracle's verdict in the verifier's loss.
    pub verifier_cross_entropy: f64,
    /// Weight of the cross-entropy at the tokens within steps up to the first wrong one, of whether a step is the gold one
    /// so far; of the warm start too. A verifier that is told where an error begins learns faster what it is. Arms with
    /// labels of their own have none.
    pub verifier_hints: f64,
    /// Weight of the loss of predicting gold solutions, in nats per token, in the verifier's loss; of the warm start too.
    /// A verifier that goes on reading keeps what its language model knew. Arms with labels of their own have none.
    pub verifier_reading: f64,
    /// The largest norm of a gradient.
    pub max_gradient_norm: f64,
    /// The decay of the exponential average of the verifier's weights that is read out.
    pub average_decay: f64,
    /// Tokens of a rewrite at most.
    pub max_rewrite_tokens: usize,
    /// Share of rewrites that come from generators of past rounds.
    pub league_share: f64,
    /// Rounds between two generators that the league keeps.
    pub league_every: u64,
    /// How many generators the league keeps.
    pub league_size: usize,
    /// Rounds over which alarms are raised.
    pub health_window: usize,
}

/// A language model that attempts problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Solver {
    /// The one that was stopped early, `weak_solver`.
    Weak,
    /// The one that both players begin from.
    Strong,
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Weak => "weak",
            Self::Strong => "strong",
        })
    }
}

/// How the verifier is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// The sets, beside a held-out one that thresholds are fitted on.
    pub sets: Vec<Preset>,
    /// Who attempts their problems; with several, each set is judged once for each of them.
    pub solvers: Vec<Solver>,
    /// Problems in each set; the held-out one has a quarter as many.
    pub problems: usize,
    /// Attempts at each.
    pub attempts: usize,
    /// Tokens of an attempt at most.
    pub max_tokens: usize,
    /// Rounds between two checkpoints of an arm.
    pub every: u64,
    /// How many of the last checkpoints are judged; what is reported is their mean.
    pub checkpoints: usize,
}

impl Default for ModelShape {
    fn default() -> Self {
        Self {
            hidden_size: 96,
            num_hidden_layers: 3,
            verifier_extra_layers: 1,
            num_attention_heads: 4,
            intermediate_size: 256,
            context: 512,
        }
    }
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        let sets = vec![Preset::InDistribution, Preset::Longer, Preset::LargerNumbers];
        Self {
            sets,
            solvers: vec![Solver::Weak],
            problems: 500,
            attempts: 8,
            max_tokens: 160,
            every: 20,
            checkpoints: 3,
        }
    }
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            save_every: 25,
            problems: Distribution {
                inline: true,
                naming: Naming::FromAny,
                letters: 12,
                ..Preset::InDistribution.distribution(Form::WordFree)
            },
            gsm8k: None,
            collected_solutions: 2400,
            oracle: Strictness::default(),
            model: ModelShape::default(),
            language_models: None,
            pretraining: Phase { steps: 2000, batch: 24, learning_rate: 3e-3 },
            pretraining_sets: vec![Preset::InDistribution, Preset::Longer, Preset::LargerNumbers],
            weak_solver: 0.5,
            warm_start: WarmStartPhases {
                generator: Phase { steps: 400, batch: 24, learning_rate: 2e-3 },
                verifier: Phase { steps: 1000, batch: 24, learning_rate: 1e-3 },
                own_errors: OwnErrors { share: 0.5, attempts: 10_000, temperature: 1.5 },
            },
            game: GameConfig::default(),
            labelling: Labelling::default(),
            evaluation: EvaluationConfig::default(),
        }
    }
}

impl Default for GameConfig {
    fn default() -> Self {
        Self {
            rounds: 200,
            adversary: Adversary::default(),
            positions: 48,
            rewrites: 2,
            rules_share: 0.25,
            payoffs: Payoffs::default(),
            expected_payoffs: true,
            order: Order::default(),
            baseline: Baseline::default(),
            critic_learning_rate: 1e-3,
            gae_lambda: 0.95,
            update: UpdateRule::OptimisticAdam,
            generator_learning_rate: 2.3e-4,
            verifier_learning_rate: 7e-4,
            tau: 0.01,
            divergence: Divergence::default(),
            entropy: 0.001,
            ppo_epochs: 1,
            clip_range: 0.2,
            gold_share: 1.0,
            verifier_policy_gradient: 0.0,
            verifier_cross_entropy: 1.0,
            verifier_hints: 4.0,
            verifier_reading: 1.0,
            max_gradient_norm: 1.0,
            average_decay: 0.97,
            max_rewrite_tokens: 24,
            league_share: 0.0,
            league_every: 20,
            league_size: 8,
            health_window: 20,
        }
    }
}

impl GameConfig {
    /// How many positions of a round the adversary rewrites, at least one; the rules rewrite the others.
    pub fn written_positions(&self) -> usize {
        let share = if self.adversary == Adversary::Generator { self.rules_share } else { 0.0 };
        ((self.positions as f64 * (1.0 - share)).round() as usize).max(1)
    }
}
