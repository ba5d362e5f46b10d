//! L = −min(r A, clip(r, 1 − low, 1 + high) A).

use aprm_core::policy::MAX_LOG_RATIO;
use aprm_core::policy::kl_estimate::k3;
use aprm_core::ppo::{ClipRange, ClippedSurrogate, clipped_surrogate, mean_clipped_surrogate};
use proptest::prelude::*;

use crate::gradient;

type Surrogate = fn(f64, f64, f64, ClipRange<f64>) -> (f64, f64);
type MeanSurrogate = fn(&[f64], &[f64], &[f64], &[bool], ClipRange<f64>, &mut [f64]) -> ClippedSurrogate;

const PPO: ClipRange<f64> = ClipRange { low: 0.2, high: 0.2 };
const DAPO: ClipRange<f64> = ClipRange { low: 0.2, high: 0.28 };
const OPEN: ClipRange<f64> = ClipRange { low: f64::INFINITY, high: f64::INFINITY };

fn is_close(actual: f64, expected: f64) -> bool {
    (actual - expected).abs() <= 1e-12
}

/// The four quadrants, both sides of an asymmetric range, and the ratio of one.
fn quadrants_hold(surrogate: Surrogate) -> Result<(), String> {
    // Advantage, ratio, clip range, loss, ∂L/∂r.
    let cases = [
        (1.0, 1.5, PPO, -1.2, 0.0),
        (1.0, 0.5, PPO, -0.5, -1.0),
        (-1.0, 0.5, PPO, 0.8, 0.0),
        (-1.0, 1.5, PPO, 1.5, 1.0),
        (2.5, 1.0, PPO, -2.5, -2.5),
        (-2.5, 1.0, PPO, 2.5, 2.5),
        (1.0, 1.25, DAPO, -1.25, -1.0),
        (1.0, 1.25, PPO, -1.2, 0.0),
        (1.0, 1.5, DAPO, -1.28, 0.0),
        (-1.0, 0.75, DAPO, 0.8, 0.0),
        (0.0, 3.0, PPO, 0.0, 0.0),
        (1.0, 3.0, OPEN, -3.0, -1.0),
        (-1.0, 0.1, OPEN, 0.1, 1.0),
    ];
    for (advantage, ratio, clip_range, loss, slope) in cases {
        let (old_log_prob, log_ratio) = (-2.0, f64::ln(ratio));
        let actual = surrogate(old_log_prob + log_ratio, old_log_prob, advantage, clip_range);
        // ∂r/∂log_prob = r.
        let exact_zero = slope != 0.0 || actual.1 == 0.0;
        if !(is_close(actual.0, loss) && is_close(actual.1, slope * ratio) && exact_zero) {
            return Err(format!("A = {advantage}, r = {ratio}: {actual:?} is not {:?}", (loss, slope * ratio)));
        }
    }
    Ok(())
}

#[test]
fn clipped_surrogate_quadrants() {
    quadrants_hold(clipped_surrogate).unwrap();
}

/// Negative control: what a slip in the equation would compute.
#[test]
fn a_sabotaged_clip_is_caught() {
    fn terms(log_prob: f64, old_log_prob: f64, advantage: f64, clip_range: ClipRange<f64>) -> [f64; 2] {
        let ratio = (log_prob - old_log_prob).exp();
        [ratio * advantage, ratio.clamp(1.0 - clip_range.low, 1.0 + clip_range.high) * advantage]
    }
    let clips_on_the_wrong_side: Surrogate = |log_prob, old_log_prob, advantage, clip_range| {
        let [plain, clip] = terms(log_prob, old_log_prob, advantage, clip_range);
        if clip > plain { (-clip, 0.0) } else { (-plain, -plain) }
    };
    let forgets_the_minimum: Surrogate = |log_prob, old_log_prob, advantage, clip_range| {
        let [plain, clip] = terms(log_prob, old_log_prob, advantage, clip_range);
        if clip != plain { (-clip, 0.0) } else { (-plain, -plain) }
    };
    let forgets_a_minus: Surrogate = |log_prob, old_log_prob, advantage, clip_range| {
        let (loss, gradient) = clipped_surrogate(log_prob, old_log_prob, advantage, clip_range);
        (-loss, -gradient)
    };
    let forgets_the_clip: Surrogate =
        |log_prob, old_log_prob, advantage, _| clipped_surrogate(log_prob, old_log_prob, advantage, OPEN);
    let swaps_low_and_high: Surrogate = |log_prob, old_log_prob, advantage, ClipRange { low, high }| {
        clipped_surrogate(log_prob, old_log_prob, advantage, ClipRange { low: high, high: low })
    };
    let inverts_the_ratio: Surrogate = |log_prob, old_log_prob, advantage, clip_range| {
        clipped_surrogate(old_log_prob, log_prob, advantage, clip_range)
    };
    for sabotaged in [
        clips_on_the_wrong_side,
        forgets_the_minimum,
        forgets_a_minus,
        forgets_the_clip,
        swaps_low_and_high,
        inverts_the_ratio,
    ] {
        quadrants_hold(sabotaged).unwrap_err();
    }
}

