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

/// Marked sequences: first those whose steps are in question, then gold solutions, right at every mark.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lesson {
    sequences: Vec<MarkedIds>,
    /// The first mark of each sequence.
    starts: Vec<usize>,
    /// How likely each mark's step is to be right.
    targets: Vec<f64>,
    questioned: usize,
}

impl Lesson {
    /// Adds a sequence whose last step is in question.
    ///
    /// # Panics
    /// After gold has been added, or if the oracle could not decide.
    pub fn question(&mut self, sequence: MarkedIds, verdict: Verdict) {
        let target = match verdict {
            Verdict::Correct => 1.0,
            Verdict::Incorrect => 0.0,
            Verdict::Undecidable => panic!("nothing is learnt from a step that the oracle cannot decide"),
        };
        let last = sequence.positions.len().saturating_sub(1);
        self.labelled(MarkedIds { positions: sequence.positions[last..].to_vec(), ..sequence }, &[target]);
    }

    /// Adds a sequence all of whose steps are in question, with how likely each is to be right.
    ///
    /// # Panics
    /// After gold has been added, or if there is not one target for each mark.
    pub fn labelled(&mut self, sequence: MarkedIds, targets: &[f64]) {
        assert_eq!(self.questioned, self.targets.len(), "questions come before gold");
        self.questioned += targets.len();
        self.push(sequence, targets);
    }

    /// Adds a gold solution.
    pub fn gold(&mut self, sequence: MarkedIds) {
        let targets = vec![1.0; sequence.positions.len()];
        self.push(sequence, &targets);
    }

    fn push(&mut self, sequence: MarkedIds, targets: &[f64]) {
        assert_eq!(sequence.positions.len(), targets.len(), "one target for each mark");
        self.starts.push(self.targets.len());
        self.targets.extend_from_slice(targets);
        self.sequences.push(sequence);
    }

    /// How many marks are in question.
    pub fn questions(&self) -> usize {
        self.questioned
    }

    /// How many marks there are.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is nothing to learn.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
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
            let target = lesson.targets[mark];
            let (gradient, value) = loss.backward(&opinion, &old_opinions[mark], ref_logits, B::Scalar::of(target));
            let weight = B::Scalar::of(lesson.weight(mark, gold_share));
            for (grad_logit, gradient) in grad_logits.iter_mut().zip(gradient) {
                *grad_logit = gradient * weight;
            }
            statistics.observe(&opinion, target, mark >= lesson.questioned, value);
        }
    };
    let Player { model, learner, reference } = verifier;
    learner.gradients.clear(backend, &model.layout).map_err(RunError::Device)?;
    let reference = (!num_traits::Zero::is_zero(&loss.tau)).then_some(&*reference);
    let (weights, gradients) = (&learner.weights, &mut learner.gradients);
    room.accumulate(backend, model, weights, reference, &lesson.sequences, &mut on_marks, gradients)?;
    Ok(statistics)
}
