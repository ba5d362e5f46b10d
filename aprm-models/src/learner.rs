//! A model that learns: its weights, and all that a step of training reads and writes beside them.

mod accumulate;
mod check;
mod error;
mod rule;
mod trainable;

pub use accumulate::{TooLong, micro_batches};
pub use error::{GradientError, LearnerError, UpdateError};
pub use rule::{AdamCoefficients, Rule, RuleConfig};

use core::fmt::Display;

use aprm_core::backend::Backend;
use aprm_core::optimizer::{Optimizer, Schedule, VectorSpace};
use aprm_core::scalar::Scalar;
use num_traits::float::FloatCore;
use num_traits::{One, Zero};

use crate::layout::Layout;
use crate::transformer::{ParameterSpace, Parameters};
use check::Reach;

/// After so many batches in a row without a finite gradient an update is an error.
pub const MAX_SKIPPED_IN_A_ROW: u64 = 8;

/// How a learner moves.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerConfig<T> {
    /// The update rule.
    pub rule: RuleConfig<T>,
    /// The learning rate of each step.
    pub schedule: Schedule<T>,
    /// The norm to which longer gradients are scaled down, if any.
    pub max_norm: Option<T>,
    /// The decay ρ of the weights' exponential average, if there is one.
    pub average_decay: Option<T>,
    /// Tensors that do not learn, by the names that they bear in a checkpoint.
    pub frozen: Vec<String>,
    /// Whether to measure each update, for which a copy of the weights is kept.
    pub measure_update: bool,
}

impl<T> LearnerConfig<T> {
    /// A rule and a learning rate; nothing is clipped, averaged, frozen or measured.
    pub const fn new(rule: RuleConfig<T>, schedule: Schedule<T>) -> Self {
        Self { rule, schedule, max_norm: None, average_decay: None, frozen: Vec::new(), measure_update: false }
    }
}

/// What one update did.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateReport<T> {
    /// The learning rate.
    pub learning_rate: T,
    /// The norm of the gradient over all trainable tensors, before it was clipped.
    pub gradient_norm: T,
    /// The norm of the change of the weights, where it is measured.
    pub update_norm: Option<T>,
    /// Whether the gradient was not finite, so that nothing was changed.
    pub skipped: bool,
}

/// A model that learns.
///
/// ```text
/// g_t     = Σ_{micro-batches} ∇L,   scaled down to the largest norm
/// z_{t+1} = rule(η_t, g_t, z_t),    η_t the schedule's rate of step t
/// z̄_{t+1} = ρ z̄_t + (1 − ρ) z_{t+1},   z̄_0 = z_0
/// ```
///
/// Everything that the next step depends on is a public field, so that a checkpoint can reach it.
#[derive(Debug)]
pub struct Learner<B: Backend> {
    /// z.
    pub weights: Parameters<B::Buffer>,
    /// g, to which backward passes add.
    pub gradients: Parameters<B::Buffer>,
    /// The update rule with its state.
    pub rule: Rule<Parameters<B::Buffer>, B::Scalar>,
    /// z̄, if it is wanted.
    pub average: Option<Parameters<B::Buffer>>,
    /// t, the number of updates made; batches that were skipped do not count.
    pub steps: u64,
    /// How many batches were skipped since the beginning.
    pub skipped: u64,
    /// How many batches were skipped since the last update.
    pub skipped_in_a_row: u64,
    config: LearnerConfig<B::Scalar>,
    layout: Layout,
    trainable: Layout,
    reach: Reach,
    squared_norm: B::Buffer,
    previous_weights: Option<Parameters<B::Buffer>>,
}

impl<B: Backend> Learner<B> {
    /// A learner before its first step.
    ///
    /// # Errors
    /// [`LearnerError`], if a tensor cannot be frozen, or the device fails.
    pub fn new(
        backend: &mut B,
        layout: &Layout,
        weights: Parameters<B::Buffer>,
        config: LearnerConfig<B::Scalar>,
    ) -> Result<Self, LearnerError<B::Error>> {
        let trainable = layout.trainable(&config.frozen)?;
        let mut allocate = || {
            let rule = Rule::new(config.rule, || Parameters::zeros(backend, &trainable))?;
            let gradients = Parameters::zeros(backend, layout)?;
            let mut copy_if = |wanted: bool| wanted.then(|| copy(backend, layout, &weights)).transpose();
            let (average, previous) = (copy_if(config.average_decay.is_some())?, copy_if(config.measure_update)?);
            Ok((rule, gradients, average, previous, backend.allocate(1)?))
        };
        let (rule, gradients, average, previous_weights, squared_norm) = allocate().map_err(LearnerError::Device)?;
        Ok(Self {
            weights,
            gradients,
            rule,
            average,
            steps: 0,
            skipped: 0,
            skipped_in_a_row: 0,
            reach: Reach::new(&trainable.tensors),
            config,
            layout: layout.clone(),
            trainable,
            squared_norm,
            previous_weights,
        })
    }

