//! Every backward kernel of the reference against central differences, through a random linear functional of what the
//! forward kernel gives.

use aprm_conformance::naive::{attention, gather_rows, linear, losses, policy, relu, rms_norm, rope, swiglu};
use aprm_core::backend::{
    AttentionDims, ClassDims, LinearDims, NormDims, PolicyGradients, PolicyStatistics, RopeDims, RowDims, SwigluDims,
    VocabDims,
};
use aprm_core::ppo::{ClipRange, clipped_surrogate};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Numbers in (−1, 1), the same for the same seed.
fn numbers(len: usize, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len());
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// Whether `gradient` is that of `f` at `x`, relative to its largest entry.
fn is_gradient(gradient: &[f64], x: &[f64], f: impl Fn(&[f64]) -> f64) -> Result<(), String> {
    const STEP: f64 = 1e-5;
    assert_eq!(gradient.len(), x.len());
    let largest = gradient.iter().fold(0.0_f64, |max, g| max.max(g.abs()));
    for (i, &gradient) in gradient.iter().enumerate() {
        let at = |step| {
            let mut x = x.to_vec();
            x[i] += step;
            f(&x)
        };
        let difference = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        let close = (difference - gradient).abs() <= 1e-6 * largest;
        if !close {
            return Err(format!("entry {i}: the gradient is {gradient}, the difference {difference}"));
        }
    }
    Ok(())
}

/// Negative control.
#[test]
fn what_is_no_gradient_is_rejected() {
    let cubes = |x: &[f64]| x.iter().map(|x| x * x * x).sum::<f64>();
    is_gradient(&[3.0, 12.0], &[1.0, -2.0], cubes).unwrap();
    for wrong in [[3.0001, 12.0], [3.0, 0.0], [-3.0, -12.0], [f64::NAN, 12.0]] {
        is_gradient(&wrong, &[1.0, -2.0], cubes).unwrap_err();
    }
}

#[test]
fn gather_rows_gradient() {
    let dims = RowDims { rows: 5, table_rows: 4, channels: 3 };
    let (table, indices, grad_out) = (numbers(12, 0), [2, 0, 2, 3, 2], numbers(15, 1));
    let mut grad_table = [0.0; 12];
    gather_rows::backward(dims, &grad_out, &indices, &mut grad_table);
    is_gradient(&grad_table, &table, |table| {
        let mut out = [f64::NAN; 15];
        gather_rows::forward(dims, table, &indices, &mut out);
        dot(&out, &grad_out)
    })
    .unwrap();
}

#[test]
fn linear_gradient() {
    let dims = LinearDims { rows: 4, inputs: 3, outputs: 5, accumulate: false };
    let (x, weight, bias, grad_out) = (numbers(12, 0), numbers(15, 1), numbers(5, 2), numbers(20, 3));
    let (mut grad_x, mut grad_weight, mut grad_bias) = ([f64::NAN; 12], [0.0; 15], [0.0; 5]);
    linear::backward_input(dims, &grad_out, &weight, &mut grad_x);
    linear::backward_weight(dims, &x, &grad_out, &mut grad_weight, Some(&mut grad_bias));
    let f = |x: &[f64], weight: &[f64], bias: &[f64]| {
        let mut out = [f64::NAN; 20];
        linear::forward(dims, x, weight, Some(bias), &mut out);
        dot(&out, &grad_out)
    };
    is_gradient(&grad_x, &x, |x| f(x, &weight, &bias)).unwrap();
    is_gradient(&grad_weight, &weight, |weight| f(&x, weight, &bias)).unwrap();
    is_gradient(&grad_bias, &bias, |bias| f(&x, &weight, bias)).unwrap();
}

#[test]
fn rms_norm_gradient() {
    let dims = NormDims { rows: 3, stride: 11, offset: 1, groups: 2, channels: 4, epsilon: 0.1, accumulate: false };
    let (x, weight, grad_out) = (numbers(33, 0), numbers(4, 1), numbers(33, 2));
    let forward = |x: &[f64], weight: &[f64]| {
        let (mut out, mut rstd) = ([0.0; 33], [f64::NAN; 6]);
        rms_norm::forward(dims, x, weight, &mut out, &mut rstd);
        (dot(&out, &grad_out), rstd)
    };
    let (mut grad_x, mut grad_weight) = ([0.0; 33], [0.0; 4]);
    rms_norm::backward(dims, &x, &weight, &forward(&x, &weight).1, &grad_out, &mut grad_x, &mut grad_weight);
    is_gradient(&grad_x, &x, |x| forward(x, &weight).0).unwrap();
    is_gradient(&grad_weight, &weight, |weight| forward(&x, weight).0).unwrap();
}

#[test]
fn rope_gradient() {
    let dims = RopeDims { rows: 3, stride: 9, heads: 2, head_dim: 4 };
    let angles = numbers(10, 0);
    let (cos, sin): (Vec<f64>, Vec<f64>) = angles.iter().map(|angle| (angle.cos(), angle.sin())).unzip();
    let (x, grad_out, positions) = (numbers(27, 1), numbers(27, 2), [4, 0, 1]);
    let mut grad_x = grad_out.clone();
    rope::backward(dims, &positions, &cos, &sin, &mut grad_x);
    is_gradient(&grad_x, &x, |x| {
        let mut out = x.to_vec();
        rope::forward(dims, &positions, &cos, &sin, &mut out);
        dot(&out, &grad_out)
    })
    .unwrap();
}

