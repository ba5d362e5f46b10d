//! How likely a language model finds tokens, and the way back from a loss over that.

use std::ops::Range;

use aprm_core::backend::Backend;
use aprm_core::ppo::ClipRange;
use num_traits::Zero;

use super::error::RunError;
use super::room::Room;
use super::surrogate::Surrogate;
use crate::transformer::{Parameters, PolicyHead, Transformer};

/// A prompt and what follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// What is given, at least one token.
    pub prompt: Vec<u32>,
    /// What the policy is asked about, at least one token.
    pub tokens: Vec<u32>,
}

impl Response {
    /// The last token is only a target, so it takes no row.
    fn rows(&self) -> usize {
        self.prompt.len() + self.tokens.len() - 1
    }
}

/// What a policy finds of each token of responses laid end to end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenStatistics<T> {
    /// `log π(token)`.
    pub log_prob: Vec<T>,
    /// `H(π)` where the token was chosen.
    pub entropy: Vec<T>,
    /// `KL(π ‖ π_ref)` where the token was chosen; zero without a reference.
    pub kl: Vec<T>,
    /// `log π_ref(token)`; zero without a reference.
    pub ref_log_prob: Vec<T>,
}

/// What a loss over tokens consists of.
///
/// ```text
/// L = Σ_tokens ( L_clip(π / π_old, A) + a KL(π ‖ π_ref) + a' E_π[π_ref / π] + b H(π) )
/// ```
///
/// The gradients of the divergence both ways and of the entropy are taken where the tokens lie; in the reverse divergence
/// it is `−E_π[(π_ref/π) ∇ log π]`, on the token at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenTerms<T> {
    /// A.
    pub advantages: Vec<T>,
    /// `log π_old` and how far ratios are followed; without it the policy is the one that wrote the tokens, and all ratios
    /// are one.
    pub old: Option<(Vec<T>, ClipRange<T>)>,
    /// a, the same for all tokens, as are the others.
    pub kl: T,
    /// a'.
    pub reverse_kl: T,
    /// b.
    pub entropy: T,
}

impl<T: Zero> TokenTerms<T> {
    /// Nothing but the log-probability of each token, so many times.
    pub fn likelihood(weights: Vec<T>) -> Self {
        Self { advantages: weights, old: None, kl: T::zero(), reverse_kl: T::zero(), entropy: T::zero() }
    }
}

/// A loss over tokens. It is told in terms of what is known before their statistics are, so that nothing is read from the
/// device before all its work is under way.
pub trait TokenLoss<T> {
    /// The loss of the responses `range` of those at hand.
    fn terms(&mut self, range: Range<usize>) -> TokenTerms<T>;

    /// Sees the statistics of the responses `range`.
    fn observe(&mut self, range: Range<usize>, statistics: &TokenStatistics<T>);
}

/// Room for passes over responses, as many of them at a time as fit.
#[expect(missing_debug_implementations, reason = "buffers of a device need not be printable")]
pub struct TokenPolicy<B: Backend> {
    room: Room<B>,
    head: PolicyHead<B>,
    ref_head: PolicyHead<B>,
    surrogate: Surrogate<B>,
    statistics: TokenStatistics<B::Scalar>,
}

