use core::ops::Range;

use aprm_core::backend::{Backend, VocabDims};
use aprm_core::policy::Sampler;
use aprm_core::scalar::Scalar;
use num_traits::float::FloatCore;
use num_traits::{One, Zero};

use super::Rig;
use crate::naive::policy::log_sum_exp;
use crate::naive::sample as naive;
use crate::{Bounded, Failure, Law, Number};

/// Temperature, top-k, top-p.
const SAMPLERS: [(f64, usize, f64); 9] = [
    (1.0, 0, 1.0),
    (0.7, 0, 1.0),
    (2.5, 0, 1.0),
    (0.0, 0, 1.0),
    (1.0, 1, 1.0),
    (1.3, 5, 1.0),
    (1.0, 0, 0.6),
    (1.0, 0, 0.0),
    (0.7, 9, 0.8),
];

pub(crate) fn sample<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    frequencies(rig)?;
    let shapes = [(0, 3), (3, 1), (31, 2), (65, 17), (7, 257), (5, 1000)];
    for ((rows, vocab), (temperature, top_k, top_p)) in shapes.into_iter().flat_map(|s| SAMPLERS.map(|t| (s, t))) {
        let dims = VocabDims { rows, vocab };
        let sampler = Sampler { temperature: B::Scalar::of(temperature), top_k, top_p: B::Scalar::of(top_p) };
        rig.at((dims, sampler));
        let logits = rig.grid(rows, vocab);
        let uniforms = rig.uniforms(rows);
        let drawn = rig.draw(dims, sampler, &logits, &uniforms)?;
        for r in 0..rows {
            rig.judge(r, sampler, &logits[r * vocab..][..vocab], uniforms[r], &drawn)?;
        }
        let again = rig.draw(dims, sampler, &logits, &uniforms)?;
        rig.same_draws(Law::Repeats, 0, &again, &drawn)?;
        for r in (0..rows).step_by(3) {
            let one = VocabDims { rows: 1, vocab };
            let alone = rig.draw(one, sampler, &logits[r * vocab..][..vocab], &uniforms[r..=r])?;
            rig.same_draws(Law::StandsAlone, r, &alone, &drawn.only(r..r + 1))?;
        }
        if rows > 0 {
            let (row, mut poisoned) = (rows / 2, logits.clone());
            poisoned[row * vocab + vocab / 2] = B::Scalar::nan();
            let tainted = rig.draw(dims, sampler, &poisoned, &uniforms)?;
            rig.same_draws(Law::KeepsNan, 0, &tainted.only(0..row), &drawn.only(0..row))?;
            rig.same_draws(Law::KeepsNan, row + 1, &tainted.only(row + 1..rows), &drawn.only(row + 1..rows))?;
            rig.same_bits(Law::KeepsNan, 1, row, &[tainted.log_probs[row]], &[B::Scalar::nan()])?;
            if tainted.tokens[row] as usize >= vocab {
                return Err(rig.failure(Law::KeepsNan, 0, row, 0.0, tainted.tokens[row].into()));
            }
        }
    }
    Ok(())
}

/// Pearson's statistic of 20 000 draws from eight tokens; with seven degrees of freedom it passes 40 once in a million.
fn frequencies<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    const ROWS: usize = 20_000;
    let dims = VocabDims { rows: ROWS, vocab: 8 };
    let sampler = Sampler { temperature: B::Scalar::of(1.5), ..Sampler::default() };
    rig.at((dims, sampler));
    let logits = rig.grid(1, 8);
    let uniforms = rig.uniforms(ROWS);
    let drawn = rig.draw(dims, sampler, &logits.repeat(ROWS), &uniforms)?;
    let walk = walk(sampler, &logits);
    let total = walk.iter().map(|(_, weight)| weight.value()).sum::<f64>();
    let mut statistic = 0.0;
    for &(token, weight) in &walk {
        let expected = weight.value() / total * ROWS as f64;
        let actual = drawn.tokens.iter().filter(|&&drawn| drawn as usize == token).count() as f64;
        statistic += (actual - expected) * (actual - expected) / expected;
    }
    if statistic < 40.0 { Ok(()) } else { Err(rig.failure(Law::Frequencies, 0, 0, 7.0, statistic)) }
}

/// A token and its log-probability for each row.
#[derive(Debug)]
struct Draws<T> {
    tokens: Vec<u32>,
    log_probs: Vec<T>,
}

impl<T: Clone> Draws<T> {
    fn only(&self, rows: Range<usize>) -> Self {
        Self { tokens: self.tokens[rows.clone()].to_vec(), log_probs: self.log_probs[rows].to_vec() }
    }
}

impl<B: Backend> Rig<B> {
    /// Logits that are multiples of 1/16, so that two of them are equal or far apart; every fifth is masked.
    fn grid(&mut self, rows: usize, vocab: usize) -> Vec<B::Scalar> {
        let sixteenths = self.indices(rows * vocab, 96);
        let logits = sixteenths.iter().map(|&n| B::Scalar::of(f64::from(n) / 16.0 - 3.0));
        let masked = |i: usize| i % vocab % 5 == 2;
        logits.enumerate().map(|(i, logit)| if masked(i) { B::Scalar::neg_infinity() } else { logit }).collect()
    }

    /// Numbers in [0, 1), both ends included where there is room.
    fn uniforms(&mut self, rows: usize) -> Vec<B::Scalar> {
        let largest = B::Scalar::one() - B::Scalar::epsilon();
        let mut uniforms: Vec<_> = self.numbers(rows, 1.0).into_iter().map(|x| x.abs().min(largest)).collect();
        for (uniform, end) in uniforms.iter_mut().zip([B::Scalar::zero(), largest]) {
            *uniform = end;
        }
        uniforms
    }

