//! What a verifier learns from: steps in their context, and the truth about them.

use std::ops::Range;

use aprm_core::backend::Backend;
use aprm_core::oracle::Verdict;
use aprm_core::rand_core::Rng;
use aprm_core::scalar::Scalar;

use super::error::RunError;
use super::players::Player;
use super::round_report::VerifierStatistics;
use super::row_scores::{MarkLogits, RowScores};
use super::verifier_loss::{Opinion, VerifierLoss};
use crate::step_text::MarkedIds;

/// MarkedIds sequences: first those that end in a step whose truth is in question, then gold solutions, right at every mark.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lesson {
    sequences: Vec<MarkedIds>,
    /// The first mark of each sequence.
    starts: Vec<usize>,
    /// One for each mark.
    verdicts: Vec<Verdict>,
    questioned: usize,
}

impl Lesson {
    /// Adds a sequence whose last mark is in question.
    ///
    /// # Panics
    /// After gold has been added.
    pub fn question(&mut self, sequence: MarkedIds, verdict: Verdict) {
        assert_eq!(self.questioned, self.verdicts.len(), "questions come before gold");
        let last = sequence.positions.len().saturating_sub(1);
        self.questioned += 1;
        self.push(MarkedIds { positions: sequence.positions[last..].to_vec(), ..sequence }, verdict);
    }

    /// Adds a gold solution.
    pub fn gold(&mut self, sequence: MarkedIds) {
        self.push(sequence, Verdict::Correct);
    }

    fn push(&mut self, sequence: MarkedIds, verdict: Verdict) {
        self.starts.push(self.verdicts.len());
        self.verdicts.extend(std::iter::repeat_n(verdict, sequence.positions.len()));
        self.sequences.push(sequence);
    }

    /// How many marks are in question.
    pub fn questions(&self) -> usize {
        self.questioned
    }

    /// How many marks there are.
    pub fn len(&self) -> usize {
        self.verdicts.len()
    }

    /// Whether there is nothing to learn.
    pub fn is_empty(&self) -> bool {
        self.verdicts.is_empty()
    }

    /// How many tokens it has.
    pub fn tokens(&self) -> usize {
        self.sequences.iter().map(|marked| marked.ids.len()).sum()
    }

    /// The weight of a mark: questions together weigh `1 / (1 + gold_share)`, gold the rest.
    fn weight(&self, mark: usize, gold_share: f64) -> f64 {
        let (share, marks) = match mark < self.questioned {
            true => (1.0, self.questioned),
            false => (gold_share, self.len() - self.questioned),
        };
        share / (1.0 + gold_share) / marks as f64
    }
}

/// How a lesson is taught.
#[derive(Clone, Copy, Debug)]
pub struct Teaching<T> {
    /// The loss of a mark.
    pub loss: VerifierLoss<T>,
    /// The weight of gold for each unit of weight of the questions.
    pub gold_share: f64,
}

/// Puts the gradient of a lesson into the verifier's learner.
///
/// The opinions of the first pass are kept in `old_opinions`, marks end to end; PPO's ratios are against them.
///
/// # Errors
/// [`RunError`].
pub fn study<B: Backend>(
    backend: &mut B,
    verifier: &mut Player<B>,
    room: &mut RowScores<B>,
    lesson: &Lesson,
    teaching: Teaching<B::Scalar>,
    old_opinions: &mut Vec<Opinion<B::Scalar>>,
    rng: &mut dyn Rng,
) -> Result<VerifierStatistics, RunError<B::Error>> {
    let Teaching { loss, gold_share } = teaching;
    let mut statistics = VerifierStatistics::default();
    let mut on_marks = |range: Range<usize>, found: MarkLogits<'_, B::Scalar>, grad_logits: &mut [B::Scalar]| {
        let start = lesson.starts[range.start];
        for (i, grad_logits) in grad_logits.chunks_exact_mut(2).enumerate() {
            let (mark, pair) = (start + i, |logits: &[B::Scalar]| [logits[2 * i], logits[2 * i + 1]]);
            let ref_logits = found.ref_logits.map(pair);
            let opinion = loss.opinion(pair(found.logits), ref_logits, rng);
            if old_opinions.len() == mark {
                old_opinions.push(opinion);
            }
            let verdict = lesson.verdicts[mark];
            let (gradient, value) = loss.backward(&opinion, &old_opinions[mark], ref_logits, verdict);
            let weight = B::Scalar::of(lesson.weight(mark, gold_share));
            for (grad_logit, gradient) in grad_logits.iter_mut().zip(gradient) {
                *grad_logit = gradient * weight;
            }
            statistics.observe(&opinion, verdict, mark >= lesson.questioned, value);
        }
    };
    let Player { model, learner, reference } = verifier;
    learner.gradients.clear(backend, &model.layout).map_err(RunError::Device)?;
    let reference = (!num_traits::Zero::is_zero(&loss.tau)).then_some(&*reference);
    let (weights, gradients) = (&learner.weights, &mut learner.gradients);
    room.accumulate(backend, model, weights, reference, &lesson.sequences, &mut on_marks, gradients)?;
    Ok(statistics)
}
