//! The language model that both players, and the solvers, start from.

use aprm_core::backend::Backend;
use aprm_core::rand_core::Rng;
use aprm_core::scalar::Scalar;

use super::config::Phase;
use super::error::RunError;
use super::prompt::Prompt;
use super::supervised::imitate;
use super::task::Task;
use super::token_policy::{Response, TokenPolicy};
use crate::learner::Learner;
use crate::transformer::{Parameters, Transformer};

/// Weights to begin from: vectors of ones for norms and zeros for biases, all else normal around zero.
///
/// ```text
/// w ~ N(0, σ²),   σ = 1 / √hidden,   σ / √(2 layers) for what is added to the residual stream
/// ```
///
/// The σ = 0.02 of models of a thousand channels is too small for narrow ones, which then learn half as fast.
///
/// # Errors
/// Whatever the device reports.
///
/// # Reference
/// Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3, for the residual layers.
pub fn initialize<B: Backend>(
    backend: &mut B,
    model: &Transformer<B>,
    rng: &mut dyn Rng,
) -> Result<Parameters<B::Buffer>, B::Error> {
    let mut weights = Parameters::zeros(backend, &model.layout)?;
    let deviation = 1.0 / libm::sqrt(model.config.hidden_size as f64);
    let residual = residual(model);
    for (i, (spec, buffer)) in model.layout.tensors.iter().zip(&mut weights.0).enumerate() {
        if spec.is_vector {
            let is_norm = spec.parts[0].name.contains("norm");
            backend.fill(spec.len(), B::Scalar::of(f64::from(u8::from(is_norm))), buffer)?;
            continue;
        }
        let depth = if residual.contains(&i) { libm::sqrt(2.0 * model.layout.layers.len() as f64) } else { 1.0 };
        let scale = deviation / depth;
        let entries: Vec<B::Scalar> = (0..spec.len()).map(|_| B::Scalar::of(scale * normal(rng))).collect();
        backend.write(&entries, buffer, 0)?;
    }
    Ok(weights)
}

/// The tensors whose products are added to the residual stream.
pub(super) fn residual<B: Backend>(model: &Transformer<B>) -> Vec<usize> {
    model.layout.layers.iter().flat_map(|layer| [layer.attention_out, layer.down]).collect()
}

/// Learning to solve problems by imitating gold solutions.
#[expect(missing_debug_implementations, reason = "buffers of a device need not be printable")]
pub struct Pretraining<B: Backend> {
    /// The language model.
    pub model: Transformer<B>,
    /// Its weights, and how they learn.
    pub learner: Learner<B>,
    phase: Phase,
    room: TokenPolicy<B>,
}

impl<B: Backend> Pretraining<B> {
    /// Before the first step.
    ///
    /// # Errors
    /// [`RunError`], if the device fails.
    pub fn new(
        backend: &mut B,
        model: Transformer<B>,
        phase: Phase,
        room: usize,
        rng: &mut dyn Rng,
    ) -> Result<Self, RunError<B::Error>> {
        let weights = initialize(backend, &model, rng).map_err(RunError::Device)?;
        let learner = Learner::new(backend, &model.layout, weights, phase.learner()).map_err(RunError::Learner)?;
        let room = TokenPolicy::new(backend, &model, room).map_err(RunError::Device)?;
        Ok(Self { model, learner, phase, room })
    }

    /// How many steps are done, those that were skipped among them.
    pub fn done(&self) -> u64 {
        self.learner.steps + self.learner.skipped
    }

    /// Whether all steps are done.
    pub fn is_done(&self) -> bool {
        self.done() >= self.phase.steps
    }

    /// One update on solutions of all tasks in turn; says the loss in nats per token of the solutions.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn step<K: Task>(
        &mut self,
        backend: &mut B,
        tasks: &[K],
        prompt: &Prompt,
        rng: &mut dyn Rng,
    ) -> Result<f64, RunError<B::Error>> {
        let responses = (0..self.phase.batch).map(|i| {
            let task = &tasks[i % tasks.len()];
            let solution = task.deal(rng);
            let (problem, steps) = (task.problem(&solution), task.steps(&solution));
            Ok(Response { prompt: prompt.transcript(problem, &[])?, tokens: prompt.solution(steps)? })
        });
        let responses = responses.collect::<Result<Vec<_>, RunError<B::Error>>>()?;
        let step = self.learner.steps;
        imitate(backend, &self.model, &mut self.learner, &mut self.room, &responses, step)
    }
}

/// A standard normal number, by the method of Box and Muller.
fn normal(rng: &mut dyn Rng) -> f64 {
    let mut uniform = || (f64::from(rng.next_u32()) + 0.5) / (f64::from(u32::MAX) + 1.0);
    let (radius, angle) = (uniform(), uniform());
    libm::sqrt(-2.0 * libm::log(radius)) * libm::cos(core::f64::consts::TAU * angle)
}
