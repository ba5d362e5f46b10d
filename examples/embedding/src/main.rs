//! A host program that embeds the game: its own players, its own oracle, its own random numbers and its own event
//! loop, with nothing but aprm-core.
//!
//! The generator learns which way of spoiling a sum the verifier overlooks; the verifier learns to check what is being
//! spoiled. Both follow the policy gradient with OGDA, one event at a time; an entropy bonus keeps them from chasing
//! each other in circles.

use core::convert::Infallible;
use std::collections::VecDeque;

use aprm_core::optimizer::{Host, Ogda, Optimizer};
use aprm_core::oracle::{Oracle, Verdict};
use aprm_core::player::{Label, Player, Position};
use aprm_core::policy::{entropy_backward, log_softmax_backward, log_softmax_forward};
use aprm_core::rand_core::{Rng, TryRng};
use aprm_core::reward::{Payoff, PayoffTable};
use aprm_core::round::{Round, Seats, Stage, Streams};

/// The host's problem: add two numbers. The step is the sum that somebody wrote down.
type Addition = (i64, i64);

const ENTROPY_COEF: f64 = 0.2;

/// A policy over a few choices, kept as logits and trained by the policy gradient.
struct Learner<const CHOICES: usize> {
    logits: [f64; CHOICES],
    ogda: Ogda<[f64; CHOICES], f64>,
    /// The running mean of what it was paid.
    baseline: f64,
    last_choice: usize,
}

impl<const CHOICES: usize> Learner<CHOICES> {
    fn new() -> Self {
        Self { logits: [0.0; CHOICES], ogda: Ogda::new([0.0; CHOICES]), baseline: 0.0, last_choice: 0 }
    }

    fn policy(&self) -> [f64; CHOICES] {
        let mut log_probs = [0.0; CHOICES];
        log_softmax_forward(&self.logits, &mut log_probs);
        log_probs.map(f64::exp)
    }

    fn choose(&mut self, rng: &mut dyn Rng) -> usize {
        let mut rest = f64::from(rng.next_u32()) / f64::from(u32::MAX);
        let policy = self.policy();
        self.last_choice = (0..CHOICES - 1)
            .find(|&choice| {
                rest -= policy[choice];
                rest < 0.0
            })
            .unwrap_or(CHOICES - 1);
        self.last_choice
    }

    fn learn(&mut self, paid: f64) {
        let advantage = paid - self.baseline;
        self.baseline += 0.05 * advantage;
        let mut log_probs = [0.0; CHOICES];
        log_softmax_forward(&self.logits, &mut log_probs);
        let mut grad_log_probs = [0.0; CHOICES];
        grad_log_probs[self.last_choice] = -advantage;
        let (mut grad_logits, mut grad_entropy) = ([0.0; CHOICES], [0.0; CHOICES]);
        log_softmax_backward(&log_probs, &grad_log_probs, &mut grad_logits);
        entropy_backward(&log_probs, -ENTROPY_COEF, &mut grad_entropy);
        for (gradient, bonus) in grad_logits.iter_mut().zip(grad_entropy) {
            *gradient += bonus;
        }
        let Ok(()) = self.ogda.step(&mut Host::new(), 0.05, &grad_logits, &mut self.logits);
    }
}

/// Spoils the units, the tens, or nothing.
struct Spoiler(Learner<3>);

impl Player<Position<Addition, i64>> for Spoiler {
    type Action = i64;
    type Error = Infallible;

    fn act(&mut self, gold: &Position<Addition, i64>, rng: &mut dyn Rng) -> Result<i64, Infallible> {
        Ok(gold.step + [1, 10, 0][self.0.choose(rng)])
    }
}

/// Recomputes the units or compares the size: it has time for one of the two.
struct Checker(Learner<2>);

impl Player<Position<Addition, i64>> for Checker {
    type Action = Label;
    type Error = Infallible;

    fn act(&mut self, seen: &Position<Addition, i64>, rng: &mut dyn Rng) -> Result<Label, Infallible> {
        let (a, b) = seen.context;
        let looks_right = match self.0.choose(rng) {
            0 => (a + b) % 10 == seen.step % 10,
            _ => (a + b) / 10 == seen.step / 10,
        };
        Ok(if looks_right { Label::Correct } else { Label::Incorrect })
    }
}

struct Adder;

impl Oracle<Addition, i64> for Adder {
    type Error = Infallible;

    fn judge(&mut self, &(a, b): &Addition, _gold: &i64, step: &i64) -> Result<Verdict, Infallible> {
        Ok(if a + b == *step { Verdict::Correct } else { Verdict::Incorrect })
    }
}

/// The host's own generator: SplitMix64.
struct SplitMix(u64);

impl TryRng for SplitMix {
    type Error = Infallible;

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(z ^ (z >> 31))
    }

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|bits| (bits >> 32) as u32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.try_next_u64()?.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// What the host's loop works off.
enum Event {
    Deal,
    Advance(Round<Addition, i64, Label, f64>),
    Report,
}

fn main() {
    let (mut generator, mut verifier) = (Spoiler(Learner::new()), Checker(Learner::new()));
    let (mut deals, mut generator_rng, mut verifier_rng) = (SplitMix(1), SplitMix(2), SplitMix(3));
    let reward = PayoffTable::default();

    let mut queue: VecDeque<Event> =
        (0..6).flat_map(|_| core::iter::repeat_with(|| Event::Deal).take(1000).chain([Event::Report])).collect();
    println!("rounds  spoils: units  tens nothing   checks: units  size");
    let mut rounds = 0;
    while let Some(event) = queue.pop_front() {
        match event {
            Event::Deal => {
                let mut number = || 20 + i64::from(deals.next_u32() % 60);
                let (a, b) = (number(), number());
                queue.push_front(Event::Advance(Round::deal((a, b), a + b)));
            }
            // One stage at a time: between any two the host could do something else, or drop the round.
            Event::Advance(mut round) => {
                let mut seats =
                    Seats { generator: &mut generator, oracle: &mut Adder, verifier: &mut verifier, reward: &reward };
                let mut streams = Streams { generator: &mut generator_rng, verifier: &mut verifier_rng };
                let stage = round.advance(&mut seats, &mut streams).unwrap_or_else(|error| match error {});
                match (stage, round.payoff()) {
                    (Stage::Paid, Some(Payoff { generator: to_generator, verifier: to_verifier })) => {
                        generator.0.learn(to_generator);
                        verifier.0.learn(to_verifier);
                        rounds += 1;
                    }
                    _ => queue.push_front(Event::Advance(round)),
                }
            }
            Event::Report => {
                let ([units, tens, nothing], [digits, size]) = (generator.0.policy(), verifier.0.policy());
                println!("{rounds:>6} {units:>14.2} {tens:>5.2} {nothing:>7.2} {digits:>15.2} {size:>5.2}");
            }
        }
    }
}
