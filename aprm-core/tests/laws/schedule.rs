//! Learning-rate schedules at their corners and in between.

use aprm_core::optimizer::{Decay, Schedule};
use proptest::prelude::*;

#[test]
fn schedule_known_answers() {
    let linear = Schedule { peak: 2.0, warmup_steps: 4, decay: Decay::Linear { steps: 10, floor: 0.5 } };
    assert_eq!([0, 3, 4, 9, 14, 15].map(|t| linear.learning_rate(t)), [0.5, 2.0, 2.0, 1.5, 1.0, 1.0]);
    assert_eq!(Schedule::constant(0.3).learning_rate(u64::MAX), 0.3);
    let at_once = Schedule { peak: 1.0, warmup_steps: 0, decay: Decay::Cosine { steps: 0, floor: 0.25 } };
    assert_eq!(at_once.learning_rate(0), 0.25);
}

proptest! {
    #[test]
    fn schedules_rise_to_the_peak_and_fall_to_the_floor(
        warmup_steps in 0..20_u64, steps in 1..50_u64, floor in 0.0..1.0_f64, is_cosine: bool,
    ) {
        let decay = if is_cosine { Decay::Cosine { steps, floor } } else { Decay::Linear { steps, floor } };
        let schedule = Schedule { peak: 3.0, warmup_steps, decay };
        let rates: Vec<f64> = (0..warmup_steps + steps + 5).map(|t| schedule.learning_rate(t)).collect();
        let (rise, fall) = rates.split_at(warmup_steps as usize);
        prop_assert!(rise.is_sorted() && fall.is_sorted_by(|a, b| a >= b));
        prop_assert!(rates[0] > 0.0);
        prop_assert!((fall[0] - 3.0).abs() < 1e-12);
        prop_assert!((fall.last().unwrap() - 3.0 * floor).abs() < 1e-12);
    }
}
