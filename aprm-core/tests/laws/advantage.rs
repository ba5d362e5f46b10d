//! Baselines, progress and whitening against their definitions.

use aprm_core::advantage::{GroupScale, best_of_k_value, group_normalized, leave_one_out, process_advantage, whiten};
use aprm_core::policy::log_softmax_forward;
use proptest::prelude::*;

type Baseline = fn(&[f64], usize, &mut [f64]);
type Whiten = fn(&[f64], &[bool], bool, &mut [f64]);

/// Values, mask, `shift_mean` and what comes out.
type Whitening<'a> = (&'a [f64], &'a [bool], bool, &'a [f64]);

fn group(baseline: impl Fn(&[f64], usize, &mut [f64]), rewards: &[f64], group_size: usize) -> Vec<f64> {
    let mut advantages = vec![f64::NAN; rewards.len()];
    baseline(rewards, group_size, &mut advantages);
    advantages
}

fn whitened(whiten: Whiten, values: &[f64], mask: &[bool], shift_mean: bool) -> Vec<f64> {
    let mut whitened = vec![f64::NAN; values.len()];
    whiten(values, mask, shift_mean, &mut whitened);
    whitened
}

fn is_close(actual: &[f64], expected: &[f64]) -> bool {
    actual.len() == expected.len() && actual.iter().zip(expected).all(|(a, e)| (a - e).abs() <= 1e-12 * (1.0 + e.abs()))
}

/// E over all groups of the mean of A_i ∇ log π(a_i) is ∇ E[r], for a softmax policy over three actions.
fn policy_gradient_is_unbiased(baseline: Baseline, group_size: usize) -> Result<(), String> {
    let reward = [1.0, -0.5, 3.0];
    let mut log_probs = [f64::NAN; 3];
    log_softmax_forward(&[0.2, 1.0, -0.7], &mut log_probs);
    let p = log_probs.map(f64::exp);
    let mean_reward: f64 = (0..3).map(|a| p[a] * reward[a]).sum();
    let expected: Vec<f64> = (0..3).map(|a| p[a] * (reward[a] - mean_reward)).collect();

    let mut gradient = vec![0.0; 3];
    for group_index in 0..3_usize.pow(group_size as u32) {
        let actions: Vec<usize> = (0..group_size).map(|i| group_index / 3_usize.pow(i as u32) % 3).collect();
        let rewards: Vec<f64> = actions.iter().map(|&a| reward[a]).collect();
        let probability: f64 = actions.iter().map(|&a| p[a]).product();
        for (&action, advantage) in actions.iter().zip(group(baseline, &rewards, group_size)) {
            for b in 0..3 {
                let score = f64::from(b == action) - p[b];
                gradient[b] += probability * advantage * score / group_size as f64;
            }
        }
    }
    if is_close(&gradient, &expected) { Ok(()) } else { Err(format!("{gradient:?} is not {expected:?}")) }
}

#[test]
fn leave_one_out_is_unbiased() {
    for group_size in 2..=5 {
        policy_gradient_is_unbiased(leave_one_out, group_size).unwrap();
    }
}

/// Negative control.
#[test]
fn a_sabotaged_leave_one_out_is_caught() {
    let includes_itself: Baseline = |rewards, size, out| group_normalized(rewards, size, GroupScale::None, out);
    let divides_by_the_deviation: Baseline =
        |rewards, size, out| group_normalized(rewards, size, GroupScale::StandardDeviation, out);
    let forgets_the_minus: Baseline = |rewards, size, out| {
        leave_one_out(rewards, size, out);
        out.iter_mut().for_each(|advantage| *advantage = -*advantage);
    };
    for sabotaged in [includes_itself, divides_by_the_deviation, forgets_the_minus] {
        policy_gradient_is_unbiased(sabotaged, 3).unwrap_err();
    }
}

#[test]
fn leave_one_out_known_answers() {
    assert_eq!(group(leave_one_out, &[1.0, 0.0, 5.0, 2.0], 2), [1.0, -1.0, 3.0, -3.0]);
    assert!(is_close(&group(leave_one_out, &[1.0, 2.0, 6.0], 3), &[-3.0, -1.5, 4.5]));
    assert_eq!(group(leave_one_out, &[0.1; 6], 3), [0.0; 6]);
    assert_eq!(group(leave_one_out, &[], 3), [0.0; 0]);
}