impl<B: Backend> TokenPolicy<B> {
    /// Room for `rows` tokens at a time; a model of another depth needs room of its own.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new(backend: &mut B, model: &Transformer<B>, rows: usize) -> Result<Self, B::Error> {
        Ok(Self {
            room: Room::new(backend, model, rows)?,
            head: PolicyHead::new(backend, model, rows)?,
            ref_head: PolicyHead::new(backend, model, rows)?,
            surrogate: Surrogate::new(backend, rows)?,
            statistics: TokenStatistics::default(),
        })
    }

    /// `log π(token)` of all tokens of all responses, end to end.
    ///
    /// # Errors
    /// [`RunError`], if a response is longer than there is room, or the device fails.
    ///
    /// # Panics
    /// If a response or its prompt is empty.
    pub fn log_prob(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        responses: &[Response],
    ) -> Result<Vec<B::Scalar>, RunError<B::Error>> {
        let mut all = Vec::new();
        for range in self.room.micro_batches(responses.iter().map(Response::rows))? {
            let (selected, targets) = chosen(&responses[range.clone()]);
            self.forward(backend, model, weights, None, &responses[range], (&selected, &targets))
                .map_err(RunError::Device)?;
            let before = all.len();
            all.resize(before + targets.len(), B::Scalar::zero());
            backend.read(&self.head.statistics.log_prob, 0, &mut all[before..]).map_err(RunError::Device)?;
        }
        Ok(all)
    }

    /// Adds the gradients of a loss over responses to `gradients`.
    ///
    /// # Errors
    /// [`RunError`], if a response is longer than there is room, or the device fails.
    ///
    /// # Panics
    /// If a response or its prompt is empty.
    #[expect(clippy::too_many_arguments, reason = "the model owns no buffer")]
    pub fn accumulate(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        reference: Option<&Parameters<B::Buffer>>,
        responses: &[Response],
        loss: &mut dyn TokenLoss<B::Scalar>,
        gradients: &mut Parameters<B::Buffer>,
    ) -> Result<(), RunError<B::Error>> {
        for range in self.room.micro_batches(responses.iter().map(Response::rows))? {
            self.accumulate_one(backend, model, weights, reference, responses, range, loss, gradients)
                .map_err(RunError::Device)?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the model owns no buffer")]
    fn accumulate_one(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        reference: Option<&Parameters<B::Buffer>>,
        responses: &[Response],
        range: Range<usize>,
        loss: &mut dyn TokenLoss<B::Scalar>,
        gradients: &mut Parameters<B::Buffer>,
    ) -> Result<(), B::Error> {
        let (selected, targets) = chosen(&responses[range.clone()]);
        self.forward(backend, model, weights, reference, &responses[range.clone()], (&selected, &targets))?;
        let terms = loss.terms(range.clone());
        self.surrogate.follow(backend, &terms, &mut self.head, &self.ref_head)?;
        let ref_logits = reference.map(|_| self.ref_head.logits());
        let Room { batch, activations, scratch, .. } = &mut self.room;
        scratch.clear_hidden(backend, model)?;
        self.head.backward(backend, model, weights, ref_logits, scratch, gradients)?;
        model.backward(backend, weights, batch, activations, scratch, gradients)?;
        self.read_statistics(backend, reference.is_some(), targets.len())?;
        loss.observe(range, &self.statistics);
        Ok(())
    }

    fn forward(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        reference: Option<&Parameters<B::Buffer>>,
        responses: &[Response],
        (selected, targets): (&[u32], &[u32]),
    ) -> Result<(), B::Error> {
        let sequences: Vec<Vec<u32>> = responses.iter().map(inputs).collect();
        self.room.set(backend, sequences.iter().map(|ids| &ids[..]))?;
        let Self { room: Room { batch, activations, .. }, head, ref_head, .. } = self;
        // The reference goes first, so that the activations left behind are the policy's.
        if let Some(reference) = reference {
            model.forward(backend, reference, batch, activations)?;
            ref_head.forward(backend, model, reference, activations, selected, targets, None)?;
        }
        let ref_logits = reference.map(|_| ref_head.logits());
        model.forward(backend, weights, batch, activations)?;
        head.forward(backend, model, weights, activations, selected, targets, ref_logits)
    }

    /// Waits for the statistics.
    fn read_statistics(&mut self, backend: &mut B, has_reference: bool, tokens: usize) -> Result<(), B::Error> {
        let Self { head, ref_head, statistics, .. } = self;
        let of_head = &head.statistics;
        for (device, host) in [
            (&of_head.log_prob, &mut statistics.log_prob),
            (&of_head.entropy, &mut statistics.entropy),
            (&of_head.kl, &mut statistics.kl),
            (&ref_head.statistics.log_prob, &mut statistics.ref_log_prob),
        ] {
            host.clear();
            host.resize(tokens, B::Scalar::zero());
            backend.read(device, 0, host)?;
        }
        if !has_reference {
            statistics.ref_log_prob.fill(B::Scalar::zero());
        }
        Ok(())
    }
}

/// What goes through the model.
fn inputs(response: &Response) -> Vec<u32> {
    let Response { prompt, tokens } = response;
    assert!(!prompt.is_empty() && !tokens.is_empty(), "a prompt of {} and {} tokens", prompt.len(), tokens.len());
    [&prompt[..], &tokens[..tokens.len() - 1]].concat()
}

/// The rows whose next tokens are the responses', and these tokens.
fn chosen(responses: &[Response]) -> (Vec<u32>, Vec<u32>) {
    let mut start = 0;
    let mut selected = Vec::new();
    for response in responses {
        let end = start + response.rows();
        selected.extend((start + response.prompt.len() - 1..end).map(|row| row as u32));
        start = end;
    }
    (selected, responses.iter().flat_map(|response| response.tokens.iter().copied()).collect())
}
