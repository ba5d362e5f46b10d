//! The sampler against the distribution that it claims to draw from.

use core::convert::Infallible;

use aprm_core::policy::{NotADistribution, Sampler};
use aprm_core::rand_core::{Rng, SeedableRng, TryRng};
use proptest::prelude::*;
use rand::rngs::ChaCha8Rng;

use super::log_softmax;

const MASKED: f64 = f64::NEG_INFINITY;

/// A generator that returns one number, and counts how often.
struct Fixed {
    number: u64,
    draws: usize,
}

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("the sampler draws a u64")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.draws += 1;
        Ok(self.number)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        unreachable!("the sampler draws a u64")
    }
}

fn draw<R: Rng + ?Sized>(sampler: Sampler<f64>, log_probs: &[f64], rng: &mut R) -> usize {
    let mut scratch = vec![(f64::NAN, usize::MAX); log_probs.len()];
    let (action, log_prob) = sampler.sample(log_probs, &mut scratch, rng).unwrap();
    assert_eq!(log_prob, log_probs[action], "the log-probability is that of the unmodified policy");
    action
}

/// What each action gets when [0, 1) is swept in equal steps.
fn sweep(sampler: Sampler<f64>, log_probs: &[f64], steps: u64) -> Vec<f64> {
    let mut shares = vec![0.0; log_probs.len()];
    for step in 0..steps {
        let mut rng = Fixed { number: (2 * step + 1) * (u64::MAX / (2 * steps)), draws: 0 };
        shares[draw(sampler, log_probs, &mut rng)] += 1.0 / steps as f64;
        assert_eq!(rng.draws, 1);
    }
    shares
}

/// P(i) = w_i / Σ_kept w, straight from the words: an action is kept if fewer than `top_k` precede it and those of them
/// do not yet hold `top_p` of what the top-k hold.
fn definition(sampler: Sampler<f64>, log_probs: &[f64]) -> Vec<f64> {
    let n = log_probs.len();
    let weights: Vec<f64> = log_probs.iter().map(|l| (l / sampler.temperature).exp()).collect();
    let precedes = |a: usize, b: usize| weights[a] > weights[b] || (weights[a] == weights[b] && a < b);
    let top_k: Vec<usize> =
        (0..n).filter(|&b| sampler.top_k == 0 || (0..n).filter(|&a| precedes(a, b)).count() < sampler.top_k).collect();
    let total: f64 = top_k.iter().map(|&i| weights[i]).sum();
    let kept = |b: usize| {
        let before: Vec<usize> = top_k.iter().copied().filter(|&a| precedes(a, b)).collect();
        let held: f64 = before.iter().map(|&a| weights[a]).sum();
        top_k.contains(&b) && (before.is_empty() || sampler.top_p == 1.0 || held < sampler.top_p * total)
    };
    let kept_weights: Vec<f64> = (0..n).map(|i| if kept(i) { weights[i] } else { 0.0 }).collect();
    let sum: f64 = kept_weights.iter().sum();
    kept_weights.iter().map(|weight| weight / sum).collect()
}

fn shares_match(actual: &[f64], expected: &[f64], steps: u64) -> Result<(), String> {
    let agree = actual.iter().zip(expected).all(|(a, e)| (a - e).abs() <= 1.5 / steps as f64);
    if agree { Ok(()) } else { Err(format!("{actual:?} is not {expected:?}")) }
}

#[test]
fn sampler_known_answers() {
    let log_probs = [0.1_f64, 0.4, 0.3, 0.2].map(f64::ln);
    let all = Sampler::default();
    let cases: [(Sampler<f64>, [f64; 4]); 6] = [
        (all, [0.1, 0.4, 0.3, 0.2]),
        (Sampler { temperature: 0.5, ..all }, [1.0 / 30.0, 16.0 / 30.0, 9.0 / 30.0, 4.0 / 30.0]),
        (Sampler { top_k: 2, ..all }, [0.0, 4.0 / 7.0, 3.0 / 7.0, 0.0]),
        (Sampler { top_p: 0.6, ..all }, [0.0, 4.0 / 7.0, 3.0 / 7.0, 0.0]),
        // Of the top two, 4/7 are held by the first alone: top-p works on what top-k left.
        (Sampler { top_k: 2, top_p: 0.5, ..all }, [0.0, 1.0, 0.0, 0.0]),
        (Sampler { top_p: 0.0, ..all }, [0.0, 1.0, 0.0, 0.0]),
    ];
    for (sampler, expected) in cases {
        shares_match(&sweep(sampler, &log_probs, 6000), &expected, 6000).unwrap();
    }
}

