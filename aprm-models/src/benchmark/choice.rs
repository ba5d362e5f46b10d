//! How often the solution that is chosen among several is right.
//!
//! Ties are broken by lot: what is returned is the chance that the chosen solution is right. A judge that says the same
//! of all solutions is then as good as a blind choice, and not as whoever happens to stand first, which recorded
//! solutions of several models would make the weakest or the strongest of these models.
//! NaN ranks below every number, and a solution without an answer is chosen only where none has one, as in
//! [`aprm_core::search::best_of_n`], which takes the first of equals.

/// A solution as far as a choice is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What it answers, in a form that equal answers share; none if it does not answer.
    pub answer: Option<String>,
    /// Whether that is right.
    pub is_right: bool,
}

/// The chance that the solution of the highest score is right; zero where there is no solution.
///
/// # Panics
/// If there is not one score for each solution.
///
/// ```
/// use aprm_models::benchmark::choice::{Candidate, best};
///
/// let solutions = [("5", false), ("6", true), ("7", false)];
/// let solutions = solutions.map(|(answer, is_right)| Candidate { answer: Some(answer.into()), is_right });
/// assert_eq!(best(&[0.2, 0.9, 0.9], &solutions), 0.5);
/// ```
///
/// # Reference
/// Cobbe et al. 2021, arXiv 2110.14168.
pub fn best(scores: &[f64], solutions: &[Candidate]) -> f64 {
    assert_eq!(scores.len(), solutions.len(), "one score for each solution");
    by_lot(in_question(solutions).map(|i| (scores[i], share_right(solutions, |other| other == i))))
}

/// The chance that the answer with the highest sum of scores is right; zero where there is no solution.
///
/// # Panics
/// If there is not one score for each solution.
///
/// ```
/// use aprm_models::benchmark::choice::{Candidate, weighted};
///
/// let solutions = [("5", false), ("6", true), ("6", true)];
/// let solutions = solutions.map(|(answer, is_right)| Candidate { answer: Some(answer.into()), is_right });
/// assert_eq!(weighted(&[0.75, 0.5, 0.5], &solutions), 1.0);
/// ```
///
/// # Reference
/// Li et al. 2022, arXiv 2206.02336 (voting verifier).
pub fn weighted(scores: &[f64], solutions: &[Candidate]) -> f64 {
    assert_eq!(scores.len(), solutions.len(), "one score for each solution");
    let agree = |i: usize, j: usize| solutions[i].answer == solutions[j].answer;
    let leaders = in_question(solutions).filter(|&i| !(0..i).any(|earlier| agree(earlier, i)));
    by_lot(leaders.map(|leader| {
        let total = (leader..solutions.len()).filter(|&i| agree(leader, i)).map(|i| scores[i]).sum();
        (total, share_right(solutions, |i| agree(leader, i)))
    }))
}

/// The chance that the answer which most solutions give is right; zero where there is no solution.
///
/// # Reference
/// Wang et al. 2022, arXiv 2203.11171 (self-consistency).
pub fn majority(solutions: &[Candidate]) -> f64 {
    weighted(&vec![1.0; solutions.len()], solutions)
}

/// The share of right solutions: what a blind choice gives; zero where there is no solution.
pub fn blind(solutions: &[Candidate]) -> f64 {
    share_right(solutions, |_| true)
}

/// One if any solution is right, or else zero: what a perfect choice gives.
pub fn oracle(solutions: &[Candidate]) -> f64 {
    f64::from(u8::from(solutions.iter().any(|solution| solution.is_right)))
}

/// Those that answer, or all if none does.
fn in_question(solutions: &[Candidate]) -> impl Iterator<Item = usize> {
    let answered = solutions.iter().any(|solution| solution.answer.is_some());
    (0..solutions.len()).filter(move |&i| solutions[i].answer.is_some() == answered)
}

fn share_right(solutions: &[Candidate], counts: impl Fn(usize) -> bool) -> f64 {
    let counted: Vec<&Candidate> = (0..solutions.len()).filter(|&i| counts(i)).map(|i| &solutions[i]).collect();
    counted.iter().filter(|solution| solution.is_right).count() as f64 / counted.len().max(1) as f64
}

/// The mean chance among those that share the highest score.
fn by_lot(scored: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut highest, mut chance, mut tied) = (f64::NEG_INFINITY, 0.0, 0_u32);
    for (score, right) in scored {
        let score = if score.is_nan() { f64::NEG_INFINITY } else { score };
        if score > highest {
            (highest, chance, tied) = (score, 0.0, 0);
        }
        if score == highest {
            (chance, tied) = (chance + right, tied + 1);
        }
    }
    chance / f64::from(tied.max(1))
}
