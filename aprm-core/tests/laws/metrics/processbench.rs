//! First errors, the two accuracies and their balance.

use aprm_core::metrics::processbench::{Example, ProcessBench, evaluate, first_error, fit_threshold};
use proptest::prelude::*;

/// As the benchmark's own script prints it, in per cent with one decimal.
fn f1_holds(f1: fn(&ProcessBench) -> Option<f64>) -> Result<(), String> {
    for (errors_found, correct_passed, expected) in [(522, 969, "67.8"), (500, 500, "50.0"), (0, 1000, "0.0")] {
        let bench = ProcessBench { erroneous: 1000, errors_found, correct: 1000, correct_passed };
        let printed = format!("{:.1}", 100.0 * f1(&bench).ok_or("no F1")?);
        if printed != expected {
            return Err(format!("{printed} is not {expected}"));
        }
    }
    Ok(())
}

#[test]
fn f1_known_answers() {
    f1_holds(ProcessBench::f1).unwrap();
}

/// Negative control: the arithmetic mean forgives a judge that passes everything.
#[test]
fn an_arithmetic_mean_is_caught() {
    f1_holds(|bench| Some((bench.acc_error()? + bench.acc_correct()?) / 2.0)).unwrap_err();
}

#[test]
fn accuracies_are_not_defined_without_their_class() {
    let mut bench = ProcessBench::default();
    assert_eq!((bench.acc_error(), bench.acc_correct(), bench.f1()), (None, None, None));
    bench.observe(Some(0), Some(1));
    assert_eq!((bench.acc_error(), bench.acc_correct(), bench.f1()), (Some(0.0), None, None));
    bench.observe(Some(0), None);
    assert_eq!(bench.f1(), Some(0.0), "both accuracies are zero");
}

type FirstError = fn(&[f64], f64) -> Option<usize>;

fn first_error_holds(first_error: FirstError) -> Result<(), String> {
    let cases: [(&[f64], Option<usize>); 5] = [
        (&[0.9, 0.2, 0.1], Some(1)),
        (&[0.1, 0.9], Some(0)),
        (&[0.5, 0.5], None),
        (&[0.9, f64::NAN, 0.9], Some(1)),
        (&[], None),
    ];
    for (step_scores, expected) in cases {
        let found = first_error(step_scores, 0.5);
        if found != expected {
            return Err(format!("{found:?} in {step_scores:?} is not {expected:?}"));
        }
    }
    Ok(())
}

#[test]
fn first_error_known_answers() {
    first_error_holds(first_error).unwrap();
}

/// Negative control: comparisons that are inverted, too wide, or blind to NaN.
#[test]
fn a_wrong_comparison_is_caught() {
    let inverted: FirstError = |step_scores, threshold| step_scores.iter().position(|&score| score > threshold);
    let too_wide: FirstError = |step_scores, threshold| step_scores.iter().position(|&score| score <= threshold);
    let blind: FirstError = |step_scores, threshold| step_scores.iter().position(|&score| score < threshold);
    for sabotaged in [inverted, too_wide, blind] {
        first_error_holds(sabotaged).unwrap_err();
    }
}

#[test]
fn a_fit_needs_both_classes_and_a_threshold() {
    let erroneous = Example { step_scores: &[0.2][..], label: Some(0) };
    let correct = Example { step_scores: &[0.8][..], label: None };
    assert_eq!(fit_threshold(&[erroneous], &[0.5]), None);
    assert_eq!(fit_threshold::<f64>(&[erroneous, correct], &[]), None);
    assert_eq!(fit_threshold(&[erroneous, correct], &[0.1, 0.4, 0.6]).unwrap().0, 0.4, "the first of equals");
}

proptest! {
    #[test]
    fn a_fit_is_at_least_as_good_as_every_threshold(
        solutions in prop::collection::vec((prop::collection::vec(0.0..1.0_f64, 1..6), 0..8_usize), 1..20),
    ) {
        let label = |steps: &Vec<f64>, drawn: usize| (drawn < steps.len()).then_some(drawn);
        let examples: Vec<_> = solutions
            .iter()
            .map(|(steps, drawn)| Example { step_scores: &steps[..], label: label(steps, *drawn) })
            .collect();
        let thresholds: Vec<_> = (0..=20).map(|tick| f64::from(tick) / 20.0).collect();
        let highest = thresholds.iter().filter_map(|&threshold| evaluate(&examples, threshold).f1()).reduce(f64::max);
        let fit = fit_threshold(&examples, &thresholds);
        prop_assert_eq!(fit.and_then(|(_, bench)| bench.f1()), highest);
        if let Some((threshold, bench)) = fit {
            prop_assert_eq!(evaluate(&examples, threshold), bench);
        }
    }
}
