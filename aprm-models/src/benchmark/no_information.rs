//! What is found by somebody who knows how often each label occurs and reads nothing.

use serde::Serialize;

/// The best guess without reading: no error with a chance, and else the step that is most often the first wrong one.
///
/// Whoever says the same of every solution has an F1 of zero, be it "no error" or some step: one of the two accuracies
/// is zero. So the best guess is by lot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BestGuess {
    /// The step that is most often the first wrong one, from zero; the earliest of equals.
    pub step: usize,
    /// How often the guess is "no error", which is also the accuracy on right solutions.
    pub acc_correct: f64,
    /// The accuracy on wrong solutions.
    pub acc_error: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

/// The best guess for labels, which are also those that it is judged by; none without wrong solutions or without right
/// ones.
///
/// ```text
/// a = max_k share of k among the wrong solutions' labels
/// acc_correct = p,  acc_error = (1 − p) a,  F1 = 2 p (1 − p) a / (p + (1 − p) a)
/// p* = √a / (1 + √a),  F1* = 2 a / (1 + √a)²
/// ```
///
/// The F1 is that of the expected accuracies.
/// p* is where the derivative of 1/p + 1/((1 − p) a), which is 2/F1, vanishes.
///
/// ```
/// use aprm_models::benchmark::no_information::best_guess;
///
/// let guess = best_guess(&[Some(1), Some(0), Some(1), Some(3), Some(4), Some(5), Some(6), Some(7), None]).unwrap();
/// assert_eq!((guess.step, guess.acc_correct), (1, 1.0 / 3.0));
/// assert!((guess.f1 - 2.0 / 9.0).abs() < 1e-15);
/// ```
pub fn best_guess(labels: &[Option<usize>]) -> Option<BestGuess> {
    let wrong: Vec<usize> = labels.iter().flatten().copied().collect();
    if wrong.len() == labels.len() {
        return None;
    }
    let times = |step| wrong.iter().filter(|&&label| label == step).count();
    let step = (0..=*wrong.iter().max()?).rev().max_by_key(|&step| times(step))?;
    let share = times(step) as f64 / wrong.len() as f64;
    let acc_correct = share.sqrt() / (1.0 + share.sqrt());
    let acc_error = (1.0 - acc_correct) * share;
    Some(BestGuess { step, acc_correct, acc_error, f1: 2.0 * acc_correct * acc_error / (acc_correct + acc_error) })
}
