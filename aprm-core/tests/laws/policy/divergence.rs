//! Entropy, divergences and their one-sample estimates.

use aprm_core::policy::kl_estimate::{k1, k1_backward, k2, k2_backward, k3, k3_backward};
use aprm_core::policy::{
    MAX_LOG_RATIO, entropy, entropy_backward, kl_divergence, kl_divergence_backward_p, kl_divergence_backward_q,
    log_softmax_backward, symmetric_kl, symmetric_kl_backward,
};
use proptest::prelude::*;

use super::{assert_close, backward, log_softmax};
use crate::gradient;

type Entropy = fn(&[f64]) -> f64;
type Divergence = fn(&[f64], &[f64]) -> f64;
type Estimate = fn(f64, f64) -> f64;
type EstimateBackward = fn(f64, f64, f64) -> f64;

const MASKED: f64 = f64::NEG_INFINITY;

fn logs<const N: usize>(probs: [f64; N]) -> [f64; N] {
    probs.map(f64::ln)
}

fn entropy_known_answers_hold(entropy: Entropy) -> Result<(), String> {
    let cases: [(&[f64], f64); 4] = [
        (&[0.0], 0.0),
        (&logs([1.0, 0.0, 0.0]), 0.0),
        (&logs([0.25; 4]), 4.0_f64.ln()),
        (&logs([0.5, 0.25, 0.25, 0.0]), 1.5 * 2.0_f64.ln()),
    ];
    for (log_probs, expected) in cases {
        let actual = entropy(log_probs);
        if actual.is_nan() || (actual - expected).abs() > 1e-15 {
            return Err(format!("{actual} is not {expected}"));
        }
    }
    Ok(())
}

#[test]
fn entropy_known_answers() {
    entropy_known_answers_hold(entropy).unwrap();
    assert_eq!(entropy(&log_softmax(&[1e30, -1e30])), 0.0);
    assert!(entropy(&[f64::NAN, -1.0]).is_nan());
}

/// Negative control.
#[test]
fn a_sabotaged_entropy_is_caught() {
    let forgets_the_minus: Entropy = |log_probs| -entropy(log_probs);
    let counts_bits: Entropy = |log_probs| entropy(log_probs) / 2.0_f64.ln();
    let spoiled_by_zero: Entropy = |log_probs| -log_probs.iter().map(|l| l.exp() * l).sum::<f64>();
    for sabotaged in [forgets_the_minus, counts_bits, spoiled_by_zero] {
        entropy_known_answers_hold(sabotaged).unwrap_err();
    }
}

fn divergence_known_answers_hold(divergence: Divergence) -> Result<(), String> {
    let half = logs([0.5, 0.5]);
    let cases = [
        (half, half, 0.0),
        (half, logs([0.25, 0.75]), 0.5 * (4.0_f64 / 3.0).ln()),
        (logs([0.25, 0.75]), half, 0.75 * 3.0_f64.ln() - 2.0_f64.ln()),
        (logs([1.0, 0.0]), half, 2.0_f64.ln()),
        (half, logs([1.0, 0.0]), f64::INFINITY),
        (logs([1.0, 0.0]), logs([1.0, 0.0]), 0.0),
    ];
    for (p, q, expected) in cases {
        let actual = divergence(&p, &q);
        if actual != expected && (actual - expected).abs().total_cmp(&1e-15).is_gt() {
            return Err(format!("{actual} is not {expected}"));
        }
    }
    Ok(())
}

#[test]
fn kl_divergence_known_answers() {
    divergence_known_answers_hold(kl_divergence).unwrap();
}

/// Negative control.
#[test]
fn a_sabotaged_kl_divergence_is_caught() {
    let arguments_swapped: Divergence = |p, q| kl_divergence(q, p);
    let forgets_a_minus: Divergence = |p, q| -kl_divergence(p, q);
    let spoiled_by_zero: Divergence = |p, q| p.iter().zip(q).map(|(p, q)| p.exp() * (p - q)).sum();
    for sabotaged in [arguments_swapped, forgets_a_minus, symmetric_kl, spoiled_by_zero] {
        divergence_known_answers_hold(sabotaged).unwrap_err();
    }
}