#[test]
#[should_panic(expected = "groups of 1")]
fn a_group_of_one_leaves_nobody() {
    group(leave_one_out, &[1.0], 1);
}

#[test]
#[should_panic(expected = "3 rewards in groups of 2")]
fn a_group_that_is_not_full_panics() {
    group(leave_one_out, &[1.0, 2.0, 3.0], 2);
}

#[test]
fn group_normalized_known_answers() {
    let grpo: Baseline = |rewards, size, out| group_normalized(rewards, size, GroupScale::StandardDeviation, out);
    let dr_grpo: Baseline = |rewards, size, out| group_normalized(rewards, size, GroupScale::None, out);
    assert_eq!(group(grpo, &[1.0, 0.0, 0.0, 1.0, 7.0, 3.0], 2), [1.0, -1.0, -1.0, 1.0, 1.0, -1.0]);
    assert!(is_close(&group(grpo, &[1.0, 2.0, 3.0, 4.0], 4), &[-3.0, -1.0, 1.0, 3.0].map(|x| x / 5.0_f64.sqrt())));
    assert_eq!(group(grpo, &[0.1; 6], 3), [0.0; 6]);
    assert_eq!(group(grpo, &[4.0, 9.0], 1), [0.0, 0.0]);
    assert_eq!(group(dr_grpo, &[1.0, 0.0, 0.0, 1.0, 7.0, 3.0], 2), [0.5, -0.5, -0.5, 0.5, 2.0, -2.0]);
}

#[test]
fn process_advantage_known_answers() {
    let mut advantages = [f64::NAN; 3];
    process_advantage(&[0.25, 1.0, 0.5, 0.5], &mut advantages);
    assert_eq!(advantages, [0.75, -0.5, 0.0]);
    process_advantage(&[0.25], &mut [0.0; 0]);
}

#[test]
#[should_panic(expected = "one entry more")]
fn process_advantage_needs_the_value_of_the_bare_problem() {
    process_advantage(&[0.25], &mut [0.0]);
}

#[test]
fn best_of_k_value_known_answers() {
    assert_eq!((best_of_k_value(0.0, 4), best_of_k_value(1.0, 4)), (0.0, 1.0));
    assert!((best_of_k_value(0.5, 3) - 0.875_f64).abs() < 1e-15);
    // 1 − (1 − Q)^4 computed as written has no digits left here.
    assert!((best_of_k_value(1e-18, 4) / 4e-18 - 1.0_f64).abs() < 1e-15);
    assert!(best_of_k_value(1.5_f64, 2).is_nan() && best_of_k_value(f64::NAN, 2).is_nan());
}

fn whitening_known_answers_hold(whiten: Whiten) -> Result<(), String> {
    let all = [true; 4];
    let some = [true, false, true, false];
    let root = 5.0_f64.sqrt();
    let cases: [Whitening; 7] = [
        (&[1.0, 2.0, 3.0, 4.0], &all, true, &[-3.0 / root, -1.0 / root, 1.0 / root, 3.0 / root]),
        (&[3.0, 1e6, 7.0, f64::NAN], &some, true, &[-1.0, 0.0, 1.0, 0.0]),
        (&[3.0, 1e6, 7.0, f64::NAN], &some, false, &[4.0, 0.0, 6.0, 0.0]),
        (&[0.1, 0.1, 0.1, 0.1], &all, true, &[0.0; 4]),
        (&[0.1, 5.0, 0.1, 5.0], &some, false, &[0.1, 0.0, 0.1, 0.0]),
        (&[f64::NAN, f64::INFINITY], &[false, false], true, &[0.0, 0.0]),
        (&[], &[], true, &[]),
    ];
    for (values, mask, shift_mean, expected) in cases {
        let actual = whitened(whiten, values, mask, shift_mean);
        if !is_close(&actual, expected) {
            return Err(format!("{actual:?} is not {expected:?}"));
        }
    }
    Ok(())
}

#[test]
fn whiten_known_answers() {
    whitening_known_answers_hold(whiten).unwrap();
}

