//! The aggregates, and the three ways to choose among finished solutions, against their definitions.

use aprm_core::search::aggregate::Aggregate;
use aprm_core::search::best_of_n::{majority, naive, weighted};
use proptest::prelude::*;

type Vote = fn(&[f64], &[Option<char>]) -> Option<usize>;

#[test]
fn aggregate_known_answers() {
    let step_scores = [0.9, 0.4, 0.7_f64];
    for (aggregate, expected) in
        [(Aggregate::Last, 0.7), (Aggregate::Min, 0.4), (Aggregate::Product, 0.252), (Aggregate::Mean, 2.0 / 3.0)]
    {
        assert!((aggregate.of(step_scores) - expected).abs() < 1e-15, "{aggregate:?}");
        assert_eq!(aggregate.of([0.3]), 0.3, "{aggregate:?} of one step is its score");
        assert_eq!(aggregate.of::<f64>([]), 0.0, "{aggregate:?} of nothing");
        assert!(aggregate.of([0.5, f64::NAN]).is_nan(), "{aggregate:?} hides a NaN");
    }
    assert!(Aggregate::Min.of([f64::NAN, 0.5]).is_nan());
}

/// Three solutions say b with middling scores, one says a with the highest, and one without an answer tops them all.
const SCORES: [f64; 5] = [0.9, 0.5, 0.4, 0.3, 1.0];
const ANSWERS: [Option<char>; 5] = [Some('a'), Some('b'), Some('b'), Some('b'), None];

fn grouping_holds(weighted: Vote) -> Result<(), String> {
    match weighted(&SCORES, &ANSWERS) {
        Some(1) => Ok(()),
        other => Err(format!("{other:?} is not the first solution of the heaviest answer")),
    }
}

#[test]
fn best_of_n_known_answers() {
    assert_eq!(naive(&SCORES, &ANSWERS), Some(0));
    grouping_holds(weighted).unwrap();
    assert_eq!(majority(&ANSWERS), Some(1));
    assert_eq!(weighted(&[0.9, 0.2, 0.2, 0.2, 1.0], &ANSWERS), Some(0), "scores outweigh votes");
}

/// Negative control: a weighted vote that forgets to group is the naive choice.
#[test]
fn a_vote_that_does_not_group_is_caught() {
    grouping_holds(naive).unwrap_err();
    grouping_holds(|scores, answers| {
        let all_apart: Vec<_> = answers.iter().enumerate().map(|(i, answer)| answer.map(|a| (a, i))).collect();
        weighted(scores, &all_apart)
    })
    .unwrap_err();
}

#[test]
fn ties_go_to_the_first_and_nan_to_the_last() {
    let answers = [Some('a'), Some('b'), Some('b'), Some('a')];
    assert_eq!(naive(&[0.5; 4], &answers), Some(0));
    assert_eq!(weighted(&[0.5; 4], &answers), Some(0));
    assert_eq!(majority(&answers), Some(0));
    assert_eq!(naive(&[f64::NAN, -1.0, f64::NEG_INFINITY, f64::NAN], &answers), Some(1));
    assert_eq!(naive(&[f64::NAN; 4], &answers), Some(0));
}

#[test]
fn without_an_answer_anywhere_there_is_still_a_choice() {
    let silent = [None::<char>; 3];
    assert_eq!(naive(&[0.1, 0.3, 0.2], &silent), Some(1));
    assert_eq!(weighted(&[0.1, 0.3, 0.2], &silent), Some(0));
    assert_eq!(majority(&silent), Some(0));
    assert_eq!((naive::<f64, char>(&[], &[]), majority::<char>(&[])), (None, None));
}

#[test]
#[should_panic(expected = "one score per answer")]
fn a_missing_score_panics() {
    weighted(&[0.5], &ANSWERS);
}

proptest! {
    /// The sum over a table of answers, kept in order of appearance.
    #[test]
    fn weighted_vote_equals_definition(
        solutions in prop::collection::vec((0_u8..8, prop::option::weighted(0.8, 0_u8..4)), 1..20),
    ) {
        let scores: Vec<f64> = solutions.iter().map(|s| f64::from(s.0) / 8.0).collect();
        let answers: Vec<_> = solutions.iter().map(|s| s.1).collect();
        let mut totals: Vec<(u8, f64, usize)> = Vec::new();
        for (i, (score, answer)) in scores.iter().zip(&answers).enumerate() {
            let Some(answer) = *answer else { continue };
            match totals.iter_mut().find(|total| total.0 == answer) {
                Some(total) => total.1 += score,
                None => totals.push((answer, *score, i)),
            }
        }
        let highest = totals.iter().map(|total| total.1).fold(f64::NEG_INFINITY, f64::max);
        let expected = totals.iter().find(|total| total.1 == highest).map_or(0, |total| total.2);
        prop_assert_eq!(weighted(&scores, &answers), Some(expected));
        prop_assert_eq!(weighted(&vec![1.0; answers.len()], &answers), majority(&answers));
    }

    #[test]
    fn naive_is_the_weighted_vote_of_solutions_that_all_differ(
        scores in prop::collection::vec(0.0..1.0_f64, 1..20),
    ) {
        let answers: Vec<_> = (0..scores.len()).map(Some).collect();
        prop_assert_eq!(naive(&scores, &answers), weighted(&scores, &answers));
    }
}
