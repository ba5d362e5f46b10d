//! Beam search against exhaustive enumeration, a plain beam and plain sampling.

use core::convert::Infallible;
use core::iter::repeat_n;

use aprm_core::rand_core::Rng;
use aprm_core::search::beam::{Beam, Candidate, ExpandError};
use aprm_core::search::{Progress, Scorer, Solver, StepScore};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::{Digits, Scores, Tree, exact_values, scrambled};

const MAX_DEPTH: usize = 12;

pub(super) fn run(mut beam: Beam<u32, u32, f64>, seed: u64) -> Beam<u32, u32, f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..MAX_DEPTH {
        let Ok(()) = beam.expand(&(), &mut Digits, &mut scrambled, &mut rng);
    }
    beam
}

/// The textbook loop over (steps, rank), the finished ones laid aside with their places.
fn plain_beam(width: usize, children: usize, rank: impl Fn(&StepScore<f64>) -> f64, seed: u64) -> Vec<Vec<u32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut finished, mut open) = (Vec::new(), vec![Vec::new()]);
    for _ in 0..MAX_DEPTH {
        let mut ranked: Vec<(f64, Vec<u32>)> = Vec::new();
        for steps in open.iter().flat_map(|steps| repeat_n(steps, children)) {
            let Ok(step) = Digits.extend(&(), &[steps], &mut rng);
            let child = [&steps[..], &step].concat();
            let Ok(scores) = scrambled(&(), &[&child]);
            ranked.push((rank(scores[0].last().unwrap()), child));
        }
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        ranked.truncate(width - finished.len());
        let (done, rest): (Vec<_>, Vec<_>) = ranked.into_iter().map(|r| r.1).partition(|s| s.last() == Some(&0));
        finished.extend(done);
        open = rest;
    }
    finished.extend(open);
    finished
}

fn steps(beam: &Beam<u32, u32, f64>) -> Vec<Vec<u32>> {
    beam.candidates().iter().map(|candidate| candidate.steps.clone()).collect()
}

proptest! {
    #[test]
    fn width_one_with_exact_values_finds_the_best_leaf(payoffs in prop::collection::vec(0.0..1.0_f64, 27)) {
        let mut tree = Tree { depth: 3, branches: 3 };
        let mut values = |payoffs: &[f64], solutions: &[&[usize]]| {
            exact_values(&Tree { depth: 3, branches: 3 }, payoffs, solutions)
        };
        let mut beam = Beam::new(1, 3, 0.0);
        while !beam.is_finished() {
            let Ok(()) = beam.expand(&payoffs[..], &mut tree, &mut values, &mut ChaCha8Rng::seed_from_u64(0));
        }
        let best = payoffs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        prop_assert_eq!(payoffs[*beam.best().unwrap().answer().unwrap()], best);
    }

    #[test]
    fn alpha_zero_is_a_plain_value_beam(width in 1..5_usize, children in 1..5_usize, seed in any::<u64>()) {
        let beam = run(Beam::new(width, children, 0.0), seed);
        prop_assert_eq!(steps(&beam), plain_beam(width, children, |score| score.value, seed));
    }

    #[test]
    fn beam_ranks_by_the_effective_reward(
        width in 1..5_usize, children in 1..5_usize, alpha in 0.0..5.0_f64, seed in any::<u64>(),
    ) {
        let beam = run(Beam::new(width, children, alpha), seed);
        prop_assert_eq!(steps(&beam), plain_beam(width, children, |s| s.value + alpha * s.advantage, seed));
    }

    #[test]
    fn width_and_children_one_is_plain_sampling(alpha in 0.0..5.0_f64, seed in any::<u64>()) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut sample = Vec::new();
        while sample.len() < MAX_DEPTH && sample.last() != Some(&0) {
            let Ok(step) = Digits.extend(&(), &[&sample], &mut rng);
            sample.extend(step);
        }
        prop_assert_eq!(steps(&run(Beam::new(1, 1, alpha), seed)), [sample]);
    }
}

/// Two steps deep: branch 0 looks likely to the solver, branch 1 is the one that makes progress.
///
/// Only the second leads to the leaf of payoff 1; the first ends at 0.4.
fn progress_is_credited(search: fn(f64) -> Beam<usize, usize, f64>) -> Result<(), String> {
    let mut scores = |payoffs: &[f64], solutions: &[&[usize]]| -> Scores {
        let first = |branch| [(0.6, -0.3), (0.3, 0.4)].map(|(value, advantage)| StepScore { value, advantage })[branch];
        let leaf = |steps: &[usize]| StepScore::from(payoffs[steps[0] * 2 + steps[1]]);
        let score = |steps: &&[usize]| [first(steps[0])].into_iter().chain((steps.len() > 1).then(|| leaf(steps)));
        Ok(solutions.iter().map(|steps| score(steps).collect()).collect())
    };
    let mut beam = search(1.0);
    while !beam.is_finished() {
        let mut tree = Tree { depth: 2, branches: 2 };
        let Ok(()) = beam.expand(&[0.4, 0.2, 0.0, 1.0][..], &mut tree, &mut scores, &mut ChaCha8Rng::seed_from_u64(0));
    }
    match beam.best().and_then(|best| best.answer()) {
        Some(3) => Ok(()),
        other => Err(format!("{other:?} is not the leaf that progress leads to")),
    }
}

#[test]
fn effective_reward_finds_what_value_misses() {
    progress_is_credited(|alpha| Beam::new(1, 2, alpha)).unwrap();
}

