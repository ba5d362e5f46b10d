//! The loss of a lesson.

use std::ops::Range;

use aprm_core::player::Label;
use aprm_core::rand_core::Rng;
use aprm_core::scalar::Scalar;

use super::config::Divergence;
use super::lesson::{Lesson, Mark, Teaching};
use super::round_report::VerifierStatistics;
use super::row_scores::{ClassTerms, FoundMarks, MarkLoss, MarkTerms};
use super::verifier_loss::{CORRECT, Opinion, VerifierLoss, payoffs};
use crate::transformer::{Actions, Regularisation};

/// The loss of a lesson, and what the verifier says on the way.
pub(super) struct LessonLoss<'a, T> {
    pub(super) lesson: &'a Lesson,
    pub(super) teaching: Teaching<T>,
    pub(super) old_opinions: &'a mut Vec<Opinion<T>>,
    pub(super) rng: &'a mut dyn Rng,
    /// What the labels of the marks at hand are drawn with.
    pub(super) uniforms: Vec<T>,
    pub(super) statistics: VerifierStatistics,
}

/// Uniform numbers are its multiples below one.
const UNIT: f64 = 1.0 / (1_u32 << 24) as f64;

impl<T: Scalar> LessonLoss<'_, T> {
    /// The labels of sequences, and what they are paid; hints are paid nothing.
    fn actions(&self, range: Range<usize>) -> Actions<T> {
        let loss = self.teaching.loss;
        let weight = |mark| match mark {
            Mark::Step { .. } => loss.policy_gradient * T::of(self.teaching.weight(self.lesson, mark)),
            Mark::Hint { .. } => T::zero(),
        };
        let is_new = |mark: &Mark| matches!(mark, Mark::Step { number, .. } if *number >= self.old_opinions.len());
        if self.lesson.marks(range.clone()).iter().any(is_new) {
            let action_values = self.lesson.marks(range).iter().flat_map(|&mark| match mark {
                Mark::Step { target, .. } => payoffs(T::of(target)).map(|payoff| weight(mark) * payoff),
                Mark::Hint { .. } => [T::zero(); 2],
            });
            // A small number accepts, and the device inverts in the order of the classes.
            let uniforms = self.uniforms.iter().map(|&uniform| T::of(1.0 - UNIT) - uniform).collect();
            return Actions::Drawn { uniforms, action_values: action_values.collect() };
        }
        let (mut actions, mut old_log_prob, mut advantages) = (Vec::new(), Vec::new(), Vec::new());
        for &mark in self.lesson.marks(range) {
            let (action, log_prob, advantage) = match mark {
                Mark::Step { number, target } => {
                    let old = &self.old_opinions[number];
                    (old.class(), old.log_probs[old.class()], weight(mark) * old.advantage(T::of(target)))
                }
                Mark::Hint { .. } => (CORRECT, T::zero(), T::zero()),
            };
            actions.push(action as u32);
            old_log_prob.push(log_prob);
            advantages.push(advantage);
        }
        Actions::Taken { actions, old_log_prob, advantages, clip_range: loss.clip_range() }
    }
}

impl<T: Scalar> MarkLoss<T> for LessonLoss<'_, T> {
    fn terms(&mut self, range: Range<usize>) -> MarkTerms<T> {
        let VerifierLoss { policy_gradient, cross_entropy, tau, divergence, entropy, .. } = self.teaching.loss;
        let (mut terms, mut regularisation) = (ClassTerms::default(), Regularisation::default());
        for &mark in self.lesson.marks(range.clone()) {
            let weight = T::of(self.teaching.weight(self.lesson, mark));
            let (target, weight, steps) = match mark {
                Mark::Step { target, .. } => (T::of(target), cross_entropy * weight, weight),
                Mark::Hint { right } => (T::of_usize(right.into()), weight, T::zero()),
            };
            terms.labels.extend(payoffs(target));
            terms.weights.push(weight);
            regularisation.kl.push(tau * steps);
            regularisation.entropy.push(-entropy * steps);
        }
        if divergence == Divergence::Symmetric {
            regularisation.reverse_kl = Some(regularisation.kl.clone());
        }
        terms.regularisation = (!tau.is_zero() || !entropy.is_zero()).then_some(regularisation);
        let marks = self.lesson.marks(range.clone()).len();
        self.uniforms = (0..marks).map(|_| T::of(f64::from(self.rng.next_u32() >> 8) * UNIT)).collect();
        terms.actions = (!policy_gradient.is_zero()).then(|| self.actions(range));
        MarkTerms::Classes(terms)
    }

    fn observe(&mut self, range: Range<usize>, found: FoundMarks<'_, T>) {
        let loss = self.teaching.loss;
        for (i, &mark) in self.lesson.marks(range).iter().enumerate() {
            let Mark::Step { number, target } = mark else { continue };
            let pair = |logits: &[T]| [logits[2 * i], logits[2 * i + 1]];
            let mut opinion = loss.opinion(pair(found.logits), found.ref_logits.map(pair), self.uniforms[i]);
            if let Some(actions) = found.actions {
                opinion.label = if actions[i] as usize == CORRECT { Label::Correct } else { Label::Incorrect };
            }
            if self.old_opinions.len() == number {
                self.old_opinions.push(opinion);
            }
            let value = loss.loss(&opinion, &self.old_opinions[number], T::of(target));
            self.statistics.observe(&opinion, target, number >= self.lesson.questions(), value);
        }
    }
}
