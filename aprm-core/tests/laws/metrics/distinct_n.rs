//! Distinct n-grams against a set.

use std::collections::HashSet;

use aprm_core::metrics::distinct_n::{distinct_n, ngram_count};
use proptest::prelude::*;

type Distinct = fn(&[&[u32]], usize) -> Option<f64>;

/// Sequences, n, and the share of distinct n-grams.
type Case = (&'static [&'static [u32]], usize, Option<f64>);

fn distinct(sequences: &[&[u32]], n: usize) -> Option<f64> {
    distinct_n(sequences, n, &mut vec![&[][..]; ngram_count(sequences, n)])
}

fn known_answers_hold(distinct: Distinct) -> Result<(), String> {
    let cases: [Case; 6] = [
        (&[&[1, 2, 3, 4]], 1, Some(1.0)),
        (&[&[7, 7, 7, 7]], 2, Some(1.0 / 3.0)),
        (&[&[1, 2], &[1, 2]], 2, Some(0.5)),
        (&[&[1, 2], &[3, 1, 2]], 2, Some(2.0 / 3.0)),
        (&[&[1], &[2, 3]], 2, Some(1.0)),
        (&[&[1], &[]], 2, None),
    ];
    for (sequences, n, expected) in cases {
        if distinct(sequences, n) != expected {
            return Err(format!("{:?} of {sequences:?} is not {expected:?}", distinct(sequences, n)));
        }
    }
    Ok(())
}

#[test]
fn distinct_n_known_answers() {
    known_answers_hold(distinct).unwrap();
}

/// Negative control: n-grams across borders, and the original paper's division by tokens.
#[test]
fn other_counts_are_caught() {
    known_answers_hold(|sequences, n| distinct(&[&sequences.concat()], n)).unwrap_err();
    known_answers_hold(|sequences, n| {
        let per_token = ngram_count(sequences, n) as f64 / sequences.concat().len() as f64;
        Some(distinct(sequences, n)? * per_token)
    })
    .unwrap_err();
}

/// A generator that knows eight errors, and one that has collapsed onto the first of them.
#[test]
fn a_planted_collapse_is_seen() {
    let errors: Vec<[u32; 3]> = (0..8).map(|kind| [kind, 100 + kind, 200 + kind]).collect();
    let rewrites = |kinds: usize| -> Vec<&[u32]> { (0..64).map(|i| &errors[i % kinds][..]).collect() };
    assert_eq!(distinct(&rewrites(8), 3), Some(8.0 / 64.0));
    assert_eq!(distinct(&rewrites(1), 3), Some(1.0 / 64.0));
}

#[test]
#[should_panic(expected = "scratch for 1 of 2 n-grams")]
fn a_short_scratch_panics() {
    distinct_n(&[&[1, 2, 3]], 2, &mut [&[][..]]);
}

#[test]
#[should_panic(expected = "at least one token")]
fn an_empty_ngram_panics() {
    ngram_count(&[&[1]], 0);
}

proptest! {
    #[test]
    fn distinct_n_equals_a_set(
        sequences in prop::collection::vec(prop::collection::vec(0_u32..4, 0..12), 0..6), n in 1..4_usize,
    ) {
        let sequences: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
        let ngrams: Vec<&[u32]> = sequences.iter().flat_map(|sequence| sequence.windows(n)).collect();
        let distinct_ngrams = ngrams.iter().collect::<HashSet<_>>().len();
        prop_assert_eq!(ngram_count(&sequences, n), ngrams.len());
        let expected = (!ngrams.is_empty()).then(|| distinct_ngrams as f64 / ngrams.len() as f64);
        let mut oversized = vec![&[9, 9, 9][..]; ngrams.len() + 3];
        prop_assert_eq!(distinct_n(&sequences, n, &mut oversized), expected);
    }
}