#[test]
fn a_large_log_ratio_is_bounded_before_the_exponential() {
    for log_ratio in [-1e4, -100.0, 100.0, 1e4] {
        for advantage in [-1.0, 1.0] {
            for clip_range in [PPO, OPEN] {
                let (loss, gradient) = clipped_surrogate(log_ratio, 0.0, advantage, clip_range);
                assert!(loss.abs() <= MAX_LOG_RATIO.exp() && gradient.is_finite());
                let narrow = ClipRange { low: clip_range.low as f32, high: clip_range.high as f32 };
                let (loss, gradient) = clipped_surrogate(log_ratio as f32, 0.0, advantage as f32, narrow);
                assert!(loss.is_finite() && gradient.is_finite());
            }
        }
    }
    assert_eq!(clipped_surrogate(100.0, 0.0, -1.0, PPO), (MAX_LOG_RATIO.exp(), 0.0));
}

fn mean(
    surrogate: MeanSurrogate,
    log_probs: &[f64],
    old_log_probs: &[f64],
    advantages: &[f64],
    mask: &[bool],
) -> (ClippedSurrogate, Vec<f64>) {
    let mut gradient = vec![f64::NAN; mask.len()];
    let statistics = surrogate(log_probs, old_log_probs, advantages, mask, PPO, &mut gradient);
    (statistics, gradient)
}

#[test]
fn the_first_epoch_is_the_policy_gradient() {
    let log_probs = [-0.1, -3.7, -1e-3, -12.5];
    let advantages = [1.0, -2.0, 0.5, 1e3];
    let (statistics, gradient) = mean(mean_clipped_surrogate, &log_probs, &log_probs, &advantages, &[true; 4]);
    let expected = ClippedSurrogate {
        loss: -249.875,
        clip_fraction: 0.0,
        approx_kl: 0.0,
        ratio_mean: 1.0,
        ratio_max: 1.0,
        tokens: 4,
    };
    assert_eq!(statistics, expected);
    assert_eq!(gradient, advantages.map(|advantage| -advantage / 4.0));
}

#[test]
fn the_first_epoch_is_exact_over_a_million_f32_tokens() {
    let log_probs: Vec<f32> = (0..1_000_000).map(|i| -(i as f32) * 1e-5).collect();
    let (advantages, mask, mut gradient) = (vec![0.1; 1_000_000], vec![true; 1_000_000], vec![f32::NAN; 1_000_000]);
    let clip_range = ClipRange { low: 0.2, high: 0.2 };
    let first = mean_clipped_surrogate(&log_probs, &log_probs, &advantages, &mask, clip_range, &mut gradient);
    assert_eq!((first.ratio_mean, first.ratio_max, first.approx_kl, first.clip_fraction), (1.0, 1.0, 0.0, 0.0));
    let moved: Vec<f32> = log_probs.iter().map(|log_prob| log_prob + 0.003).collect();
    let second = mean_clipped_surrogate(&moved, &log_probs, &advantages, &mask, clip_range, &mut gradient);
    assert!((second.ratio_mean - 0.003_f64.exp()).abs() < 1e-6, "{second:?}");
}

fn statistics_hold(surrogate: MeanSurrogate) -> Result<(), String> {
    // Ratios of 1.5 (clipped), 1.5 (pulled back), 1 and 0.5 (clipped); the two NaN are masked.
    let log_ratios = [1.5_f64.ln(), 1.5_f64.ln(), f64::NAN, 0.0, 0.5_f64.ln(), f64::NAN];
    let advantages = [1.0, -1.0, f64::NAN, 2.0, -1.0, f64::NAN];
    let mask = [true, true, false, true, true, false];
    let (actual, gradient) = mean(surrogate, &log_ratios, &[0.0; 6], &advantages, &mask);
    let expected = [
        (actual.loss, (-1.2 + 1.5 - 2.0 + 0.8) / 4.0),
        (actual.clip_fraction, 0.5),
        (actual.approx_kl, (2.0 * (0.5 - 1.5_f64.ln()) + (-0.5 - 0.5_f64.ln())) / 4.0),
        (actual.ratio_mean, 4.5 / 4.0),
        (actual.ratio_max, 1.5),
    ];
    let expected_gradient = [0.0, 1.5 / 4.0, 0.0, -2.0 / 4.0, 0.0, 0.0];
    if expected.iter().all(|&(a, e)| is_close(a, e))
        && gradient.iter().zip(expected_gradient).all(|(&a, e)| is_close(a, e))
        && actual.tokens == 4
    {
        Ok(())
    } else {
        Err(format!("{actual:?}, {gradient:?}"))
    }
}