#[test]
fn attention_gradient() {
    let offsets = [0, 1, 1, 5, 8];
    for (heads, kv_heads, head_dim) in [(1, 1, 2), (4, 2, 3), (4, 1, 2)] {
        let dims = AttentionDims { heads, kv_heads, head_dim };
        let (qkv, grad_out) = (numbers(8 * dims.qkv_width(), 0), numbers(8 * heads * head_dim, 1));
        let forward = |qkv: &[f64]| {
            let (mut out, mut log_sum_exp) = (vec![f64::NAN; 8 * heads * head_dim], vec![f64::NAN; 8 * heads]);
            attention::forward(dims, &offsets, qkv, &mut out, &mut log_sum_exp);
            (out, log_sum_exp)
        };
        let (out, log_sum_exp) = forward(&qkv);
        let mut grad_qkv = vec![f64::NAN; qkv.len()];
        attention::backward(dims, &offsets, &qkv, &out, &log_sum_exp, &grad_out, &mut grad_qkv);
        is_gradient(&grad_qkv, &qkv, |qkv| dot(&forward(qkv).0, &grad_out)).unwrap();
    }
}

#[test]
fn swiglu_gradient() {
    let dims = SwigluDims { rows: 3, channels: 5 };
    let gate_up: Vec<f64> = numbers(30, 0).iter().map(|x| 4.0 * x).collect();
    let grad_out = numbers(15, 1);
    let mut grad_gate_up = [f64::NAN; 30];
    swiglu::backward(dims, &gate_up, &grad_out, &mut grad_gate_up);
    is_gradient(&grad_gate_up, &gate_up, |gate_up| {
        let mut out = [f64::NAN; 15];
        swiglu::forward(dims, gate_up, &mut out);
        dot(&out, &grad_out)
    })
    .unwrap();
}

#[test]
fn relu_gradient() {
    let (x, mut grad) = (numbers(9, 0), numbers(9, 1));
    let forward = |x: &[f64]| {
        let mut out = x.to_vec();
        relu::forward(9, &mut out);
        out
    };
    let grad_out = grad.clone();
    relu::backward(9, &forward(&x), &mut grad);
    assert!(x.iter().any(|&x| x < 0.0) && x.iter().any(|&x| x > 0.0));
    is_gradient(&grad, &x, |x| dot(&forward(x), &grad_out)).unwrap();
}

#[test]
fn policy_gradient() {
    let dims = VocabDims { rows: 3, vocab: 7 };
    let (mut logits, ref_logits, targets) = (numbers(21, 0), numbers(21, 1), [6, 0, 3]);
    logits[9] = f64::NEG_INFINITY;
    for ref_logits in [None, Some(&ref_logits[..])] {
        let gradients = PolicyGradients { log_prob: numbers(3, 2), entropy: numbers(3, 3), kl: numbers(3, 4) };
        let forward = |logits: &[f64]| {
            let [log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp] = [(); 5].map(|()| vec![f64::NAN; 3]);
            let mut statistics = PolicyStatistics { log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp };
            policy::forward(dims, logits, ref_logits, &targets, &mut statistics);
            statistics
        };
        let mut grad_logits = logits.clone();
        policy::backward(dims, ref_logits, &targets, &forward(&logits), &gradients, &mut grad_logits);
        is_gradient(&grad_logits, &logits, |logits| {
            let PolicyStatistics { log_prob, entropy, kl, .. } = forward(logits);
            dot(&log_prob, &gradients.log_prob) + dot(&entropy, &gradients.entropy) + dot(&kl, &gradients.kl)
        })
        .unwrap();
    }
}

#[test]
fn clipped_surrogate_gradient() {
    let clip_range = ClipRange { low: 0.2, high: 0.3 };
    let (old_log_prob, advantages) = (numbers(6, 0), numbers(6, 1));
    // On both sides of both ends.
    let log_prob: Vec<f64> =
        old_log_prob.iter().zip([0.0, 0.1, 0.5, -0.5, -0.1, 0.4]).map(|(old, by)| old + by).collect();
    let mut grad = [f64::NAN; 6];
    losses::clipped_surrogate(6, clip_range, &log_prob, &old_log_prob, &advantages, &mut grad);
    is_gradient(&grad, &log_prob, |log_prob| {
        let tokens = log_prob.iter().zip(&old_log_prob).zip(&advantages);
        tokens.map(|((&log_prob, &old), &advantage)| clipped_surrogate(log_prob, old, advantage, clip_range).0).sum()
    })
    .unwrap();
}

#[test]
fn soft_cross_entropy_gradient() {
    let dims = ClassDims { rows: 4, classes: 3 };
    let (logits, labels, weights) = (numbers(12, 0), numbers(12, 1), numbers(4, 2));
    let forward = |logits: &[f64]| {
        let (mut loss, mut grad_logits) = ([f64::NAN; 4], [f64::NAN; 12]);
        losses::soft_cross_entropy(dims, logits, &labels, &weights, &mut loss, &mut grad_logits);
        (loss.iter().sum::<f64>(), grad_logits)
    };
    is_gradient(&forward(&logits).1, &logits, |logits| forward(logits).0).unwrap();
}

#[test]
fn squared_error_gradient() {
    let (predictions, targets, weights) = (numbers(6, 0), numbers(6, 1), numbers(6, 2));
    let forward = |predictions: &[f64]| {
        let (mut loss, mut grad) = ([f64::NAN; 6], [f64::NAN; 6]);
        losses::squared_error(6, predictions, &targets, &weights, &mut loss, &mut grad);
        (loss.iter().sum::<f64>(), grad)
    };
    is_gradient(&forward(&predictions).1, &predictions, |predictions| forward(predictions).0).unwrap();
}