/// Negative control: a beam that ranks by Q alone walks into the branch that looks likely.
#[test]
fn a_beam_that_forgets_the_advantage_is_caught() {
    progress_is_credited(|_| Beam::new(1, 2, 0.0)).unwrap_err();
}

#[test]
fn the_final_answer_is_chosen_by_value() {
    let mut scores = |payoffs: &[f64], solutions: &[&[usize]]| -> Scores {
        let score = |steps: &&[usize]| vec![StepScore { value: payoffs[steps[0]], advantage: -payoffs[steps[0]] }];
        Ok(solutions.iter().map(score).collect())
    };
    let mut beam = Beam::new(3, 3, 9.0);
    assert_eq!(beam.best(), None, "before the first expansion");
    let mut tree = Tree { depth: 1, branches: 3 };
    let Ok(()) = beam.expand(&[0.1, 0.9, 0.5][..], &mut tree, &mut scores, &mut ChaCha8Rng::seed_from_u64(0));
    assert_eq!(beam.candidates()[0].answer(), Some(&0), "the effective reward ranks the candidates");
    assert_eq!(beam.best().unwrap().answer(), Some(&1), "the value ranks the answers");
}

#[test]
fn a_solution_without_an_answer_wins_only_where_none_has_one() {
    let value = |candidate: &Candidate<_, _, _>| candidate.scores.last().unwrap().value;
    let mut outshone = 0;
    for seed in 0..50 {
        let beam = run(Beam::new(4, 4, 0.0), seed);
        let best = beam.best().unwrap();
        let better: Vec<_> = beam.candidates().iter().filter(|other| value(other) > value(best)).collect();
        assert!(better.iter().all(|other| other.answer().is_none()), "seed {seed}");
        assert!(best.answer().is_some() || beam.candidates().iter().all(|c| c.answer().is_none()), "seed {seed}");
        outshone += better.len();
    }
    assert!(outshone > 0, "no seed shows the case");
}

/// Notes what it is asked, and fails on demand.
struct Watched {
    batches: Vec<Vec<Vec<u32>>>,
    broken: bool,
}

impl Solver<()> for Watched {
    type Step = u32;
    type Answer = u32;
    type Error = &'static str;

    fn extend(&mut self, _: &(), prefixes: &[&[u32]], rng: &mut dyn Rng) -> Result<Vec<u32>, &'static str> {
        if self.broken {
            return Err("unplugged");
        }
        self.batches.push(prefixes.iter().map(|prefix| prefix.to_vec()).collect());
        Ok(prefixes.iter().map(|_| 1 + rng.next_u32() % 4).collect())
    }

    fn progress(&self, _: &(), _: &[u32]) -> Progress<u32> {
        Progress::Open
    }
}

#[test]
fn an_expansion_is_one_batch_with_copies_side_by_side() {
    let mut solver = Watched { batches: Vec::new(), broken: false };
    let mut batches_scored = 0;
    let mut scorer = |problem: &(), solutions: &[&[u32]]| {
        batches_scored += 1;
        scrambled(problem, solutions)
    };
    let mut beam = Beam::new(2, 3, 0.5);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    beam.expand(&(), &mut solver, &mut scorer, &mut rng).unwrap();
    let parents = steps(&beam);
    beam.expand(&(), &mut solver, &mut scorer, &mut rng).unwrap();
    assert_eq!(batches_scored, 2);
    assert_eq!(solver.batches[0], vec![Vec::<u32>::new(); 3]);
    assert_eq!(solver.batches[1], [vec![parents[0].clone(); 3], vec![parents[1].clone(); 3]].concat());
}

#[test]
fn a_failure_leaves_the_beam_as_it_was() {
    let mut solver = Watched { batches: Vec::new(), broken: false };
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut beam = Beam::new(2, 2, 0.0);
    beam.expand(&(), &mut solver, &mut scrambled, &mut rng).unwrap();
    let before = beam.clone();

    let mut full = |_: &(), _: &[&[u32]]| Err::<Vec<Vec<StepScore<f64>>>, _>("out of memory");
    let error = beam.expand(&(), &mut solver, &mut full, &mut rng).unwrap_err();
    assert_eq!(error, ExpandError::Scorer("out of memory"));
    assert_eq!(beam, before);

    solver.broken = true;
    let error = beam.expand(&(), &mut solver, &mut scrambled, &mut rng).unwrap_err();
    assert_eq!(error, ExpandError::Solver("unplugged"));
    assert_eq!(beam, before);

    solver.broken = false;
    beam.expand(&(), &mut solver, &mut scrambled, &mut rng).unwrap();
    assert_eq!(beam.candidates()[0].steps.len(), 2);
}

#[test]
#[should_panic(expected = "one score per step")]
fn a_scorer_that_scores_the_last_step_only_panics() {
    let mut newest = |problem: &(), solutions: &[&[u32]]| {
        let lists = scrambled.score(problem, solutions)?;
        Ok::<_, Infallible>(lists.into_iter().map(|list| list[list.len() - 1..].to_vec()).collect())
    };
    let mut solver = Watched { batches: Vec::new(), broken: false };
    let mut beam = Beam::new(1, 1, 0.0);
    for _ in 0..2 {
        beam.expand(&(), &mut solver, &mut newest, &mut ChaCha8Rng::seed_from_u64(0)).unwrap();
    }
}

#[test]
#[should_panic(expected = "Beam: width 0, children 3")]
fn a_beam_without_width_panics() {
    Beam::<u32, u32, f64>::new(0, 3, 0.0);
}

#[test]
#[should_panic(expected = "Beam: width 3, children 0")]
fn a_beam_without_children_panics() {
    Beam::<u32, u32, f64>::new(3, 0, 0.0);
}
