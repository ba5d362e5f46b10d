//! One check for each part of the library that a controller without an operating system would run.

use core::convert::Infallible;
use core::ops::ControlFlow;

use aprm_core::gae::Successor::{Continue, Terminate};
use aprm_core::gae::gae;
use aprm_core::optimizer::{Host, Ogda, Optimizer};
use aprm_core::oracle::{Oracle, Verdict};
use aprm_core::player::{Label, Player, Position};
use aprm_core::policy::{Sampler, log_softmax_forward};
use aprm_core::ppo::{ClipRange, clipped_surrogate};
use aprm_core::rand_core::{Rng, TryRng};
use aprm_core::reward::{Payoff, PayoffTable};
use aprm_core::round::{Round, Seats, Stage, Streams};
use aprm_core::scalar::Scalar;

/// ‖z_{t+1}‖ / ‖z_t‖ → √((1 + √(1 − 4η²)) / 2) on f(x, y) = xy.
pub fn ogda_contracts_at_its_closed_form() -> bool {
    let learning_rate = 0.3;
    let mut z = [1.0, 1.0];
    let mut ogda = Ogda::new([0.0; 2]);
    let mut norms = [0.0; 2];
    for _ in 0..200 {
        let pseudo_gradient = [z[1], -z[0]];
        let Ok(()) = ogda.step(&mut Host::new(), learning_rate, &pseudo_gradient, &mut z);
        norms = [norms[1], Scalar::sqrt(z[0] * z[0] + z[1] * z[1])];
    }
    let contraction = Scalar::sqrt((1.0 + Scalar::sqrt(1.0 - 4.0 * learning_rate * learning_rate)) / 2.0);
    is_close(norms[1] / norms[0], contraction)
}

/// Adds what it draws to the step on the table.
struct Corruptor;

impl Player<Position<[i64; 2], i64>> for Corruptor {
    type Action = i64;
    type Error = Infallible;

    fn act(&mut self, seen: &Position<[i64; 2], i64>, rng: &mut dyn Rng) -> Result<i64, Infallible> {
        Ok(seen.step + 1 + i64::from(rng.next_u32() % 9))
    }
}

/// Calls a sum correct if its last digit could be.
struct Parity;

impl Player<Position<[i64; 2], i64>> for Parity {
    type Action = Label;
    type Error = Infallible;

    fn act(&mut self, seen: &Position<[i64; 2], i64>, _: &mut dyn Rng) -> Result<Label, Infallible> {
        let is_even = (seen.context[0] + seen.context[1] - seen.step) % 2 == 0;
        Ok(if is_even { Label::Correct } else { Label::Incorrect })
    }
}

struct Addition;

impl Oracle<[i64; 2], i64> for Addition {
    type Error = Infallible;

    fn judge(&mut self, terms: &[i64; 2], _: &i64, step: &i64) -> Result<Verdict, Infallible> {
        Ok(if terms[0] + terms[1] == *step { Verdict::Correct } else { Verdict::Incorrect })
    }
}

pub fn a_round_is_played_to_the_end() -> bool {
    let (mut generator, mut oracle, mut verifier) = (Corruptor, Addition, Parity);
    let reward = PayoffTable::<f64>::default();
    let mut seats = Seats { generator: &mut generator, oracle: &mut oracle, verifier: &mut verifier, reward: &reward };
    let (mut left, mut right) = (SplitMix64(0), SplitMix64(1));
    let mut streams = Streams { generator: &mut left, verifier: &mut right };
    (0..100).all(|term| {
        let mut round = Round::deal([40, term], 40 + term);
        let Ok(reached) = round.play(&mut seats, &mut streams, |_| ControlFlow::Continue(()));
        let is_fooled = (round.position().step - round.gold_step()) % 2 == 0;
        let expected = match is_fooled {
            true => Payoff { generator: 1.0, verifier: 0.0 },
            false => Payoff { generator: 0.0, verifier: 1.0 },
        };
        reached == Stage::Paid && round.verdict() == Some(Verdict::Incorrect) && round.payoff() == Some(expected)
    })
}

/// δ = (0.95, 1.95, 2.5) and A = (0.95 + 0.72 · 3.75, 1.95 + 0.72 · 2.5, 2.5).
pub fn gae_by_hand() -> bool {
    let mut advantages = [f64::NAN; 3];
    gae(&[1.0, 2.0, 3.0], &[0.5; 3], &[Continue, Continue, Terminate], 0.9, 0.8, &mut advantages);
    advantages.iter().zip([3.65, 3.75, 2.5]).all(|(&advantage, expected)| is_close(advantage, expected))
}

/// Inside of the range the gradient is the policy gradient's, outside it is cut.
pub fn ppo_clips() -> bool {
    let clip_range = ClipRange { low: 0.2, high: 0.2 };
    clipped_surrogate(-1.0, -1.0, 3.0, clip_range) == (-3.0, -3.0)
        && clipped_surrogate(-1.0, -1.5, 3.0, clip_range) == (-1.2 * 3.0, 0.0)
}

/// The shares of 4096 draws, within five standard deviations.
pub fn the_sampler_inverts_the_cumulative_distribution() -> bool {
    const DRAWS: u32 = 4096;
    let mut log_probs = [f64::NAN; 3];
    log_softmax_forward(&[Scalar::ln(0.5), Scalar::ln(0.3), Scalar::ln(0.2)], &mut log_probs);
    let (mut scratch, mut rng, mut counts) = ([(0.0, 0); 3], SplitMix64(2), [0_u32; 3]);
    for _ in 0..DRAWS {
        match Sampler::default().sample(&log_probs, &mut scratch, &mut rng) {
            Ok((action, _)) => counts[action] += 1,
            Err(_) => return false,
        }
    }
    counts.iter().zip([0.5, 0.3, 0.2]).all(|(&count, p)| {
        let deviation = f64::from(count) / f64::from(DRAWS) - p;
        deviation * deviation < 25.0 * p * (1.0 - p) / f64::from(DRAWS)
    })
}

fn is_close(actual: f64, expected: f64) -> bool {
    (actual - expected).abs() < 1e-12
}

/// Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
struct SplitMix64(u64);

impl TryRng for SplitMix64 {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| (number >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(z ^ z >> 31)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let Ok(number) = self.try_next_u64();
            chunk.copy_from_slice(&number.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