    /// How it moves.
    pub fn config(&self) -> &LearnerConfig<B::Scalar> {
        &self.config
    }

    /// All tensors of the model.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The tensors of the model, of which those that are frozen have no entries: the shape of the rule's vectors.
    pub fn trainable(&self) -> &Layout {
        &self.trainable
    }

    /// The weights to judge the model by: their average, or as they are where there is none.
    pub fn averaged_weights(&self) -> &Parameters<B::Buffer> {
        self.average.as_ref().unwrap_or(&self.weights)
    }

    /// Makes one update from the gradients of one batch; `batch` names it in errors.
    ///
    /// A gradient that is not finite, or whose squares overflow, leaves weights, rule, average and schedule as they are and
    /// is counted.
    /// The host waits for the device once, for the gradient's norm, and again where updates are measured.
    ///
    /// # Errors
    /// [`UpdateError`]: after [`MAX_SKIPPED_IN_A_ROW`] batches in a row without a finite gradient; or if a trainable
    /// tensor has had no gradient but zeros in the first updates.
    pub fn apply(
        &mut self,
        backend: &mut B,
        batch: &dyn Display,
    ) -> Result<UpdateReport<B::Scalar>, UpdateError<B::Error>> {
        let learning_rate = self.config.schedule.learning_rate(self.steps);
        let mut space = ParameterSpace { backend, layout: &self.trainable };
        space.squared_norm(&self.gradients, &mut self.squared_norm).map_err(UpdateError::Device)?;
        let gradient_norm = self.norm(backend).map_err(UpdateError::Device)?;
        if !gradient_norm.is_finite() {
            self.skip(backend, batch)?;
            return Ok(UpdateReport { learning_rate, gradient_norm, update_norm: None, skipped: true });
        }
        if !gradient_norm.is_zero() {
            self.observe_reach(backend, batch)?;
        }
        let update_norm = self.step(backend, learning_rate).map_err(UpdateError::Device)?;
        self.steps += 1;
        self.skipped_in_a_row = 0;
        Ok(UpdateReport { learning_rate, gradient_norm, update_norm, skipped: false })
    }

    fn skip(&mut self, backend: &mut B, batch: &dyn Display) -> Result<(), UpdateError<B::Error>> {
        self.skipped += 1;
        self.skipped_in_a_row += 1;
        if self.skipped_in_a_row < MAX_SKIPPED_IN_A_ROW {
            return Ok(());
        }
        let tensors = self.non_finite_gradients(backend).map_err(UpdateError::Device)?;
        Err(UpdateError::NotFinite { batch: batch.to_string(), tensors, in_a_row: self.skipped_in_a_row })
    }

    /// Clips, moves and averages; the norm of the move, if it is measured.
    fn step(&mut self, backend: &mut B, learning_rate: B::Scalar) -> Result<Option<B::Scalar>, B::Error> {
        let mut space = ParameterSpace { backend, layout: &self.trainable };
        if let Some(max_norm) = self.config.max_norm {
            space.clip(max_norm, &self.squared_norm, &mut self.gradients)?;
        }
        if let Some(previous) = &mut self.previous_weights {
            space.copy(&self.weights, previous)?;
        }
        self.rule.step(&mut space, learning_rate, &self.gradients, &mut self.weights)?;
        if let (Some(average), Some(decay)) = (&mut self.average, self.config.average_decay) {
            space.scale(decay, average)?;
            space.axpy(B::Scalar::one() - decay, &self.weights, average)?;
        }
        let Some(previous) = &mut self.previous_weights else { return Ok(None) };
        space.axpy(-B::Scalar::one(), &self.weights, previous)?;
        space.squared_norm(previous, &mut self.squared_norm)?;
        self.norm(backend).map(Some)
    }

    /// Waits for the device.
    fn norm(&self, backend: &mut B) -> Result<B::Scalar, B::Error> {
        let mut squared = [B::Scalar::zero()];
        backend.read(&self.squared_norm, 0, &mut squared)?;
        Ok(squared[0].sqrt())
    }
}

fn copy<B: Backend>(
    backend: &mut B,
    layout: &Layout,
    weights: &Parameters<B::Buffer>,
) -> Result<Parameters<B::Buffer>, B::Error> {
    let mut copy = Parameters::zeros(backend, layout)?;
    ParameterSpace { backend, layout }.copy(weights, &mut copy)?;
    Ok(copy)
}