/// Negative control.
#[test]
fn a_sabotaged_sampler_is_caught() {
    let log_probs = [0.1_f64, 0.4, 0.3, 0.2].map(f64::ln);
    let asked = Sampler { temperature: 0.5, top_k: 3, top_p: 0.7 };
    shares_match(&sweep(asked, &log_probs, 6000), &definition(asked, &log_probs), 6000).unwrap();
    let multiplies_by_the_temperature = Sampler { temperature: 2.0, ..asked };
    let ignores_the_temperature = Sampler { temperature: 1.0, ..asked };
    let keeps_one_more = Sampler { top_p: 0.9, ..asked };
    let keeps_one_less = Sampler { top_k: 1, ..asked };
    for sabotaged in [multiplies_by_the_temperature, ignores_the_temperature, keeps_one_more, keeps_one_less] {
        shares_match(&sweep(sabotaged, &log_probs, 6000), &definition(asked, &log_probs), 6000).unwrap_err();
    }
}

#[test]
fn temperature_zero_is_greedy_and_draws_nothing() {
    let mut rng = Fixed { number: 0, draws: 0 };
    let greedy = Sampler { temperature: 0.0, ..Sampler::default() };
    assert_eq!(draw(greedy, &log_softmax(&[1.0, 3.0, 3.0, 2.0]), &mut rng), 1);
    assert_eq!(rng.draws, 0);
}

#[test]
fn invert_takes_the_number_that_sample_draws() {
    let log_probs = log_softmax(&[0.0, 0.5, 1.0, 1.5, 2.0]);
    let sampler = Sampler { temperature: 0.7, top_k: 4, top_p: 0.9 };
    for k in 0..64_u64 {
        let mut rng = Fixed { number: k << 58, draws: 0 };
        let inverted = sampler.invert(k as f64 / 64.0, &log_probs, &mut [(0.0, 0); 5]);
        assert_eq!(inverted.map(|(action, _)| action), Ok(draw(sampler, &log_probs, &mut rng)));
    }
    for uniform in [-0.1, 1.0, f64::NAN] {
        std::panic::catch_unwind(|| sampler.invert(uniform, &log_probs, &mut [(0.0, 0); 5])).unwrap_err();
    }
}

/// Long enough that an unstable selection or sort shuffles what it finds equal.
#[test]
fn ties_go_to_the_lower_index() {
    let equal = log_softmax(&[0.0; 200]);
    let kept = |sampler| sweep(sampler, &equal, 2000).iter().filter(|&&share| share > 0.0).count();
    let last = |sampler| draw(sampler, &equal, &mut Fixed { number: u64::MAX, draws: 0 });
    let (top_k, top_p) = (Sampler { top_k: 77, ..Sampler::default() }, Sampler { top_p: 0.5, ..Sampler::default() });
    assert_eq!((kept(top_k), last(top_k)), (77, 76));
    assert_eq!((kept(top_p), last(top_p)), (100, 99));
}

#[test]
fn what_is_kept_is_walked_from_the_most_probable() {
    let log_probs = log_softmax(&(0..200).map(|i| f64::from(i * 37 % 200) / 50.0).collect::<Vec<_>>());
    let first_and_last = |top_k| {
        let sampler = Sampler { top_k, ..Sampler::default() };
        [0, u64::MAX].map(|number| draw(sampler, &log_probs, &mut Fixed { number, draws: 0 }) * 37 % 200)
    };
    assert_eq!(first_and_last(100), [199, 100]);
    // Nothing is cut, so nothing is sorted.
    assert_eq!(first_and_last(200), [0, 199 * 37 % 200]);
    assert_eq!(first_and_last(0), first_and_last(200));
}

#[test]
fn an_impossible_action_is_never_drawn() {
    let log_probs = log_softmax(&[MASKED, 0.0, -1e30, 1.0, MASKED]);
    for number in [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
        for top_k in [0, 4] {
            let sampler = Sampler { top_k, ..Sampler::default() };
            let action = draw(sampler, &log_probs, &mut Fixed { number, draws: 0 });
            assert!(action == 1 || action == 3);
        }
    }
}

