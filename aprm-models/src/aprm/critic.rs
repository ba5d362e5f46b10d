//! What a generator may expect to be paid, token by token: the baseline of its advantages.

use core::ops::Range;

use aprm_core::backend::Backend;
use aprm_core::gae::Discounts;
use aprm_core::metrics::explained_variance::explained_variance;
use aprm_core::scalar::Scalar;

use super::error::RunError;
use super::row_scores::{FoundMarks, MarkLoss, MarkTerms, Reading, RowScores};
use super::token_policy::Response;
use crate::learner::{Learner, LearnerConfig, UpdateReport};
use crate::step_text::MarkedIds;
use crate::transformer::{Parameters, Trajectories, Transformer};

/// A model of one number for each token, `V(prompt, tokens so far)`.
#[expect(missing_debug_implementations, reason = "buffers of a device need not be printable")]
pub struct Critic<B: Backend> {
    /// A token classifier of one class.
    pub model: Transformer<B>,
    /// Its weights, and how they learn.
    pub learner: Learner<B>,
    room: RowScores<B>,
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
        discounts: Discounts<B::Scalar>,
        round: u64,
    ) -> Result<Assessment<B::Scalar>, RunError<B::Error>> {
        let sequences: Vec<MarkedIds> = responses.iter().map(states).collect();
        let tokens: usize = responses.iter().map(|response| response.tokens.len()).sum();
        let mut loss = ReturnError {
            responses,
            payoffs,
            discounts,
            share: B::Scalar::of(1.0 / tokens.max(1) as f64),
            advantages: Vec::with_capacity(tokens),
            first_values: Vec::new(),
            loss: 0.0,
        };
        let Self { model, learner, room } = self;
        learner.gradients.clear(backend, &model.layout).map_err(RunError::Device)?;
        let (weights, gradients) = (&learner.weights, &mut learner.gradients);
        room.accumulate(backend, model, weights, None, &sequences, Reading::default(), &mut loss, gradients)?;
        let update = learner.apply(backend, &format_args!("round {round}"));
        let update = update.map_err(|error| RunError::Update { player: "critic", error })?;
        let explained_variance = explained_variance(&loss.first_values, payoffs).map(Scalar::widen);
        let statistics = CriticStatistics { loss: loss.loss, explained_variance };
        Ok(Assessment { advantages: loss.advantages, statistics, update })
    }
}

/// The loss of a critic, and what it finds on the way.
struct ReturnError<'a, T> {
    responses: &'a [Response],
    payoffs: &'a [T],
    discounts: Discounts<T>,
    /// One over the number of tokens.
    share: T,
    advantages: Vec<T>,
    /// The value of each response's first state.
    first_values: Vec<T>,
    loss: f64,
}

impl<T: Scalar> MarkLoss<T> for ReturnError<'_, T> {
    fn terms(&mut self, range: Range<usize>) -> MarkTerms<T> {
        let lengths: Vec<usize> = self.responses[range.clone()].iter().map(|response| response.tokens.len()).collect();
        let mut rewards = Vec::new();
        for (length, &payoff) in lengths.iter().zip(&self.payoffs[range]) {
            rewards.resize(rewards.len() + length - 1, T::of(0.0));
            rewards.push(payoff);
        }
        MarkTerms::Values(Trajectories { lengths, rewards, discounts: self.discounts }, self.share)
    }

    fn observe(&mut self, range: Range<usize>, found: FoundMarks<'_, T>) {
        let mut start = 0;
        for response in &self.responses[range] {
            self.first_values.push(found.logits[start]);
            start += response.tokens.len();
        }
        for &advantage in found.advantages.unwrap_or_default() {
            self.loss += 0.5 * (advantage * advantage * self.share).widen();
            self.advantages.push(advantage);
        }
    }
}

/// The tokens before each of a response's own, marked.
fn states(Response { prompt, tokens }: &Response) -> MarkedIds {
    let ids = [&prompt[..], &tokens[..tokens.len() - 1]].concat();
    let positions = (prompt.len() - 1..ids.len()).map(|position| position as u32).collect();
    MarkedIds { ids, positions }
}
