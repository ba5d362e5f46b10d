//! Subtrees against beams of width 1 and against plain samples.

use aprm_core::search::beam::Beam;
use aprm_core::search::dvts::Dvts;
use aprm_core::search::{Solver, StepScore};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::beam::run;
use super::{Digits, Scores, Tree, scrambled};

fn run_dvts(mut search: Dvts<u32, u32, f64>, seed: u64) -> Dvts<u32, u32, f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..12 {
        let Ok(()) = search.expand(&(), &mut Digits, &mut scrambled, &mut rng);
    }
    search
}

proptest! {
    #[test]
    fn one_subtree_is_a_beam_of_width_one(children in 1..6_usize, alpha in 0.0..5.0_f64, seed in any::<u64>()) {
        let search = run_dvts(Dvts::new(1, children, alpha), seed);
        let beam = run(Beam::new(1, children, alpha), seed);
        prop_assert!(search.candidates().eq(beam.candidates()));
        prop_assert_eq!(search.best(), beam.best());
        prop_assert_eq!(search.is_finished(), beam.is_finished());
    }

    #[test]
    fn one_child_a_step_is_plain_sampling(subtrees in 1..6_usize, seed in any::<u64>()) {
        let search = run_dvts(Dvts::new(subtrees, 1, 0.0), seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut samples = vec![Vec::new(); subtrees];
        for _ in 0..12 {
            for sample in samples.iter_mut().filter(|sample| sample.last() != Some(&0)) {
                let Ok(step) = Digits.extend(&(), &[sample], &mut rng);
                sample.extend(step);
            }
        }
        prop_assert!(search.candidates().map(|candidate| &candidate.steps).eq(&samples));
        prop_assert_eq!(search.is_finished(), samples.iter().all(|sample| sample.last() == Some(&0)));
    }
}

/// Branch 0 scores high at the first step and leads to poor leaves.
fn deceptive(payoffs: &[f64], solutions: &[&[usize]]) -> Scores {
    let value = |steps: &[usize]| match steps {
        [first] => [0.9, 0.2][first % 2],
        _ => payoffs[steps[0] * 2 + steps[1]],
    };
    let score = |steps: &&[usize]| (1..=steps.len()).map(|n| StepScore::from(value(&steps[..n]))).collect();
    Ok(solutions.iter().map(score).collect())
}

/// A beam fills up with branch 0; a subtree that was dealt branch 1 keeps it.
#[test]
fn subtrees_do_not_crowd_each_other_out() {
    const PAYOFFS: [f64; 4] = [0.1, 0.3, 0.8, 1.0];
    let mut tree = Tree { depth: 2, branches: 2 };
    let mut rng = ChaCha8Rng::seed_from_u64(0);

    let mut beam = Beam::new(1, 2, 0.0);
    let mut search = Dvts::new(2, 1, 0.0);
    while !(beam.is_finished() && search.is_finished()) {
        let Ok(()) = beam.expand(&PAYOFFS[..], &mut tree, &mut deceptive, &mut rng);
        let Ok(()) = search.expand(&PAYOFFS[..], &mut tree, &mut deceptive, &mut rng);
    }
    assert_eq!(beam.best().unwrap().answer(), Some(&1));
    let answers: Vec<_> = search.candidates().filter_map(|candidate| candidate.answer()).collect();
    assert_eq!(answers, [&0, &2]);
    assert_eq!(search.best().unwrap().answer(), Some(&2));
}

#[test]
#[should_panic(expected = "no subtrees")]
fn a_search_without_subtrees_panics() {
    Dvts::<u32, u32, f64>::new(0, 1, 0.0);
}
