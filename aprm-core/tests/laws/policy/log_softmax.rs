//! log p_i = x_i − max x − ln Σ_j exp(x_j − max x), and its gradient.

use core::f64::consts::LN_2;

use aprm_core::policy::{log_softmax_backward, log_softmax_forward};
use proptest::prelude::*;

use super::{assert_close, backward, log_softmax};
use crate::gradient;

type Backward = fn(&[f64], &[f64], &mut [f64]);

const MASKED: f64 = f64::NEG_INFINITY;

#[test]
fn log_softmax_known_answers() {
    let thirds = [1.0_f64.ln(), 2.0_f64.ln(), 3.0_f64.ln()];
    assert_close(&log_softmax(&thirds), &thirds.map(|x| x - 6.0_f64.ln()), 1e-15);
    assert_eq!(log_softmax(&[7.0]), [0.0]);
    assert_eq!(log_softmax(&[1e30, -1e30]), [0.0, -2e30]);
    assert_eq!(log_softmax(&[1e30, 1e30]), [-LN_2, -LN_2]);
    assert_eq!(log_softmax(&[-1e30, -1e30, MASKED]), [-LN_2, -LN_2, MASKED]);
    assert_eq!(log_softmax(&[f64::MAX, f64::MIN]), [0.0, MASKED]);
    assert_eq!(log_softmax(&[5e-324, 0.0]), [-LN_2, -LN_2]);
}

#[test]
fn log_softmax_in_f32_survives_large_logits() {
    let mut log_probs = [f32::NAN; 3];
    log_softmax_forward(&[1e30, -1e30, MASKED as f32], &mut log_probs);
    assert_eq!(log_probs, [0.0, -2e30, f32::NEG_INFINITY]);
}

/// A sum of 200 000 terms in f32 would be wrong by far more than its last digits.
#[test]
fn log_softmax_of_a_large_f32_vocabulary_is_accurate() {
    let logits: Vec<f32> = (0..200_000).map(|i| (i * 37 % 1009) as f32 / 1009.0).collect();
    let mut log_probs = vec![f32::NAN; logits.len()];
    log_softmax_forward(&logits, &mut log_probs);
    let exact = log_softmax(&logits.iter().map(|&x| f64::from(x)).collect::<Vec<_>>());
    for (&actual, &exact) in log_probs.iter().zip(&exact) {
        assert!((f64::from(actual) - exact).abs() <= 2.0 * f64::from(f32::EPSILON) * exact.abs());
    }
}

#[test]
fn a_nan_or_infinite_logit_spoils_the_whole_row() {
    for bad in [f64::NAN, f64::INFINITY] {
        for others in [[0.0, 1.0], [MASKED, MASKED]] {
            assert!(log_softmax(&[others[0], bad, others[1]]).iter().all(|log_prob| log_prob.is_nan()));
        }
    }
}

#[test]
#[should_panic(expected = "no action is possible")]
fn a_row_without_a_possible_action_panics() {
    log_softmax(&[MASKED, MASKED]);
}

#[test]
#[should_panic(expected = "no action is possible")]
fn an_empty_row_panics() {
    log_softmax(&[]);
}

fn gradient_is_that_of_the_forward(backward: Backward, logits: &[f64], upstream: &[f64]) -> Result<(), String> {
    let loss = |logits: &[f64]| log_softmax(logits).iter().zip(upstream).map(|(l, g)| l * g).sum();
    let mut grad_logits = vec![f64::NAN; logits.len()];
    backward(&log_softmax(logits), upstream, &mut grad_logits);
    gradient::check(loss, logits, &grad_logits)
}

/// Negative control.
#[test]
fn a_sabotaged_log_softmax_backward_is_caught() {
    let forgets_the_normaliser: Backward = |_, upstream, grad_logits| grad_logits.copy_from_slice(upstream);
    let forgets_a_minus: Backward = |log_probs, upstream, grad_logits| {
        log_softmax_backward(log_probs, upstream, grad_logits);
        grad_logits.iter_mut().for_each(|grad| *grad = -*grad);
    };
    let takes_log_probs_for_probs: Backward = |log_probs, upstream, grad_logits| {
        let sum: f64 = upstream.iter().sum();
        for i in 0..log_probs.len() {
            grad_logits[i] = upstream[i] - log_probs[i] * sum;
        }
    };
    let (logits, upstream) = ([0.3, -1.2, 2.0], [1.0, 0.5, -0.25]);
    gradient_is_that_of_the_forward(log_softmax_backward, &logits, &upstream).unwrap();
    for sabotaged in [forgets_the_normaliser, forgets_a_minus, takes_log_probs_for_probs] {
        gradient_is_that_of_the_forward(sabotaged, &logits, &upstream).unwrap_err();
    }
}

#[test]
fn a_masked_action_has_no_gradient_and_no_effect_on_the_others() {
    let log_probs = log_softmax(&[0.5, MASKED, -1.0]);
    let with = |upstream: f64| backward(|grad| log_softmax_backward(&log_probs, &[1.0, upstream, 2.0], grad), 3);
    let without = backward(|grad| log_softmax_backward(&log_softmax(&[0.5, -1.0]), &[1.0, 2.0], grad), 2);
    for upstream in [0.0, 1e300, f64::INFINITY, f64::NAN] {
        assert_eq!(with(upstream), [without[0], 0.0, without[1]]);
    }
}

#[test]
fn a_nan_gradient_that_is_not_masked_is_not_hidden() {
    let grad = backward(|grad| log_softmax_backward(&log_softmax(&[0.0, 1.0]), &[f64::NAN, 0.0], grad), 2);
    assert!(grad.iter().all(|grad| grad.is_nan()));
    let grad = backward(|grad| log_softmax_backward(&[f64::NAN, f64::NAN], &[1.0, 0.0], grad), 2);
    assert!(grad.iter().all(|grad| grad.is_nan()));
}

fn row() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-20.0..20.0, 1..12)
}

proptest! {
    #[test]
    fn log_softmax_equals_definition(logits in row()) {
        let log_sum = logits.iter().map(|x| x.exp()).sum::<f64>().ln();
        let log_probs = log_softmax(&logits);
        assert_close(&log_probs, &logits.iter().map(|x| x - log_sum).collect::<Vec<_>>(), 1e-13);
        prop_assert!((log_probs.iter().map(|l| l.exp()).sum::<f64>() - 1.0).abs() < 1e-13);
    }

    #[test]
    fn log_softmax_ignores_a_shift(logits in row(), shift in -1e6..1e6_f64) {
        let shifted: Vec<_> = logits.iter().map(|x| x + shift).collect();
        // What the shift itself rounds away: half an ulp of 1e6, on both sides of a difference.
        assert_close(&log_softmax(&shifted), &log_softmax(&logits), 4e-10);
    }

    #[test]
    fn log_softmax_commutes_with_a_permutation(logits in row(), by in 0..12_usize) {
        let rotate = |mut row: Vec<f64>| { let by = by % row.len(); row.rotate_left(by); row };
        assert_close(&log_softmax(&rotate(logits.clone())), &rotate(log_softmax(&logits)), 1e-14);
    }

    #[test]
    fn log_softmax_backward_equals_central_differences(
        pairs in prop::collection::vec((-5.0..5.0, -2.0..2.0), 1..12),
    ) {
        let (logits, upstream): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        gradient_is_that_of_the_forward(log_softmax_backward, &logits, &upstream).unwrap();
    }
}
