//! Supervised learning: what both players do before they meet.

use std::ops::Range;

use aprm_core::backend::Backend;
use aprm_core::optimizer::{Decay, Schedule};
use aprm_core::scalar::Scalar;

use super::config::Phase;
use super::error::RunError;
use super::token_policy::{Response, TokenLoss, TokenPolicy, TokenStatistics, TokenTerms};
use crate::learner::{AdamCoefficients, Learner, LearnerConfig, RuleConfig};
use crate::transformer::Transformer;

impl Phase {
    /// How a model learns in this phase.
    pub fn learner<T: Scalar>(&self) -> LearnerConfig<T> {
        let warmup_steps = self.steps / 20;
        let adam = AdamCoefficients { beta2: T::of(0.98), weight_decay: T::of(0.01), ..AdamCoefficients::default() };
        LearnerConfig {
            max_norm: Some(T::one()),
            ..LearnerConfig::new(
                RuleConfig::Adam(adam),
                Schedule {
                    peak: T::of(self.learning_rate),
                    warmup_steps,
                    decay: Decay::Cosine { steps: self.steps - warmup_steps, floor: T::of(0.1) },
                },
            )
        }
    }
}

/// One update towards writing given responses; says the mean loss in nats per token.
///
/// # Errors
/// [`RunError`].
pub fn imitate<B: Backend>(
    backend: &mut B,
    model: &Transformer<B>,
    learner: &mut Learner<B>,
    room: &mut TokenPolicy<B>,
    responses: &[Response],
    step: u64,
) -> Result<f64, RunError<B::Error>> {
    let mut likelihood = Likelihood { responses, tokens: tokens(responses), loss: 0.0 };
    learner.gradients.clear(backend, &model.layout).map_err(RunError::Device)?;
    let (weights, gradients) = (&learner.weights, &mut learner.gradients);
    room.accumulate(backend, model, weights, None, responses, &mut likelihood, gradients)?;
    let batch = format_args!("batch {step}");
    let update = learner.apply(backend, &batch);
    update.map_err(|error| RunError::Update { player: "language model", error })?;
    Ok(likelihood.loss)
}

fn tokens(responses: &[Response]) -> usize {
    responses.iter().map(|response| response.tokens.len()).sum()
}

/// The negative mean log-probability of tokens.
struct Likelihood<'a> {
    responses: &'a [Response],
    tokens: usize,
    loss: f64,
}

impl<T: Scalar> TokenLoss<T> for Likelihood<'_> {
    fn terms(&mut self, range: Range<usize>) -> TokenTerms<T> {
        TokenTerms::likelihood(vec![T::of(1.0 / self.tokens as f64); tokens(&self.responses[range])])
    }

    fn observe(&mut self, _: Range<usize>, statistics: &TokenStatistics<T>) {
        let log_probs = statistics.log_prob.iter().map(|&log_prob| log_prob.widen());
        self.loss -= log_probs.sum::<f64>() / self.tokens as f64;
    }
}
