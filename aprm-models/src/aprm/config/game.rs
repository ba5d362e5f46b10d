//! The rules of the game.

use aprm_core::reward::PayoffTable;
use serde::{Deserialize, Serialize};

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