#[test]
fn what_is_no_distribution_is_an_error() {
    for temperature in [0.0, 1.0] {
        let sampler = Sampler { temperature, ..Sampler::default() };
        for bad in [vec![], vec![MASKED; 2], vec![f64::NAN, 0.0], vec![MASKED, f64::NAN], vec![f64::INFINITY, 0.0]] {
            let mut scratch = vec![(0.0, 0); bad.len()];
            let mut rng = Fixed { number: 0, draws: 0 };
            assert_eq!(sampler.sample(&bad, &mut scratch, &mut rng), Err(NotADistribution));
        }
    }
}

#[test]
fn senseless_settings_panic() {
    let ok = Sampler::default();
    let bad = [
        Sampler { temperature: -1.0, ..ok },
        Sampler { temperature: f64::NAN, ..ok },
        Sampler { temperature: f64::INFINITY, ..ok },
        Sampler { top_p: -0.1, ..ok },
        Sampler { top_p: 1.1, ..ok },
        Sampler { top_p: f64::NAN, ..ok },
    ];
    for sampler in bad {
        std::panic::catch_unwind(|| draw(sampler, &[0.0], &mut Fixed { number: 0, draws: 0 })).unwrap_err();
    }
}

/// A change of these numbers changes what every recorded seed replays.
#[test]
fn value_stability() {
    let log_probs = log_softmax(&[0.0, 0.5, 1.0, 1.5, 2.0, -0.5, -1.0, 0.25]);
    let first = |sampler: Sampler<f64>| -> Vec<usize> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        (0..12).map(|_| draw(sampler, &log_probs, &mut rng)).collect()
    };
    let plain = Sampler::default();
    assert_eq!(first(plain), [2, 2, 4, 4, 4, 3, 1, 4, 3, 7, 2, 3]);
    assert_eq!(first(Sampler { temperature: 0.7, top_k: 5, top_p: 0.9 }), [4, 4, 3, 3, 3, 4, 4, 2, 4, 1, 4, 4]);
}

/// One seed draws one sequence of actions, whether the policy is held in f32 or f64.
#[test]
fn f32_draws_as_f64_does() {
    let wide = log_softmax(&[0.0, 0.5, 1.0, 1.5, 2.0]);
    let narrow: Vec<f32> = wide.iter().map(|&l| l as f32).collect();
    let (mut a, mut b) = (ChaCha8Rng::seed_from_u64(3), ChaCha8Rng::seed_from_u64(3));
    for _ in 0..1000 {
        let sampler = Sampler { temperature: 1.0_f32, top_k: 0, top_p: 1.0 };
        let (action, _) = sampler.sample(&narrow, &mut [(0.0, 0); 5], &mut b).unwrap();
        assert_eq!(draw(Sampler::default(), &wide, &mut a as &mut dyn Rng), action);
    }
}

/// Pearson's statistic for 40 000 draws from eight actions; with seven degrees of freedom it passes 40 once in a million.
fn chi_square(sampler: Sampler<f64>, expected: &[f64], log_probs: &[f64]) -> f64 {
    let draws = 40_000;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut counts = vec![0.0; log_probs.len()];
    for _ in 0..draws {
        counts[draw(sampler, log_probs, &mut rng)] += 1.0;
    }
    let cells = counts.iter().zip(expected).map(|(count, share)| (count, share * f64::from(draws)));
    cells.map(|(count, expected)| (count - expected).powi(2) / expected).sum()
}

#[test]
fn draws_follow_the_distribution() {
    let log_probs = log_softmax(&[0.0, 0.5, 1.0, 1.5, 2.0, -0.5, -1.0, 0.25]);
    for temperature in [0.5, 1.0, 3.0] {
        let sampler = Sampler { temperature, ..Sampler::default() };
        assert!(chi_square(sampler, &definition(sampler, &log_probs), &log_probs) < 40.0);
    }
    // Negative control: a temperature that is five per cent off.
    let off = Sampler { temperature: 1.05, ..Sampler::default() };
    assert!(chi_square(off, &definition(Sampler::default(), &log_probs), &log_probs) > 40.0);
}

proptest! {
    #[test]
    fn sampler_equals_definition(
        logits in prop::collection::vec(-3.0..3.0, 1..10),
        temperature in 0.2..3.0_f64,
        top_k in 0..12_usize,
        top_p in 0.0..=1.0_f64,
    ) {
        let (sampler, log_probs) = (Sampler { temperature, top_k, top_p }, log_softmax(&logits));
        shares_match(&sweep(sampler, &log_probs, 500), &definition(sampler, &log_probs), 500).unwrap();
    }
}
