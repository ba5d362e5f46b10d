//! The two players: models, what they learn with, and what they must not move too far from.

use aprm_core::backend::Backend;
use aprm_core::optimizer::Schedule;
use aprm_core::scalar::Scalar;

use super::config::{GameConfig, UpdateRule};
use super::error::RunError;
use crate::learner::{AdamCoefficients, Learner, LearnerConfig, RuleConfig};
use crate::transformer::{Parameters, Transformer};

/// A model that plays.
#[derive(Debug)]
pub struct Player<B: Backend> {
    /// Its shape.
    pub model: Transformer<B>,
    /// Its weights, and how they learn.
    pub learner: Learner<B>,
    /// Its weights at the beginning of the game.
    pub reference: Parameters<B::Buffer>,
}

impl<B: Backend> Player<B> {
    /// A player that begins from `weights`, and is held to them.
    ///
    /// # Errors
    /// [`RunError`], if the device fails.
    pub fn new(
        backend: &mut B,
        model: Transformer<B>,
        weights: Parameters<B::Buffer>,
        config: LearnerConfig<B::Scalar>,
    ) -> Result<Self, RunError<B::Error>> {
        let reference = copy(backend, &model, &weights).map_err(RunError::Device)?;
        let learner = Learner::new(backend, &model.layout, weights, config).map_err(RunError::Learner)?;
        Ok(Self { model, learner, reference })
    }
}

/// A copy of weights.
///
/// # Errors
/// Whatever the device reports.
pub fn copy<B: Backend>(
    backend: &mut B,
    model: &Transformer<B>,
    weights: &Parameters<B::Buffer>,
) -> Result<Parameters<B::Buffer>, B::Error> {
    let mut copy = Parameters::zeros(backend, &model.layout)?;
    for ((spec, from), to) in model.layout.tensors.iter().zip(&weights.0).zip(&mut copy.0) {
        backend.copy(spec.len(), from, to)?;
    }
    Ok(copy)
}

impl GameConfig {
    /// How the generator learns.
    pub fn generator_learner<T: Scalar>(&self) -> LearnerConfig<T> {
        self.learner(self.generator_learning_rate)
    }

    /// How the verifier learns.
    pub fn verifier_learner<T: Scalar>(&self) -> LearnerConfig<T> {
        LearnerConfig { average_decay: Some(T::of(self.average_decay)), ..self.learner(self.verifier_learning_rate) }
    }

    /// How the critic learns, if there is one.
    pub fn critic_learner<T: Scalar>(&self) -> LearnerConfig<T> {
        let schedule = Schedule::constant(T::of(self.critic_learning_rate));
        LearnerConfig {
            max_norm: Some(T::of(self.max_gradient_norm)),
            ..LearnerConfig::new(RuleConfig::Adam(AdamCoefficients::default()), schedule)
        }
    }

    fn learner<T: Scalar>(&self, learning_rate: f64) -> LearnerConfig<T> {
        let (adam, optimism) = (AdamCoefficients::default(), T::one());
        let rule = match self.update {
            UpdateRule::Gda => RuleConfig::GradientDescent,
            UpdateRule::Ogda => RuleConfig::Ogda { optimism },
            UpdateRule::Adam => RuleConfig::Adam(adam),
            UpdateRule::OptimisticAdam => RuleConfig::OptimisticAdam { adam, optimism },
        };
        LearnerConfig {
            max_norm: Some(T::of(self.max_gradient_norm)),
            measure_update: true,
            ..LearnerConfig::new(rule, Schedule::constant(T::of(learning_rate)))
        }
    }
}