#[test]
fn what_a_zero_probability_meets_has_no_effect() {
    let p = log_softmax(&[0.0, MASKED, 1.0]);
    let q = |masked: f64| [-0.5, masked, -1.5];
    for masked in [MASKED, f64::NAN, f64::INFINITY] {
        assert_eq!(kl_divergence(&p, &q(masked)), kl_divergence(&p, &q(-1.0)));
        let grad = backward(|grad| kl_divergence_backward_p(&p, &q(masked), 1.0, grad), 3);
        assert_eq!(grad, backward(|grad| kl_divergence_backward_p(&p, &q(-1.0), 1.0, grad), 3));
        assert_eq!(grad[1], 0.0);
    }
    assert_eq!(backward(|grad| symmetric_kl_backward(&p, &q(f64::NAN), 1.0, grad), 3)[1], 0.0);
    assert_eq!(backward(|grad| kl_divergence_backward_q(&q(f64::NAN), &p, 1.0, grad), 3)[1], 0.0);
    assert_eq!(backward(|grad| entropy_backward(&p, 1.0, grad), 3)[1], 0.0);
    assert!(kl_divergence(&q(0.0), &[f64::NAN; 3]).is_nan());
}

fn estimate_is_unbiased(estimate: Estimate, p: &[f64], q: &[f64]) -> Result<(), String> {
    let expected = kl_divergence(p, q);
    let actual: f64 = p.iter().zip(q).map(|(&p, &q)| p.exp() * estimate(p, q)).sum();
    if (actual - expected).abs() > 1e-12 { Err(format!("{actual} is not {expected}")) } else { Ok(()) }
}

#[test]
fn k1_and_k3_are_unbiased_and_k2_is_not() {
    let (p, q) = (logs([0.2, 0.5, 0.3]), logs([0.6, 0.3, 0.1]));
    estimate_is_unbiased(k1, &p, &q).unwrap();
    estimate_is_unbiased(k3, &p, &q).unwrap();
    estimate_is_unbiased(k2, &p, &q).unwrap_err();
}

/// Negative control.
#[test]
fn a_sabotaged_estimate_is_caught() {
    let (p, q) = (logs([0.2, 0.5, 0.3]), logs([0.6, 0.3, 0.1]));
    let k3_of_the_inverse_ratio: Estimate = |log_prob, ref_log_prob| k3(ref_log_prob, log_prob);
    let k3_with_the_wrong_sign: Estimate = |log_prob, ref_log_prob| {
        let log_ratio = ref_log_prob - log_prob;
        log_ratio.exp_m1() + log_ratio
    };
    let k1_forgets_the_minus: Estimate = |log_prob, ref_log_prob| ref_log_prob - log_prob;
    for sabotaged in [k3_of_the_inverse_ratio, k3_with_the_wrong_sign, k1_forgets_the_minus] {
        estimate_is_unbiased(sabotaged, &p, &q).unwrap_err();
    }
}

#[test]
fn kl_estimate_known_answers() {
    assert_eq!(k1(-0.5, -0.75), 0.25);
    assert_eq!(k2(-0.5, -0.75), 0.03125);
    assert!((k3(-0.1, 0.0) - 0.005_170_918_075_647_7_f64).abs() < 1e-15);
    assert_eq!((k1(-2.0, -2.0), k2(-2.0, -2.0), k3(-2.0, -2.0)), (0.0, 0.0, 0.0));
}

#[test]
fn k3_is_never_negative_in_f32() {
    for exponent in -140..5 {
        for mantissa in 0..64 {
            let log_ratio = (1.0 + mantissa as f32 / 64.0) * 2.0_f32.powi(exponent);
            assert!(k3(0.0, log_ratio) >= 0.0 && k3(log_ratio, 0.0) >= 0.0, "{log_ratio}");
        }
    }
}

#[test]
fn k3_is_bounded_where_exp_would_overflow() {
    for log_ratio in [21.0, 100.0, 1e4, f64::INFINITY] {
        assert_eq!(k3(-log_ratio, 0.0), MAX_LOG_RATIO.exp_m1() - MAX_LOG_RATIO);
        assert_eq!(k3_backward(-log_ratio, 0.0, 1.0), 0.0);
        assert!(k3(-log_ratio as f32, 0.0).is_finite());
    }
    assert_eq!((k3(0.0, -100.0), k3_backward(0.0, -100.0, 1.0)), (99.0, 1.0));
    assert!(k3(f64::NAN, 0.0).is_nan() && k3_backward(0.0, f64::NAN, 1.0).is_nan());
}

