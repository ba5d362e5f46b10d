//! What counts as fooled, and out of what.

use aprm_core::metrics::fooling_rate::FoolingRate;
use aprm_core::oracle::Verdict::{self, Correct, Incorrect, Undecidable};

const ROUND: [(Verdict, bool); 8] = [
    (Incorrect, true),
    (Incorrect, false),
    (Incorrect, false),
    (Incorrect, false),
    (Correct, true),
    (Correct, false),
    (Correct, true),
    (Undecidable, true),
];

fn known_answers_hold(observe: fn(&mut FoolingRate, Verdict, bool)) -> Result<(), String> {
    let mut rewrites = FoolingRate::default();
    for (verdict, says_correct) in ROUND {
        observe(&mut rewrites, verdict, says_correct);
    }
    let shares = [rewrites.fooling_rate(), rewrites.uncorrupted_share(), rewrites.undecidable_share()];
    let expected = [Some(0.25), Some(0.375), Some(0.125)];
    if shares == expected { Ok(()) } else { Err(format!("{shares:?} is not {expected:?}")) }
}

#[test]
fn fooling_rate_known_answers() {
    known_answers_hold(FoolingRate::observe).unwrap();
}

/// Negative control: a generator that hides from the oracle must not look like one that fools the verifier.
#[test]
fn undecidable_steps_counted_as_incorrect_are_caught() {
    known_answers_hold(|rewrites, verdict, says_correct| {
        rewrites.observe(if verdict == Undecidable { Incorrect } else { verdict }, says_correct);
    })
    .unwrap_err();
    known_answers_hold(|rewrites, verdict, says_correct| rewrites.observe(verdict, !says_correct)).unwrap_err();
}

#[test]
fn rates_are_not_defined_without_their_steps() {
    let mut rewrites = FoolingRate::default();
    assert_eq!(
        (rewrites.fooling_rate(), rewrites.uncorrupted_share(), rewrites.undecidable_share()),
        (None, None, None)
    );
    rewrites.observe(Correct, true);
    assert_eq!((rewrites.fooling_rate(), rewrites.uncorrupted_share()), (None, Some(1.0)));
}