#[test]
fn mean_clipped_surrogate_known_answers() {
    statistics_hold(mean_clipped_surrogate).unwrap();
}

/// Negative control.
#[test]
fn a_sabotaged_mean_is_caught() {
    let divides_by_the_length: MeanSurrogate = |log_probs, old_log_probs, advantages, mask, clip_range, gradient| {
        let mut mean = mean_clipped_surrogate(log_probs, old_log_probs, advantages, mask, clip_range, gradient);
        let share = mean.tokens as f64 / mask.len() as f64;
        mean.loss *= share;
        gradient.iter_mut().for_each(|gradient| *gradient *= share);
        mean
    };
    let multiplies_by_the_mask: MeanSurrogate = |log_probs, old_log_probs, advantages, mask, clip_range, gradient| {
        let masked: Vec<f64> = advantages.iter().zip(mask).map(|(a, &kept)| a * f64::from(kept)).collect();
        mean_clipped_surrogate(log_probs, old_log_probs, &masked, &[true; 6], clip_range, gradient)
    };
    let kl_of_the_inverse_ratio: MeanSurrogate = |log_probs, old_log_probs, advantages, mask, clip_range, gradient| {
        let mut mean = mean_clipped_surrogate(log_probs, old_log_probs, advantages, mask, clip_range, gradient);
        let kept = (0..mask.len()).filter(|&t| mask[t]);
        mean.approx_kl = kept.map(|t| k3(log_probs[t], old_log_probs[t])).sum::<f64>() / mean.tokens as f64;
        mean
    };
    let leaves_the_masked_gradient: MeanSurrogate =
        |log_probs, old_log_probs, advantages, mask, clip_range, gradient| {
            let mean = mean_clipped_surrogate(log_probs, old_log_probs, advantages, mask, clip_range, gradient);
            (0..mask.len()).filter(|&t| !mask[t]).for_each(|t| gradient[t] = f64::NAN);
            mean
        };
    for sabotaged in
        [divides_by_the_length, multiplies_by_the_mask, kl_of_the_inverse_ratio, leaves_the_masked_gradient]
    {
        statistics_hold(sabotaged).unwrap_err();
    }
}

#[test]
fn a_mask_without_a_token_gives_zeros() {
    let (statistics, gradient) =
        mean(mean_clipped_surrogate, &[f64::NAN; 2], &[f64::NAN; 2], &[f64::INFINITY; 2], &[false; 2]);
    assert_eq!((statistics, gradient), (ClippedSurrogate::default(), vec![0.0; 2]));
    assert_eq!(mean(mean_clipped_surrogate, &[], &[], &[], &[]).0, ClippedSurrogate::default());
}

#[test]
fn a_nan_that_is_not_masked_reaches_the_loss() {
    for position in 0..3 {
        let mut inputs = [[-1.0; 3]; 3];
        inputs[position][1] = f64::NAN;
        let (statistics, gradient) = mean(mean_clipped_surrogate, &inputs[0], &inputs[1], &inputs[2], &[true; 3]);
        assert!(statistics.loss.is_nan() && gradient[1].is_nan());
        assert_eq!(statistics.ratio_max.is_nan(), position < 2);
    }
}

#[test]
#[should_panic(expected = "clip_range")]
fn a_negative_clip_range_panics() {
    clipped_surrogate(0.0, 0.0, 1.0, ClipRange { low: -0.1, high: 0.2 });
}

#[test]
#[should_panic(expected = "2 log_probs, but [2, 1, 2, 2]")]
fn a_length_mismatch_panics() {
    mean_clipped_surrogate(&[0.0; 2], &[0.0; 2], &[0.0; 1], &[true; 2], PPO, &mut [0.0; 2]);
}

fn tokens() -> impl Strategy<Value = Vec<(f64, f64, f64, bool)>> {
    prop::collection::vec((-6.0..0.0, -1.0..1.0, -3.0..3.0, any::<bool>()), 1..30)
}

