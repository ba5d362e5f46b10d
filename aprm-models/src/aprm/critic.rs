//! What a generator may expect to be paid, token by token: the baseline of its advantages.

use core::ops::Range;

use aprm_core::backend::Backend;
use aprm_core::gae::{Successor, gae};
use aprm_core::metrics::explained_variance::explained_variance;
use aprm_core::scalar::Scalar;

use super::error::RunError;
use super::row_scores::{MarkLogits, Reading, RowScores};
use super::token_policy::Response;
use crate::learner::{Learner, LearnerConfig, UpdateReport};
use crate::step_text::MarkedIds;
use crate::transformer::{Parameters, Transformer};

/// A model of one number for each token, `V(prompt, tokens so far)`.
#[expect(missing_debug_implementations, reason = "buffers of a device need not be printable")]
pub struct Critic<B: Backend> {
    /// A token classifier of one class.
    pub model: Transformer<B>,
    /// Its weights, and how they learn.
    pub learner: Learner<B>,
    room: RowScores<B>,
}

/// How advantages are estimated from values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Discounts<T> {
    /// γ.
    pub gamma: T,
    /// λ.
    pub gae_lambda: T,
}

/// What a critic found.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment<T> {
    /// `A_t`, tokens of all responses end to end.
    pub advantages: Vec<T>,
    /// How well it had known.
    pub statistics: CriticStatistics,
    /// How it learnt from them.
    pub update: UpdateReport<T>,
}

/// How well a critic knew what would be paid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CriticStatistics {
    /// The mean of `(V_t − R_t)² / 2`, where `R_t = A_t + V_t`.
    pub loss: f64,
    /// How much of the variance of the payoffs the values of the first tokens explain.
    pub explained_variance: Option<f64>,
}

impl<B: Backend> Critic<B> {
    /// A critic that goes through `rows` tokens at a time.
    ///
    /// # Errors
    /// [`RunError`], if the device fails.
    pub fn new(
        backend: &mut B,
        model: Transformer<B>,
        weights: Parameters<B::Buffer>,
        config: LearnerConfig<B::Scalar>,
        rows: usize,
    ) -> Result<Self, RunError<B::Error>> {
        let room = RowScores::new(backend, &model, rows).map_err(RunError::Device)?;
        let learner = Learner::new(backend, &model.layout, weights, config).map_err(RunError::Learner)?;
        Ok(Self { model, learner, room })
    }

    /// Estimates the advantages of all tokens by GAE, each response being paid at its last, and learns from the returns.
    ///
    /// ```text
    /// L = (1 / 2 tokens) Σ (V_t − R_t)²
    /// ```
    ///
    /// # Errors
    /// [`RunError`].
    ///
    /// # Reference
    /// Schulman et al. 2015, arXiv 1506.02438.
    pub fn assess(
        &mut self,
        backend: &mut B,
        responses: &[Response],
        payoffs: &[B::Scalar],
        Discounts { gamma, gae_lambda }: Discounts<B::Scalar>,
        round: u64,
    ) -> Result<Assessment<B::Scalar>, RunError<B::Error>> {
        let sequences: Vec<MarkedIds> = responses.iter().map(states).collect();
        let tokens: usize = responses.iter().map(|response| response.tokens.len()).sum();
        let share = B::Scalar::of(1.0 / tokens.max(1) as f64);
        let (mut advantages, mut first_values, mut loss) = (Vec::with_capacity(tokens), Vec::new(), 0.0);
        let mut squared_error = |range: Range<usize>, found: MarkLogits<'_, B::Scalar>, grad: &mut [B::Scalar]| {
            let mut start = 0;
            for (response, &payoff) in responses[range.clone()].iter().zip(&payoffs[range]) {
                let tokens = start..start + response.tokens.len();
                start = tokens.end;
                let values = &found.logits[tokens.clone()];
                let mut rewards = vec![B::Scalar::of(0.0); values.len()];
                let mut successors = vec![Successor::Continue; values.len()];
                if let (Some(reward), Some(successor)) = (rewards.last_mut(), successors.last_mut()) {
                    (*reward, *successor) = (payoff, Successor::Terminate);
                }
                let mut of_tokens = vec![B::Scalar::of(0.0); values.len()];
                gae(&rewards, values, &successors, gamma, gae_lambda, &mut of_tokens);
                // V − R = −A.
                for (grad, &advantage) in grad[tokens].iter_mut().zip(&of_tokens) {
                    *grad = -advantage * share;
                    loss += 0.5 * (advantage * advantage * share).widen();
                }
                first_values.extend(values.first());
                advantages.extend(of_tokens);
            }
        };
        let Self { model, learner, room } = self;
        learner.gradients.clear(backend, &model.layout).map_err(RunError::Device)?;
        let (weights, gradients) = (&learner.weights, &mut learner.gradients);
        room.accumulate(backend, model, weights, None, &sequences, Reading::default(), &mut squared_error, gradients)?;
        let update = learner.apply(backend, &format_args!("round {round}"));
        let update = update.map_err(|error| RunError::Update { player: "critic", error })?;
        let explained_variance = explained_variance(&first_values, payoffs).map(Scalar::widen);
        Ok(Assessment { advantages, statistics: CriticStatistics { loss, explained_variance }, update })
    }
}

/// The tokens before each of a response's own, marked.
fn states(Response { prompt, tokens }: &Response) -> MarkedIds {
    let ids = [&prompt[..], &tokens[..tokens.len() - 1]].concat();
    let positions = (prompt.len() - 1..ids.len()).map(|position| position as u32).collect();
    MarkedIds { ids, positions }
}