/// E[∇k1] = 0, E[∇k2] = ∇KL(p ‖ q), E[∇k3] = ∇KL(q ‖ p), each with respect to the logits of p.
#[test]
fn expected_gradients_of_the_estimates() {
    let (logits, q) = ([0.3, -1.0, 0.8], logs([0.6, 0.3, 0.1]));
    let p = log_softmax(&logits);
    let expected_gradient = |estimate_backward: EstimateBackward| {
        let upstream: Vec<_> = (0..3).map(|a| p[a].exp() * estimate_backward(p[a], q[a], 1.0)).collect();
        backward(|grad| log_softmax_backward(&p, &upstream, grad), 3)
    };
    assert_close(&expected_gradient(k1_backward), &[0.0; 3], 1e-15);
    let kl = backward(|grad| kl_divergence_backward_p(&p, &q, 1.0, grad), 3);
    assert_close(&expected_gradient(k2_backward), &kl, 1e-15);
    let reverse_kl = backward(|grad| kl_divergence_backward_q(&q, &p, 1.0, grad), 3);
    assert_close(&expected_gradient(k3_backward), &reverse_kl, 1e-15);
}

fn two_rows() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    prop::collection::vec((-4.0..4.0, -4.0..4.0), 1..10).prop_map(|pairs| pairs.into_iter().unzip())
}

proptest! {
    #[test]
    fn kl_to_uniform_is_missing_entropy((logits, _) in two_rows()) {
        let p = log_softmax(&logits);
        let uniform = vec![-(p.len() as f64).ln(); p.len()];
        prop_assert!((kl_divergence(&p, &uniform) + entropy(&p) - (p.len() as f64).ln()).abs() < 1e-13);
    }

    #[test]
    fn divergences_are_not_negative((x, y) in two_rows()) {
        let (p, q) = (log_softmax(&x), log_softmax(&y));
        prop_assert!(kl_divergence(&p, &q) >= -1e-15);
        prop_assert_eq!(symmetric_kl(&p, &q), symmetric_kl(&q, &p));
        prop_assert_eq!(symmetric_kl(&p, &q), kl_divergence(&p, &q) + kl_divergence(&q, &p));
        prop_assert!(p.iter().zip(&q).all(|(&p, &q)| k3(p, q) >= 0.0 && k2(p, q) >= 0.0));
        estimate_is_unbiased(k1, &p, &q).unwrap();
        estimate_is_unbiased(k3, &p, &q).unwrap();
    }

    #[test]
    fn entropy_backward_equals_central_differences((x, _) in two_rows(), upstream in -2.0..2.0_f64) {
        let grad = backward(|grad| entropy_backward(&log_softmax(&x), upstream, grad), x.len());
        gradient::check(|x| upstream * entropy(&log_softmax(x)), &x, &grad).unwrap();
    }

    #[test]
    fn kl_divergence_backward_equals_central_differences((x, y) in two_rows(), upstream in -2.0..2.0_f64) {
        let (p, q) = (log_softmax(&x), log_softmax(&y));
        let grad = backward(|grad| kl_divergence_backward_p(&p, &q, upstream, grad), x.len());
        gradient::check(|x| upstream * kl_divergence(&log_softmax(x), &q), &x, &grad).unwrap();
        let grad = backward(|grad| kl_divergence_backward_q(&p, &q, upstream, grad), y.len());
        gradient::check(|y| upstream * kl_divergence(&p, &log_softmax(y)), &y, &grad).unwrap();
        let grad = backward(|grad| symmetric_kl_backward(&p, &q, upstream, grad), x.len());
        gradient::check(|x| upstream * symmetric_kl(&log_softmax(x), &q), &x, &grad).unwrap();
    }

    #[test]
    fn kl_estimate_backward_equals_central_differences(log_prob in -10.0..0.0_f64, ref_log_prob in -10.0..0.0_f64) {
        let estimates: [(Estimate, EstimateBackward); 3] = [(k1, k1_backward), (k2, k2_backward), (k3, k3_backward)];
        for (estimate, backward) in estimates {
            let grad = backward(log_prob, ref_log_prob, 2.0);
            gradient::check(|x| 2.0 * estimate(x[0], ref_log_prob), &[log_prob], &[grad]).unwrap();
        }
    }
}
