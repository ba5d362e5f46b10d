//! Choosing one of N finished solutions.
//!
//! Each function returns the index of the chosen solution, and `None` only where there is no solution.
//! Where several solutions share the chosen answer, the index is that of the first.
//! A solution without an answer is chosen only where none has one.
//!
//! A curve over the number of samples is a loop over prefixes of the slices.
//!
//! ```
//! use aprm_core::search::best_of_n::majority;
//!
//! let answers = [Some(7), Some(3), None, Some(3)];
//! let chosen = [1, 2, 4].map(|n| majority(&answers[..n]));
//! assert_eq!(chosen, [Some(0), Some(0), Some(1)]);
//! ```

use super::argmax;
use crate::scalar::Scalar;

/// The solution of the highest score.
///
/// ```text
/// argmax_i score_i
/// ```
///
/// `scores` and `answers` have one entry per solution.
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::search::best_of_n::naive;
///
/// assert_eq!(naive(&[0.4, 0.7, 0.9], &[Some("5"), Some("6"), None]), Some(1));
/// ```
///
/// # Reference
/// Cobbe et al. 2021, arXiv 2110.14168.
pub fn naive<T: Scalar, Answer>(scores: &[T], answers: &[Option<Answer>]) -> Option<usize> {
    assert_eq!(scores.len(), answers.len(), "naive: one score per answer");
    let answered = answers.iter().any(Option::is_some);
    argmax((0..answers.len()).filter(|&i| answers[i].is_some() == answered).map(|i| (i, scores[i])))
}

/// The answer whose solutions have the highest sum of scores.
///
/// ```text
/// argmax_a Σ_i score_i [answer_i = a]
/// ```
///
/// `scores` and `answers` have one entry per solution.
///
/// # Panics
/// If the lengths differ.
///
/// # Examples
/// ```
/// use aprm_core::search::best_of_n::weighted;
///
/// assert_eq!(weighted(&[0.9, 0.5, 0.5], &[Some("5"), Some("6"), Some("6")]), Some(1));
/// ```
///
/// # Reference
/// Li et al. 2022, arXiv 2206.02336 (voting verifier).
pub fn weighted<T: Scalar, Answer: Eq>(scores: &[T], answers: &[Option<Answer>]) -> Option<usize> {
    assert_eq!(scores.len(), answers.len(), "weighted: one score per answer");
    vote(answers, |i| scores[i])
}

/// The answer that most solutions give, whatever their scores.
///
/// ```text
/// argmax_a Σ_i [answer_i = a]
/// ```
///
/// # Examples
/// ```
/// use aprm_core::search::best_of_n::majority;
///
/// assert_eq!(majority(&[Some("5"), Some("6"), Some("6")]), Some(1));
/// ```
///
/// # Reference
/// Wang et al. 2022, arXiv 2203.11171 (self-consistency).
pub fn majority<Answer: Eq>(answers: &[Option<Answer>]) -> Option<usize> {
    vote(answers, |_| 1.0)
}

fn vote<T: Scalar, Answer: Eq>(answers: &[Option<Answer>], weight: impl Fn(usize) -> T) -> Option<usize> {
    let answered = answers.iter().any(Option::is_some);
    let leads_its_group = |&i: &usize| answers[i].is_some() == answered && !answers[..i].contains(&answers[i]);
    let total =
        |leader: usize| -> T { (leader..answers.len()).filter(|&i| answers[i] == answers[leader]).map(&weight).sum() };
    argmax((0..answers.len()).filter(leads_its_group).map(|leader| (leader, total(leader))))
}
