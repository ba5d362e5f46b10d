//! What a critic accounts for.

use aprm_core::metrics::explained_variance::explained_variance;
use proptest::prelude::*;

#[test]
fn explained_variance_known_answers() {
    let returns = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(explained_variance(&returns, &returns), Some(1.0));
    assert_eq!(explained_variance(&[7.0; 4], &returns), Some(0.0));
    assert_eq!(explained_variance(&[4.0, 3.0, 2.0, 1.0], &returns), Some(-3.0));
}

#[test]
fn explained_variance_is_not_defined_for_returns_that_do_not_vary() {
    assert_eq!(explained_variance(&[0.0, 1.0, 2.0], &[0.1; 3]), None);
    assert_eq!(explained_variance::<f64>(&[], &[]), None);
    assert_eq!(explained_variance(&[f64::NAN, 1.0], &[0.0, 1.0]), None);
}

#[test]
#[should_panic(expected = "one value per return")]
fn a_missing_value_panics() {
    explained_variance(&[1.0], &[1.0, 2.0]);
}

proptest! {
    #[test]
    fn explained_variance_equals_definition_and_ignores_offsets(
        pairs in prop::collection::vec((-2.0..2.0_f64, -2.0..2.0_f64), 2..40), offset in -5.0..5.0_f64,
    ) {
        let (values, returns): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        // E[x²] − E[x]², the other formula.
        let variance = |series: &[f64]| {
            let mean = |f: fn(f64) -> f64| series.iter().map(|&x| f(x)).sum::<f64>() / series.len() as f64;
            mean(|x| x * x) - mean(|x| x) * mean(|x| x)
        };
        prop_assume!(variance(&returns) > 1e-2);
        let residuals: Vec<_> = pairs.iter().map(|(value, ret)| ret - value).collect();
        let expected = 1.0 - variance(&residuals) / variance(&returns);
        prop_assert!((explained_variance(&values, &returns).unwrap() - expected).abs() < 1e-9);
        let shifted: Vec<_> = values.iter().map(|value| value + offset).collect();
        prop_assert!((explained_variance(&shifted, &returns).unwrap() - expected).abs() < 1e-9);
    }
}