    fn draw(
        &mut self,
        dims: VocabDims,
        sampler: Sampler<B::Scalar>,
        logits: &[B::Scalar],
        uniforms: &[B::Scalar],
    ) -> Result<Draws<B::Scalar>, Failure> {
        let (logits, uniforms) = (self.upload(logits)?, self.upload(uniforms)?);
        let mut tokens = self.upload_indices(&vec![u32::MAX; dims.rows])?;
        let mut log_probs = self.upload_output(&vec![B::Scalar::nan(); dims.rows])?;
        let drawn = self.backend.sample(dims, sampler, &logits, &uniforms, &mut tokens, &mut log_probs);
        self.succeed(drawn)?;
        Ok(Draws {
            tokens: self.download_indices(0, &tokens, dims.rows)?,
            log_probs: self.download(1, &log_probs, dims.rows)?,
        })
    }

    fn same_draws(
        &self,
        law: Law,
        begin: usize,
        actual: &Draws<B::Scalar>,
        expected: &Draws<B::Scalar>,
    ) -> Result<(), Failure> {
        match actual.tokens.iter().zip(&expected.tokens).position(|(a, e)| a != e) {
            Some(r) => Err(self.failure(law, 0, begin + r, expected.tokens[r].into(), actual.tokens[r].into())),
            None => self.same_bits(law, 1, begin, &actual.log_probs, &expected.log_probs),
        }
    }

    /// The token is the sampler's, or its neighbour where the uniform number lies within rounding of their border.
    fn judge(
        &self,
        r: usize,
        sampler: Sampler<B::Scalar>,
        logits: &[B::Scalar],
        uniform: B::Scalar,
        drawn: &Draws<B::Scalar>,
    ) -> Result<(), Failure> {
        let wide: Vec<f64> = logits.iter().map(|logit| logit.widen()).collect();
        let (mut tokens, mut log_probs) = ([0], [0.0]);
        let dims = VocabDims { rows: 1, vocab: logits.len() };
        let Sampler { temperature, top_k, top_p } = sampler;
        let in_f64 = Sampler { temperature: temperature.widen(), top_k, top_p: top_p.widen() };
        naive::sample(dims, in_f64, &wide, &[uniform.widen()], &mut tokens, &mut log_probs);
        if drawn.tokens[r] != tokens[0] && !near_border(sampler, logits, uniform, drawn.tokens[r] as usize) {
            return Err(self.failure(Law::Agrees, 0, r, tokens[0].into(), drawn.tokens[r].into()));
        }
        let exact: Vec<Bounded<B::Scalar>> = wide.iter().map(|&logit| Bounded::exactly(logit)).collect();
        let log_prob = exact[drawn.tokens[r] as usize] - log_sum_exp(&exact);
        let mut expected: Vec<_> = drawn.log_probs.iter().map(|x| Bounded::exactly(x.widen())).collect();
        expected[r] = log_prob;
        self.agree(Law::Agrees, 1, &drawn.log_probs, &expected)
    }
}

/// What the sampler may draw, with weights, in the order in which it is walked.
fn walk<T: Scalar>(sampler: Sampler<T>, logits: &[T]) -> Vec<(usize, Bounded<T>)> {
    let exactly = |x: T| Bounded::<T>::exactly(x.widen());
    let max = logits.iter().copied().fold(T::neg_infinity(), T::max);
    let mut possible: Vec<usize> = (0..logits.len()).filter(|&v| logits[v] > T::neg_infinity()).collect();
    if sampler.top_k > 0 && sampler.top_k < logits.len() || sampler.top_p < T::one() {
        possible.sort_by(|&a, &b| logits[b].widen().total_cmp(&logits[a].widen()));
    }
    if sampler.top_k > 0 {
        possible.truncate(sampler.top_k);
    }
    let weight = |v: usize| ((exactly(logits[v]) - exactly(max)) / exactly(sampler.temperature)).exp();
    possible.into_iter().map(|v| (v, weight(v))).collect()
}

/// Whether rounding may make `token` of `uniform`.
fn near_border<T: Scalar>(sampler: Sampler<T>, logits: &[T], uniform: T, token: usize) -> bool {
    if sampler.temperature == T::zero() {
        return false;
    }
    let mut walk = walk(sampler, logits);
    let total: Bounded<T> = walk.iter().map(|&(_, weight)| weight).sum();
    // A sum and the threshold it is compared with are off by at most this each, since both are below the total.
    let margin = 2.0 * total.tolerance();
    let mut kept = total.value();
    if sampler.top_p < T::one() {
        let share = sampler.top_p.widen() * total.value();
        let mut sums = cumulative(&walk);
        let last = sums.iter().position(|&sum| sum >= share).unwrap_or(walk.len() - 1);
        let before = last.checked_sub(1).map_or(0.0, |before| sums[before]);
        if (sums[last] - share).abs() <= margin || last > 0 && (before - share).abs() <= margin {
            return walk.iter().any(|&(v, _)| v == token);
        }
        kept = sums[last];
        sums.truncate(last + 1);
        walk.truncate(last + 1);
    }
    let threshold = uniform.widen() * kept;
    let mut cells = walk.iter().zip(cumulative(&walk));
    cells.any(|(&(v, weight), end)| {
        v == token && end - weight.value() - margin <= threshold && threshold <= end + margin
    })
}

fn cumulative<T: Scalar>(walk: &[(usize, Bounded<T>)]) -> Vec<f64> {
    walk.iter()
        .scan(0.0, |sum, (_, weight)| {
            *sum += weight.value();
            Some(*sum)
        })
        .collect()
}
