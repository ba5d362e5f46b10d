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

/// The gradient of a loss with respect to [`TokenStatistics`], zero where the loss says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenGradients<T> {
    /// `∂L/∂ log π(token)`.
    pub log_prob: Vec<T>,
    /// `∂L/∂H`.
    pub entropy: Vec<T>,
    /// `∂L/∂KL`.
    pub kl: Vec<T>,
}

impl<T: Zero + Clone> TokenGradients<T> {
    fn zeros(tokens: usize) -> Self {
        let zeros = vec![T::zero(); tokens];
        Self { log_prob: zeros.clone(), entropy: zeros.clone(), kl: zeros }
    }
}

/// What of a loss over tokens can be told before the statistics are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownTokens<T> {
    /// The gradient, that of `log π(token)` where the policy is still the one that wrote the tokens.
    pub gradients: TokenGradients<T>,
    /// Where it has moved since, what that one found of each token, and how far ratios are followed: the gradient of
    /// `log π(token)` is then the clipped surrogate's, its advantages the negative of the one above.
    pub old: Option<(Vec<T>, ClipRange<T>)>,
    /// The weight of `π_ref/π`, which is taken off that gradient.
    pub reverse: T,
}

/// A loss over tokens: it sees the statistics of some responses, whose range it is told, and writes its gradients.
pub trait TokenLoss<T> {
    /// What is known of the responses `range` of those at hand, if the device can go on from that; then nothing is read from
    /// it before all its work is under way.
    fn known(&self, _range: Range<usize>) -> Option<KnownTokens<T>> {
        None
    }

    /// Sees the statistics of the responses `range` and writes their gradients, which go unused if they were known.
    fn backward(&mut self, range: Range<usize>, statistics: &TokenStatistics<T>, gradients: &mut TokenGradients<T>);
}

impl<T, F: FnMut(Range<usize>, &TokenStatistics<T>, &mut TokenGradients<T>)> TokenLoss<T> for F {
    fn backward(&mut self, range: Range<usize>, statistics: &TokenStatistics<T>, gradients: &mut TokenGradients<T>) {
        self(range, statistics, gradients);
    }
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
        let known = loss.known(range.clone());
        let is_known = known.is_some();
        let known = match known {
            Some(known) => known,
            None => {
                let gradients = self.ask(backend, reference.is_some(), targets.len(), range.clone(), loss)?;
                KnownTokens { gradients, ..KnownTokens::default() }
            }
        };
        let of_head = &mut self.head.gradients;
        backend.write(&known.gradients.log_prob, &mut of_head.log_prob, 0)?;
        backend.write(&known.gradients.entropy, &mut of_head.entropy, 0)?;
        backend.write(&known.gradients.kl, &mut of_head.kl, 0)?;
        self.surrogate.follow(backend, &known, &mut self.head, &self.ref_head)?;
        let ref_logits = reference.map(|_| self.ref_head.logits());
        let Room { batch, activations, scratch, .. } = &mut self.room;
        scratch.clear_hidden(backend, model)?;
        self.head.backward(backend, model, weights, ref_logits, scratch, gradients)?;
        model.backward(backend, weights, batch, activations, scratch, gradients)?;
        if is_known {
            self.ask(backend, reference.is_some(), targets.len(), range, loss)?;
        }
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

    /// Waits for the statistics, and asks the loss about them.
    fn ask(
        &mut self,
        backend: &mut B,
        has_reference: bool,
        tokens: usize,
        range: Range<usize>,
        loss: &mut dyn TokenLoss<B::Scalar>,
    ) -> Result<TokenGradients<B::Scalar>, B::Error> {
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
        let mut gradients = TokenGradients::zeros(tokens);
        loss.backward(range, statistics, &mut gradients);
        Ok(gradients)
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
