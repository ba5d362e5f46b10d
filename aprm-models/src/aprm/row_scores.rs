//! The scores of marked tokens, and the way back from a loss over them.

use std::ops::Range;

use aprm_core::backend::Backend;
use aprm_core::scalar::Scalar;

use super::error::RunError;
use super::room::Room;
use crate::step_text::MarkedIds;
use crate::transformer::{Actions, Parameters, PolicyHead, Regularisation, ScoreHead, Trajectories, Transformer};

/// Room for passes over marked sequences, as many of them at a time as fit.
#[expect(missing_debug_implementations, reason = "buffers of a device need not be printable")]
pub struct RowScores<B: Backend> {
    room: Room<B>,
    head: ScoreHead<B>,
    ref_head: ScoreHead<B>,
    reader: PolicyHead<B>,
}

/// Sequences that a verifier is also to predict, token by token.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading<'a> {
    /// The first token to predict of each sequence, if it is to be predicted; there may be fewer than sequences.
    pub begins: &'a [Option<usize>],
    /// The weight of their mean loss in nats per token.
    pub weight: f64,
}

/// A loss over marks. It is told in terms of what is known before their logits are, so that nothing is read from the device
/// before all its work is under way.
pub trait MarkLoss<T> {
    /// The loss of the sequences `range`.
    fn terms(&mut self, range: Range<usize>) -> MarkTerms<T>;

    /// Sees what was found of the sequences `range`.
    fn observe(&mut self, range: Range<usize>, found: FoundMarks<'_, T>);
}

/// What a loss consists of.
#[derive(Clone, Debug, PartialEq)]
pub enum MarkTerms<T> {
    /// Of marks that are classified.
    Classes(ClassTerms<T>),
    /// Of numbers that are held against λ-returns, each with this weight.
    Values(Trajectories<T>, T),
}

/// Cross-entropy, divergence from the reference, entropy, and what labels are paid.
///
/// ```text
/// L = Σ_marks ( −w Σ_c y_c log R_c + a KL(R ‖ R_0) + a' KL(R_0 ‖ R) + b H(R) + L_clip(R(label) / R_old(label), A) )
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassTerms<T> {
    /// y, `[marks, classes]`.
    pub labels: Vec<T>,
    /// w.
    pub weights: Vec<T>,
    /// a, a' and b, where there are such terms.
    pub regularisation: Option<Regularisation<T>>,
    /// Which labels count, and A, where there is such a term.
    pub actions: Option<Actions<T>>,
}

/// What was found of marks laid end to end.
#[derive(Clone, Copy, Debug)]
pub struct FoundMarks<'a, T> {
    /// The model's logits, `[marks, classes]`.
    pub logits: &'a [T],
    /// The reference's, if there is one.
    pub ref_logits: Option<&'a [T]>,
    /// The label of each, if labels are paid.
    pub actions: Option<&'a [u32]>,
    /// The advantage of each, if there are λ-returns.
    pub advantages: Option<&'a [T]>,
}