/// Negative control.
#[test]
fn a_sabotaged_whitening_is_caught() {
    let counts_the_masked: Whiten = |values, mask, shift_mean, out| {
        let filled: Vec<f64> = values.iter().zip(mask).map(|(&x, &kept)| if kept { x } else { 0.0 }).collect();
        whiten(&filled, &vec![true; mask.len()], shift_mean, out);
        out.iter_mut().zip(mask).for_each(|(y, &kept)| *y = if kept { *y } else { 0.0 });
    };
    let divides_by_one_less: Whiten = |values, mask, shift_mean, out| {
        whiten(values, mask, shift_mean, out);
        let n = mask.iter().filter(|&&kept| kept).count() as f64;
        out.iter_mut().for_each(|y| *y *= ((n - 1.0) / n).max(0.0).sqrt());
    };
    let multiplies_by_the_mask: Whiten = |values, mask, shift_mean, out| {
        whiten(values, mask, shift_mean, out);
        out.iter_mut().zip(values).zip(mask).for_each(|((y, x), &kept)| *y += x * f64::from(!kept) * 0.0);
    };
    let always_shifts: Whiten = |values, mask, _, out| whiten(values, mask, true, out);
    for sabotaged in [counts_the_masked, divides_by_one_less, multiplies_by_the_mask, always_shifts] {
        whitening_known_answers_hold(sabotaged).unwrap_err();
    }
}

#[test]
fn a_nan_that_is_not_masked_spoils_the_whitening() {
    assert!(whitened(whiten, &[1.0, f64::NAN, 2.0], &[true; 3], true).iter().all(|y| y.is_nan()));
}

#[test]
fn whitening_a_million_f32_keeps_mean_and_variance() {
    let values: Vec<f32> = (0..1_000_000_u64).map(|i| (i * 7919 % 10_007) as f32 / 100.0).collect();
    let mut whitened = vec![f32::NAN; values.len()];
    whiten(&values, &vec![true; values.len()], true, &mut whitened);
    let mean = whitened.iter().map(|&y| f64::from(y)).sum::<f64>() / 1e6;
    let square = whitened.iter().map(|&y| f64::from(y).powi(2)).sum::<f64>() / 1e6;
    assert!(mean.abs() < 1e-6 && (square - 1.0).abs() < 1e-6, "mean {mean}, variance {square}");
}

fn groups() -> impl Strategy<Value = (usize, Vec<f64>)> {
    (2..8_usize, 1..5_usize).prop_flat_map(|(size, count)| (Just(size), prop::collection::vec(-5.0..5.0, size * count)))
}

fn masked_values() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
    prop::collection::vec((-5.0..5.0, any::<bool>()), 1..40).prop_map(|pairs| pairs.into_iter().unzip())
}

/// Their squares are outside of `f32`, they are not.
#[test]
fn whiten_reaches_to_the_ends_of_f32() {
    let mut whitened = [f32::NAN; 2];
    for magnitude in [1e-30, 1.0, 1e30_f32] {
        whiten(&[-magnitude, magnitude], &[true; 2], true, &mut whitened);
        assert_eq!(whitened, [-1.0, 1.0]);
    }
}

