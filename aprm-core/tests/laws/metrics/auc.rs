//! The rank statistic against all pairs.

use aprm_core::metrics::auc::auc;
use proptest::prelude::*;

type Outcomes<'a> = &'a mut [(f64, bool)];

/// All pairs of a positive and a negative, each tie counting `tie`.
fn all_pairs(outcomes: &[(f64, bool)], tie: f64) -> Option<f64> {
    let of = |class| outcomes.iter().filter(move |(_, positive)| *positive == class).map(|(score, _)| *score);
    let pairs: Vec<_> = of(true).flat_map(|positive| of(false).map(move |negative| (positive, negative))).collect();
    let win = |&(positive, negative): &(f64, f64)| match positive.total_cmp(&negative) {
        core::cmp::Ordering::Greater => 1.0,
        core::cmp::Ordering::Equal => tie,
        core::cmp::Ordering::Less => 0.0,
    };
    (!pairs.is_empty()).then(|| pairs.iter().map(win).sum::<f64>() / pairs.len() as f64)
}

fn known_answers_hold(auc: fn(Outcomes) -> Option<f64>) -> Result<(), String> {
    let cases: [(&[(f64, bool)], f64); 4] = [
        (&[(0.1, false), (0.9, true)], 1.0),
        (&[(0.1, true), (0.9, false)], 0.0),
        (&[(0.5, true), (0.5, false), (0.5, false)], 0.5),
        (&[(0.8, true), (0.4, true), (0.4, false), (0.3, true), (0.2, false)], 0.75),
    ];
    for (outcomes, expected) in cases {
        let area = auc(&mut outcomes.to_vec()).ok_or("no area")?;
        if (area - expected).abs() > 1e-15 {
            return Err(format!("{area} of {outcomes:?} is not {expected}"));
        }
    }
    Ok(())
}

#[test]
fn auc_known_answers() {
    known_answers_hold(auc).unwrap();
}

/// Negative control: a constant score would look perfect, or hopeless.
#[test]
fn ties_counted_as_wins_or_losses_are_caught() {
    known_answers_hold(|outcomes| all_pairs(outcomes, 1.0)).unwrap_err();
    known_answers_hold(|outcomes| all_pairs(outcomes, 0.0)).unwrap_err();
}

#[test]
fn auc_is_not_defined_for_one_class_or_nan() {
    assert_eq!(auc::<f64>(&mut []), None);
    assert_eq!(auc(&mut [(0.5, true), (0.6, true)]), None);
    assert_eq!(auc(&mut [(0.5, true), (f64::NAN, false)]), None);
    assert_eq!(auc(&mut [(f64::NEG_INFINITY, false), (f64::INFINITY, true)]), Some(1.0));
}

fn outcomes() -> impl Strategy<Value = Vec<(f64, bool)>> {
    prop::collection::vec((0_i32..12, any::<bool>()), 0..40)
        .prop_map(|drawn| drawn.into_iter().map(|(score, positive)| (f64::from(score) / 4.0 - 1.0, positive)).collect())
}

proptest! {
    #[test]
    fn auc_equals_all_pairs(outcomes in outcomes()) {
        let expected = all_pairs(&outcomes, 0.5);
        let area = auc(&mut outcomes.clone());
        prop_assert_eq!(area.is_some(), expected.is_some());
        prop_assert!(area.zip(expected).is_none_or(|(a, e)| (a - e).abs() < 1e-15));
    }

    #[test]
    fn auc_knows_ranks_only_and_mirrors(outcomes in outcomes()) {
        let area = auc(&mut outcomes.clone());
        let mut stretched: Vec<_> = outcomes.iter().map(|(score, positive)| (score.exp(), *positive)).collect();
        prop_assert_eq!(auc(&mut stretched), area);
        let mut mirrored: Vec<_> = outcomes.iter().map(|(score, positive)| (-score, *positive)).collect();
        prop_assert!(auc(&mut mirrored).zip(area).is_none_or(|(m, a)| (m + a - 1.0).abs() < 1e-15));
    }
}