proptest! {
    #[test]
    fn clipped_surrogate_gradient_equals_central_differences(
        old_log_prob in -6.0..0.0_f64, log_ratio in -1.0..1.0_f64, advantage in -3.0..3.0_f64,
    ) {
        let ratio = log_ratio.exp();
        // A difference quotient across a kink is no derivative.
        let kinks = [1.0 - DAPO.low, 1.0 + DAPO.high];
        prop_assume!(kinks.iter().all(|kink| (ratio - kink).abs() > 1e-4));
        let log_prob = old_log_prob + log_ratio;
        let (_, gradient) = clipped_surrogate(log_prob, old_log_prob, advantage, DAPO);
        gradient::check(|x| clipped_surrogate(x[0], old_log_prob, advantage, DAPO).0, &[log_prob], &[gradient]).unwrap();
    }

    #[test]
    fn an_infinite_clip_range_leaves_the_plain_ratio(log_ratio in -5.0..5.0_f64, advantage in -3.0..3.0_f64) {
        let plain = -log_ratio.exp() * advantage;
        let (loss, gradient) = clipped_surrogate(log_ratio, 0.0, advantage, OPEN);
        prop_assert!((loss - plain).abs() <= 1e-13 * plain.abs() && gradient == loss);
    }

    #[test]
    fn mean_clipped_surrogate_equals_definition(tokens in tokens()) {
        let [log_probs, old_log_probs, advantages] = [0, 1, 2].map(|field| {
            tokens.iter().map(|t| [t.0 + t.1, t.0, t.2][field]).collect::<Vec<f64>>()
        });
        let mask: Vec<bool> = tokens.iter().map(|t| t.3).collect();
        let (statistics, gradient) = mean(mean_clipped_surrogate, &log_probs, &old_log_probs, &advantages, &mask);
        let kept: Vec<usize> = (0..mask.len()).filter(|&t| mask[t]).collect();
        let n = kept.len().max(1) as f64;
        let of = |t: usize| clipped_surrogate(log_probs[t], old_log_probs[t], advantages[t], PPO);
        prop_assert!(is_close(statistics.loss, kept.iter().map(|&t| of(t).0).sum::<f64>() / n));
        for t in 0..mask.len() {
            prop_assert_eq!(gradient[t], if mask[t] { of(t).1 / n } else { 0.0 });
        }
        prop_assert!(statistics.approx_kl >= 0.0);
        prop_assert_eq!(statistics.tokens, kept.len());
    }

    #[test]
    fn what_is_masked_has_exactly_no_effect(tokens in tokens()) {
        let compute = |masked: f64| {
            let [log_probs, old_log_probs, advantages] = [0, 1, 2].map(|field| {
                tokens.iter().map(|t| if t.3 { [t.0 + t.1, t.0, t.2][field] } else { masked }).collect::<Vec<f64>>()
            });
            let mask: Vec<bool> = tokens.iter().map(|t| t.3).collect();
            mean(mean_clipped_surrogate, &log_probs, &old_log_probs, &advantages, &mask)
        };
        for masked in [f64::NAN, f64::INFINITY, -1e300] {
            prop_assert_eq!(compute(masked), compute(0.0));
        }
    }

    #[test]
    fn micro_batches_add_up_by_their_tokens(tokens in tokens(), cut in 0..30_usize) {
        let columns = |tokens: &[(f64, f64, f64, bool)]| {
            let mut gradient = vec![f64::NAN; tokens.len()];
            let of = |field: usize| tokens.iter().map(|t| [t.0 + t.1, t.0, t.2][field]).collect::<Vec<f64>>();
            let mask: Vec<bool> = tokens.iter().map(|t| t.3).collect();
            let mean = mean_clipped_surrogate(&of(0), &of(1), &of(2), &mask, PPO, &mut gradient);
            (mean, gradient)
        };
        let (whole, gradient) = columns(&tokens);
        let parts = tokens.split_at(cut.min(tokens.len()));
        let parts = [columns(parts.0), columns(parts.1)];
        let share = |part: &ClippedSurrogate| part.tokens as f64 / whole.tokens.max(1) as f64;
        prop_assert!(is_close(parts.iter().map(|(part, _)| share(part) * part.loss).sum(), whole.loss));
        let gradients = parts.iter().flat_map(|(part, gradient)| gradient.iter().map(|g| share(part) * g));
        prop_assert!(gradients.zip(gradient).all(|(a, e)| is_close(a, e)));
    }
}