impl<B: Backend> RowScores<B> {
    /// Room for `rows` tokens at a time.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new(backend: &mut B, model: &Transformer<B>, rows: usize) -> Result<Self, B::Error> {
        Ok(Self {
            room: Room::new(backend, model, rows)?,
            head: ScoreHead::new(backend, model, rows)?,
            ref_head: ScoreHead::new(backend, model, rows)?,
            reader: PolicyHead::new(backend, model, rows)?,
        })
    }

    /// The logits of all marks of all sequences, end to end.
    ///
    /// # Errors
    /// [`RunError`], if a sequence is longer than there is room, or the device fails.
    pub fn logits(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        sequences: &[MarkedIds],
    ) -> Result<Vec<B::Scalar>, RunError<B::Error>> {
        let mut all = Vec::new();
        for range in self.room.micro_batches(sequences.iter().map(|marked| marked.ids.len()))? {
            let selected = self.set(backend, &sequences[range]).map_err(RunError::Device)?;
            let found = forward(backend, model, weights, &mut self.room, &mut self.head, &selected);
            let logits = found.and_then(|()| self.head.read_logits(backend));
            all.extend(logits.map_err(RunError::Device)?);
        }
        Ok(all)
    }

    /// Adds the gradients of a loss over marks to `gradients`.
    ///
    /// # Errors
    /// [`RunError`], if a sequence is longer than there is room, or the device fails.
    #[expect(clippy::too_many_arguments, reason = "the model owns no buffer")]
    pub fn accumulate(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        reference: Option<&Parameters<B::Buffer>>,
        sequences: &[MarkedIds],
        reading: Reading<'_>,
        loss: &mut dyn MarkLoss<B::Scalar>,
        gradients: &mut Parameters<B::Buffer>,
    ) -> Result<(), RunError<B::Error>> {
        let tokens: usize = read(sequences, reading).map(|range| range.len()).sum();
        let of_token = B::Scalar::of(-reading.weight / tokens.max(1) as f64);
        for range in self.room.micro_batches(sequences.iter().map(|marked| marked.ids.len()))? {
            let ranges: Vec<_> = read(sequences, reading).skip(range.start).take(range.len()).collect();
            let reading = (&ranges[..], of_token);
            self.accumulate_one(backend, model, weights, reference, sequences, range, reading, loss, gradients)
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
        sequences: &[MarkedIds],
        range: Range<usize>,
        (ranges, of_token): (&[Range<usize>], B::Scalar),
        loss: &mut dyn MarkLoss<B::Scalar>,
        gradients: &mut Parameters<B::Buffer>,
    ) -> Result<(), B::Error> {
        let selected = self.set(backend, &sequences[range.clone()])?;
        let (rows, targets) = predicted(&sequences[range.clone()], ranges);
        let Self { room, head, ref_head, reader } = self;
        // The reference goes first, so that the activations left behind are the model's.
        let ref_head = match reference {
            Some(weights) => {
                forward(backend, model, weights, room, ref_head, &selected)?;
                Some(&*ref_head)
            }
            None => None,
        };
        forward(backend, model, weights, room, head, &selected)?;
        let terms = loss.terms(range.clone());
        match &terms {
            MarkTerms::Classes(ClassTerms { labels, weights, regularisation, actions }) => {
                head.cross_entropy(backend, labels, weights)?;
                if let Some(regularisation) = regularisation {
                    head.regularise(backend, ref_head, regularisation)?;
                }
                if let Some(actions) = actions {
                    head.policy_gradient(backend, actions)?;
                }
            }
            MarkTerms::Values(trajectories, weight) => head.return_error(backend, trajectories, *weight)?,
        }
        let Room { batch, activations, scratch, .. } = room;
        scratch.clear_hidden(backend, model)?;
        head.backward(backend, model, weights, scratch, gradients)?;
        if !rows.is_empty() {
            reader.forward(backend, model, weights, activations, &rows, &targets, None)?;
            backend.fill(rows.len(), of_token, &mut reader.gradients.log_prob)?;
            reader.backward(backend, model, weights, None, scratch, gradients)?;
        }
        model.backward(backend, weights, batch, activations, scratch, gradients)?;
        let (mut actions, mut advantages) = (None, None);
        match &terms {
            MarkTerms::Classes(ClassTerms { actions: None, .. }) => {}
            MarkTerms::Classes(_) => actions = Some(head.read_actions(backend)?),
            MarkTerms::Values(..) => advantages = Some(head.read_advantages(backend)?),
        }
        let logits = head.read_logits(backend)?;
        let ref_logits = ref_head.map(|head| head.read_logits(backend)).transpose()?;
        let found = FoundMarks {
            logits: &logits,
            ref_logits: ref_logits.as_deref(),
            actions: actions.as_deref(),
            advantages: advantages.as_deref(),
        };
        loss.observe(range, found);
        Ok(())
    }

    /// Puts sequences on the device, and says which rows bear their marks.
    fn set(&mut self, backend: &mut B, sequences: &[MarkedIds]) -> Result<Vec<u32>, B::Error> {
        self.room.set(backend, sequences.iter().map(|marked| &marked.ids[..]))?;
        let mut start = 0;
        let mut selected = Vec::new();
        for MarkedIds { ids, positions } in sequences {
            selected.extend(positions.iter().map(|position| start + position));
            start += ids.len() as u32;
        }
        Ok(selected)
    }
}

/// Which tokens of each sequence are to be predicted.
fn read<'a>(sequences: &'a [MarkedIds], reading: Reading<'a>) -> impl Iterator<Item = Range<usize>> + 'a {
    let begins = reading.begins.iter().copied().chain(std::iter::repeat(None));
    let is_wanted = reading.weight > 0.0;
    sequences.iter().zip(begins).map(move |(marked, begin)| {
        let end = marked.ids.len();
        begin.filter(|_| is_wanted).map_or(end..end, |begin| begin..end)
    })
}

/// The rows that predict these tokens, each the one before, and the tokens.
fn predicted(sequences: &[MarkedIds], ranges: &[Range<usize>]) -> (Vec<u32>, Vec<u32>) {
    let (mut rows, mut targets, mut start) = (Vec::new(), Vec::new(), 0);
    for (MarkedIds { ids, .. }, range) in sequences.iter().zip(ranges) {
        rows.extend(range.clone().map(|token| (start + token - 1) as u32));
        targets.extend_from_slice(&ids[range.clone()]);
        start += ids.len();
    }
    (rows, targets)
}

fn forward<B: Backend>(
    backend: &mut B,
    model: &Transformer<B>,
    weights: &Parameters<B::Buffer>,
    room: &mut Room<B>,
    head: &mut ScoreHead<B>,
    selected: &[u32],
) -> Result<(), B::Error> {
    let Room { batch, activations, .. } = room;
    model.forward(backend, weights, batch, activations)?;
    head.forward(backend, model, weights, &activations.hidden, activations.rows(), selected)
}