proptest! {
    #[test]
    fn leave_one_out_equals_definition((size, rewards) in groups()) {
        let definition: Vec<f64> = (0..rewards.len()).map(|i| {
            let members = i / size * size..(i / size + 1) * size;
            rewards[i] - members.filter(|&j| j != i).map(|j| rewards[j]).sum::<f64>() / (size - 1) as f64
        }).collect();
        prop_assert!(is_close(&group(leave_one_out, &rewards, size), &definition));
    }

    #[test]
    fn leave_one_out_ignores_a_shift_and_the_order((size, rewards) in groups(), shift in -100.0..100.0_f64) {
        let advantages = group(leave_one_out, &rewards, size);
        let shifted: Vec<f64> = rewards.iter().map(|reward| reward + shift).collect();
        let backwards: Vec<f64> = rewards.iter().rev().copied().collect();
        let reversed: Vec<f64> = advantages.iter().rev().copied().collect();
        prop_assert!(is_close(&group(leave_one_out, &shifted, size), &advantages));
        prop_assert!(is_close(&group(leave_one_out, &backwards, size), &reversed));
    }

    #[test]
    fn group_normalized_has_mean_zero_and_variance_one((size, rewards) in groups()) {
        let grpo = group(|r, k, out: &mut [f64]| group_normalized(r, k, GroupScale::StandardDeviation, out), &rewards, size);
        for group in grpo.chunks_exact(size) {
            prop_assert!(group.iter().sum::<f64>().abs() < 1e-11);
            prop_assert!((group.iter().map(|a| a * a).sum::<f64>() / size as f64 - 1.0).abs() < 1e-11);
        }
    }

    #[test]
    fn group_normalized_without_scale_reduces_to_leave_one_out((size, rewards) in groups()) {
        let dr_grpo = group(|r, k, out: &mut [f64]| group_normalized(r, k, GroupScale::None, out), &rewards, size);
        let factor = size as f64 / (size - 1) as f64;
        prop_assert!(is_close(&dr_grpo.iter().map(|a| a * factor).collect::<Vec<_>>(), &group(leave_one_out, &rewards, size)));
    }

    #[test]
    fn process_advantages_telescope(values in prop::collection::vec(0.0..1.0_f64, 1..20)) {
        let mut advantages = vec![f64::NAN; values.len() - 1];
        process_advantage(&values, &mut advantages);
        prop_assert!((advantages.iter().sum::<f64>() - (values[values.len() - 1] - values[0])).abs() < 1e-14);
    }

    /// 1 − (1 − Q)^K, as the chance that not all of K attempts fail, and as the sum over which attempt is first to succeed.
    #[test]
    fn best_of_k_value_equals_definition(value in 0.0..=1.0_f64, attempts in 1..20_usize) {
        let fails = |k: usize| (0..k).map(|_| 1.0 - value).product::<f64>();
        let first_success: f64 = (0..attempts).map(|k| fails(k) * value).sum();
        prop_assert!((best_of_k_value(value, attempts) - (1.0 - fails(attempts))).abs() < 1e-14);
        prop_assert!((best_of_k_value(value, attempts) - first_success).abs() < 1e-14);
    }

    #[test]
    fn whiten_uses_the_count_of_the_mask((values, mask) in masked_values()) {
        let kept: Vec<f64> = values.iter().zip(&mask).filter_map(|(&x, &kept)| kept.then_some(x)).collect();
        let alone = whitened(whiten, &kept, &vec![true; kept.len()], true);
        if kept.len() > 1 {
            prop_assert!(alone.iter().sum::<f64>().abs() < 1e-10);
            prop_assert!((alone.iter().map(|y| y * y).sum::<f64>() / kept.len() as f64 - 1.0).abs() < 1e-10);
        }
        for masked in [0.0, 1e300, f64::NAN] {
            let filled: Vec<f64> = values.iter().zip(&mask).map(|(&x, &kept)| if kept { x } else { masked }).collect();
            let mut expected = alone.iter().copied();
            for (y, &kept) in whitened(whiten, &filled, &mask, true).into_iter().zip(&mask) {
                prop_assert_eq!(y, if kept { expected.next().unwrap() } else { 0.0 });
            }
        }
    }

    #[test]
    fn whiten_commutes_with_a_permutation((values, mask) in masked_values(), shift_mean in any::<bool>()) {
        prop_assume!(mask.iter().filter(|&&kept| kept).count() != 1);
        let (backwards, backwards_mask): (Vec<f64>, Vec<bool>) = values.iter().zip(&mask).rev().unzip();
        let mut reversed = whitened(whiten, &backwards, &backwards_mask, shift_mean);
        reversed.reverse();
        prop_assert!(is_close(&reversed, &whitened(whiten, &values, &mask, shift_mean)));
    }

    #[test]
    fn whiten_ignores_a_shift_and_a_scale((values, mask) in masked_values(), shift in -9.0..9.0_f64, scale in 0.1..9.0_f64) {
        let kept = mask.iter().filter(|&&kept| kept).count();
        prop_assume!(kept != 1);
        let moved: Vec<f64> = values.iter().map(|x| x * scale + shift).collect();
        let (a, b) = (whitened(whiten, &moved, &mask, true), whitened(whiten, &values, &mask, true));
        prop_assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9));
    }
}
