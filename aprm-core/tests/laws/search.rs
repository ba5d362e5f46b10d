//! Two solvers and two scorers, and the laws of choosing among answers.
#![cfg(feature = "alloc")]

use core::convert::Infallible;

use aprm_core::rand_core::Rng;
use aprm_core::search::{Progress, Solver, StepScore};

mod beam;
mod best_of_n;
mod dvts;

type Scores = Result<Vec<Vec<StepScore<f64>>>, Infallible>;

/// A tree of `depth` levels that gives the copies of a prefix the branches 0, 1, 2 … in turn.
///
/// The answer is the leaf's index among all leaves.
struct Tree {
    depth: usize,
    branches: usize,
}

impl Tree {
    fn leaf(&self, steps: &[usize]) -> usize {
        steps.iter().fold(0, |leaf, branch| leaf * self.branches + branch)
    }
}

impl Solver<[f64]> for Tree {
    type Step = usize;
    type Answer = usize;
    type Error = Infallible;

    fn extend(&mut self, _: &[f64], prefixes: &[&[usize]], _: &mut dyn Rng) -> Result<Vec<usize>, Infallible> {
        let copies_before = |i: usize| prefixes[..i].iter().filter(|prefix| **prefix == prefixes[i]).count();
        Ok((0..prefixes.len()).map(|i| copies_before(i) % self.branches).collect())
    }

    fn progress(&self, _: &[f64], steps: &[usize]) -> Progress<usize> {
        if steps.len() < self.depth { Progress::Open } else { Progress::Finished(Some(self.leaf(steps))) }
    }
}

/// The exact value of each step under optimal play: the payoff of the best leaf below it.
fn exact_values(tree: &Tree, payoffs: &[f64], solutions: &[&[usize]]) -> Scores {
    let value = |prefix: &[usize]| {
        let leaves = tree.branches.pow((tree.depth - prefix.len()) as u32);
        let first = tree.leaf(prefix) * leaves;
        payoffs[first..first + leaves].iter().copied().fold(f64::NEG_INFINITY, f64::max)
    };
    let score = |steps: &&[usize]| (1..=steps.len()).map(|n| StepScore::from(value(&steps[..n]))).collect();
    Ok(solutions.iter().map(score).collect())
}

/// Draws digits and stops at a zero; the answer is their sum, or none where it is odd.
struct Digits;

impl Solver<()> for Digits {
    type Step = u32;
    type Answer = u32;
    type Error = Infallible;

    fn extend(&mut self, _: &(), prefixes: &[&[u32]], rng: &mut dyn Rng) -> Result<Vec<u32>, Infallible> {
        Ok(prefixes.iter().map(|_| rng.next_u32() % 5).collect())
    }

    fn progress(&self, _: &(), steps: &[u32]) -> Progress<u32> {
        let sum: u32 = steps.iter().sum();
        match steps.last() {
            Some(0) => Progress::Finished((sum % 2 == 0).then_some(sum)),
            _ => Progress::Open,
        }
    }
}

/// Scores that depend on all of a prefix and have no order that the digits share.
fn scrambled(_: &(), solutions: &[&[u32]]) -> Scores {
    let score = |prefix: &[u32]| {
        let hash = prefix.iter().fold(17_u32, |hash, digit| hash.wrapping_mul(2_654_435_761).wrapping_add(digit + 1));
        let unit = |bits: u32| f64::from(bits % 1_000) / 1_000.0;
        StepScore { value: unit(hash >> 4), advantage: unit(hash >> 16) - 0.5 }
    };
    Ok(solutions.iter().map(|steps| (1..=steps.len()).map(|n| score(&steps[..n])).collect()).collect())
}
