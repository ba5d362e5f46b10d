//! What a verifier learns from: steps in their context, and the truth about them.

use std::ops::Range;

use aprm_core::backend::Backend;
use aprm_core::oracle::Verdict;
use aprm_core::rand_core::Rng;
use num_traits::Zero;

use super::error::RunError;
use super::lesson_loss::LessonLoss;
use super::players::Player;
use super::round_report::VerifierStatistics;
use super::row_scores::{Reading, RowScores};
use super::verifier_loss::{Opinion, VerifierLoss};
use crate::step_text::MarkedIds;

/// Marked sequences: first those whose steps are in question, then gold solutions, right at every mark.
///
/// Beside the marks at the ends of steps there may be hints: tokens within a step up to the first wrong one, with whether
/// the step is that of the gold solution so far. A verifier that is told where an error begins learns faster what it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lesson {
    sequences: Vec<MarkedIds>,
    /// Where the steps of each sequence begin, if all of them are gold.
    begins: Vec<Option<usize>>,
    /// The first mark or hint of each sequence.
    starts: Vec<usize>,
    marks: Vec<Mark>,
    questions: usize,
    gold: usize,
    /// How many hints say that a step is wrong by then, and how many that it is not.
    hints: [usize; 2],
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mark {
    /// The end of a step, its number among those of all steps, and how likely the step is to be right.
    Step { number: usize, target: f64 },
    /// A token within a step, and whether all is right so far.
    Hint { right: bool },
}

/// What is known of a sequence whose last step stands in the place of a gold one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The first token of the first step.
    pub begin: usize,
    /// The first token that is not the gold solution's.
    pub first: usize,
}

impl Lesson {
    /// Adds a sequence whose last step is in question; with hints, if it is known where it departs from gold.
    ///
    /// # Panics
    /// After gold has been added, or if the oracle could not decide.
    pub fn question(&mut self, sequence: MarkedIds, verdict: Verdict, deviation: Option<Deviation>) {
        let target = match verdict {
            Verdict::Correct => 1.0,
            Verdict::Incorrect => 0.0,
            Verdict::Undecidable => panic!("nothing is learnt from a step that the oracle cannot decide"),
        };
        self.begin_question();
        let Some((&last, before)) = sequence.positions.split_last() else { return };
        let mut positions = Vec::new();
        if let Some(Deviation { begin, first }) = deviation {
            let begin = before.last().map_or(begin as u32, |end| end + 1);
            // The first wrong token is what is to be found; those after it are wrong whatever they are.
            let end = if verdict == Verdict::Correct { last } else { last.min(first as u32 + 1) };
            for position in begin..end {
                positions.push(position);
                self.push_hint(verdict == Verdict::Correct || position < first as u32);
            }
        }
        positions.push(last);
        self.push_step(target);
        self.questions += 1;
        self.begins.push(None);
        self.sequences.push(MarkedIds { positions, ..sequence });
    }

    /// Adds a sequence all of whose steps are in question, with how likely each is to be right.
    ///
    /// # Panics
    /// After gold has been added, or if there is not one target for each mark.
    pub fn labelled(&mut self, sequence: MarkedIds, targets: &[f64]) {
        assert_eq!(sequence.positions.len(), targets.len(), "one target for each mark");
        self.begin_question();
        for &target in targets {
            self.push_step(target);
            self.questions += 1;
        }
        self.begins.push(None);
        self.sequences.push(sequence);
    }

    /// Adds a gold solution whose first step begins at a token; with hints, if they are wanted.
    pub fn gold(&mut self, sequence: MarkedIds, begin: usize, has_hints: bool) {
        self.starts.push(self.marks.len());
        let mut positions = Vec::new();
        let mut next = has_hints.then_some(begin as u32);
        for &end in &sequence.positions {
            for position in next.unwrap_or(end)..end {
                positions.push(position);
                self.push_hint(true);
            }
            next = next.map(|_| end + 1);
            positions.push(end);
            self.push_step(1.0);
            self.gold += 1;
        }
        self.begins.push(Some(begin));
        self.sequences.push(MarkedIds { positions, ..sequence });
    }

    fn begin_question(&mut self) {
        assert_eq!(self.gold, 0, "questions come before gold");
        self.starts.push(self.marks.len());
    }

    fn push_step(&mut self, target: f64) {
        self.marks.push(Mark::Step { number: self.len(), target });
    }

    fn push_hint(&mut self, right: bool) {
        self.hints[usize::from(right)] += 1;
        self.marks.push(Mark::Hint { right });
    }

    /// How many steps are in question.
    pub fn questions(&self) -> usize {
        self.questions
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.questions + self.gold
    }

    /// Whether there is nothing to learn.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// How many tokens it has.
    pub fn tokens(&self) -> usize {
        self.sequences.iter().map(|marked| marked.ids.len()).sum()
    }

    /// The marks of sequences.
    pub(super) fn marks(&self, range: Range<usize>) -> &[Mark] {
        let end = self.starts.get(range.end).copied().unwrap_or(self.marks.len());
        &self.marks[self.starts[range.start]..end]
    }

    /// The weight of a step: questions together weigh `1 / (1 + gold_share)`, gold the rest.
    fn weight(&self, step: usize, gold_share: f64) -> f64 {
        let (share, steps) = match step < self.questions {
            true => (1.0, self.questions),
            false => (gold_share, self.gold),
        };
        share / (1.0 + gold_share) / steps as f64
    }
}

/// How a lesson is taught.
#[derive(Clone, Copy, Debug)]
pub struct Teaching<T> {
    /// The loss of a mark.
    pub loss: VerifierLoss<T>,
    /// The weight of gold for each unit of weight of the questions.
    pub gold_share: f64,
    /// The weight of the loss of predicting gold solutions, where it is known where they begin.
    pub reading: f64,
    /// The weight of the cross-entropy of all hints, half of it for those that say that a step is wrong by then.
    pub hints: f64,
}

impl<T> Teaching<T> {
    /// The weight of a mark in the mean.
    pub(super) fn weight(&self, lesson: &Lesson, mark: Mark) -> f64 {
        match mark {
            Mark::Step { number, .. } => lesson.weight(number, self.gold_share),
            Mark::Hint { right } => self.hints / 2.0 / lesson.hints[usize::from(right)] as f64,
        }
    }
}

/// Puts the gradient of a lesson into the verifier's learner.
///
/// The opinions of the first pass are kept in `old_opinions`, steps end to end; PPO's ratios are against them.
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
    let reading = Reading { begins: &lesson.begins, weight: teaching.reading };
    let has_reference = !teaching.loss.tau.is_zero();
    let statistics = VerifierStatistics::default();
    let mut loss = LessonLoss { lesson, teaching, old_opinions, rng, uniforms: Vec::new(), statistics };
    let Player { model, learner, reference } = verifier;
    learner.gradients.clear(backend, &model.layout).map_err(RunError::Device)?;
    let reference = has_reference.then_some(&*reference);
    let (weights, gradients) = (&learner.weights, &mut learner.gradients);
    room.accumulate(backend, model, weights, reference, &lesson.sequences, reading, &mut loss, gradients)?;
    Ok(loss.statistics)
}
