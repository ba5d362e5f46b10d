//! What a run of APRM can be told.

mod evaluation;
mod game;
mod gsm8k;
mod labelling;
mod model_shape;
mod phases;
mod strictness;
mod validation;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::arithmetic::{Distribution, Form, Naming, Preset};

pub use evaluation::{EvaluationConfig, Solver};
pub use game::{Adversary, Baseline, Divergence, GameConfig, Order, Payoffs, UpdateRule};
pub use gsm8k::{Asked, Gsm8kConfig, JudgeConfig};
pub use labelling::Labelling;
pub use model_shape::ModelShape;
pub use phases::{OwnErrors, Phase, WarmStartPhases};
pub use strictness::Strictness;
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
