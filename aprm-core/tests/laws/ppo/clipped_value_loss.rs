//! L = ½ max((v − R)², (clip(v, old − range, old + range) − R)²).

use aprm_core::ppo::{ClippedValueLoss, clipped_value_loss, mean_clipped_value_loss};
use proptest::prelude::*;

use crate::gradient;

type ValueLoss = fn(f64, f64, f64, f64) -> (f64, f64);

fn known_answers_hold(value_loss: ValueLoss) -> Result<(), String> {
    // Value, old value, return, range, loss, gradient.
    let cases = [
        (0.5, 0.0, 1.0, 0.25, 0.28125, 0.0),
        (-0.5, 0.0, 1.0, 0.25, 1.125, -1.5),
        (0.5, 0.0, -1.0, 0.25, 1.125, 1.5),
        (-0.5, 0.0, -1.0, 0.25, 0.28125, 0.0),
        (0.125, 0.0, 1.0, 0.25, 0.3828125, -0.875),
        (0.25, 0.0, 1.0, 0.25, 0.28125, -0.75),
        (3.0, 0.0, 1.0, 0.25, 2.0, 2.0),
        (0.5, 0.0, 1.0, f64::INFINITY, 0.125, -0.5),
        (0.5, 0.0, 1.0, 0.0, 0.5, 0.0),
    ];
    for (value, old_value, returned, range, loss, gradient) in cases {
        let actual = value_loss(value, old_value, returned, range);
        if actual != (loss, gradient) {
            return Err(format!(
                "v = {value}, R = {returned}, range {range}: {actual:?} is not {:?}",
                (loss, gradient)
            ));
        }
    }
    Ok(())
}

#[test]
fn clipped_value_loss_known_answers() {
    known_answers_hold(clipped_value_loss).unwrap();
}

/// Negative control.
#[test]
fn a_sabotaged_value_loss_is_caught() {
    fn errors(value: f64, old_value: f64, returned: f64, range: f64) -> [f64; 2] {
        [value - returned, value.clamp(old_value - range, old_value + range) - returned]
    }
    let takes_the_minimum: ValueLoss = |value, old_value, returned, range| {
        let [error, clip_error] = errors(value, old_value, returned, range);
        if clip_error * clip_error < error * error {
            (0.5 * clip_error.powi(2), 0.0)
        } else {
            (0.5 * error.powi(2), error)
        }
    };
    let leaks_through_the_clip: ValueLoss = |value, old_value, returned, range| {
        let [error, clip_error] = errors(value, old_value, returned, range);
        let larger = if clip_error.abs() > error.abs() { clip_error } else { error };
        (0.5 * larger.powi(2), larger)
    };
    let forgets_the_half: ValueLoss = |value, old_value, returned, range| {
        let (loss, gradient) = clipped_value_loss(value, old_value, returned, range);
        (2.0 * loss, 2.0 * gradient)
    };
    let forgets_a_minus: ValueLoss = |value, old_value, returned, range| {
        let (loss, gradient) = clipped_value_loss(value, old_value, returned, range);
        (loss, -gradient)
    };
    let clips_about_the_return: ValueLoss =
        |value, old_value, returned, range| clipped_value_loss(value, returned, old_value, range);
    for sabotaged in
        [takes_the_minimum, leaks_through_the_clip, forgets_the_half, forgets_a_minus, clips_about_the_return]
    {
        known_answers_hold(sabotaged).unwrap_err();
    }
}

#[test]
fn a_masked_value_has_exactly_no_effect() {
    let mask = [true, false, true, true];
    let compute = |masked: f64| {
        let mut gradient = [f64::NAN; 4];
        let (values, returns) = ([0.5, masked, -0.5, 3.0], [1.0, masked, 1.0, 1.0]);
        let mean = mean_clipped_value_loss(&values, &[0.0, masked, 0.0, 0.0], &returns, &mask, 0.25, &mut gradient);
        (mean, gradient)
    };
    for masked in [0.0, f64::NAN, f64::INFINITY, 1e300] {
        let (mean, gradient) = compute(masked);
        let expected = ClippedValueLoss { loss: 3.40625 / 3.0, clip_fraction: 1.0 / 3.0, tokens: 3 };
        assert_eq!((mean, gradient), (expected, [0.0, 0.0, -0.5, 2.0 / 3.0]));
    }
}

#[test]
fn a_mask_without_a_value_gives_zeros() {
    let mut gradient = [f64::NAN; 1];
    let mean = mean_clipped_value_loss(&[f64::NAN], &[0.0], &[0.0], &[false], 0.25, &mut gradient);
    assert_eq!((mean, gradient), (ClippedValueLoss::default(), [0.0]));
}

#[test]
fn a_nan_that_is_not_masked_reaches_the_loss() {
    for position in 0..3 {
        let mut inputs = [0.5, 0.0, 1.0];
        inputs[position] = f64::NAN;
        let (loss, gradient) = clipped_value_loss(inputs[0], inputs[1], inputs[2], 0.25);
        assert!(loss.is_nan() && gradient.is_nan(), "input {position}");
    }
}

#[test]
#[should_panic(expected = "value_clip_range")]
fn a_negative_range_panics() {
    clipped_value_loss(0.0, 0.0, 0.0, -0.1);
}

proptest! {
    #[test]
    fn clipped_value_loss_gradient_equals_central_differences(
        value in -2.0..2.0_f64, old_value in -1.0..1.0_f64, returned in -2.0..2.0_f64, range in 0.1..1.0_f64,
    ) {
        // Kinks: the ends of the range, and where both squares are equal again on its far side.
        let [lowest, highest] = [old_value - range, old_value + range];
        let kinks = [lowest, highest, 2.0 * returned - lowest, 2.0 * returned - highest];
        prop_assume!(kinks.iter().all(|kink| (value - kink).abs() > 1e-4));
        let (_, gradient) = clipped_value_loss(value, old_value, returned, range);
        gradient::check(|x| clipped_value_loss(x[0], old_value, returned, range).0, &[value], &[gradient]).unwrap();
    }

    #[test]
    fn an_infinite_range_leaves_half_the_squared_error(value in -9.0..9.0_f64, old_value in -9.0..9.0_f64) {
        prop_assert_eq!(clipped_value_loss(value, old_value, 0.5, f64::INFINITY), ((value - 0.5).powi(2) / 2.0, value - 0.5));
    }

    #[test]
    fn inside_of_the_range_every_gradient_flows(old_value in -1.0..1.0_f64, step in -0.2..0.2_f64, returned in -2.0..2.0_f64) {
        let value = old_value + step;
        prop_assert_eq!(clipped_value_loss(value, old_value, returned, 0.25).1, value - returned);
    }
}
