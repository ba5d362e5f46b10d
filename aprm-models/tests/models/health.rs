//! Alarms on planted faults, and none on games that go well.

use std::f64::consts::TAU;

use aprm_models::aprm::health::{Alarm, Health, Signals};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const WINDOW: usize = 10;
const REWRITES: usize = 96;

fn healthy(round: u64, rng: &mut ChaCha8Rng) -> Signals {
    // It rises as the generator learns and settles as the verifier does.
    let rate = 0.35 - 0.15 * (-(round as f64) / 30.0).exp();
    Signals {
        round,
        fooling_rate: Some(sampled(rate, rng)),
        harmless_share: 0.05,
        distinct_1: Some(0.03),
        distinct_2: Some(0.25 - 0.05 * rng.random::<f64>()),
        generator_kl: 0.2,
        verifier_loss: 0.5,
        skipped: false,
    }
}

/// A rate as so many rewrites show it.
fn sampled(rate: f64, rng: &mut ChaCha8Rng) -> f64 {
    (0..REWRITES).filter(|_| rng.random::<f64>() < rate).count() as f64 / REWRITES as f64
}

/// All alarms of two hundred rounds, in which a fault comes after the fiftieth.
fn alarms(seed: u64, fault: impl Fn(&mut Signals, &mut ChaCha8Rng)) -> Vec<(u64, Alarm)> {
    let (mut health, mut rng) = (Health::new(WINDOW, REWRITES), ChaCha8Rng::seed_from_u64(seed));
    let mut raised = Vec::new();
    for round in 0..200 {
        let mut signals = healthy(round, &mut rng);
        if round > 50 {
            fault(&mut signals, &mut rng);
        }
        raised.extend(health.observe(signals).into_iter().map(|alarm| (round, alarm)));
    }
    raised
}

#[test]
fn a_healthy_game_raises_no_alarm() {
    for seed in 0..100 {
        assert_eq!(alarms(seed, |_, _| ()), [], "seed {seed}");
    }
}

#[test]
fn each_fault_raises_its_alarm_and_no_other() {
    type Fault = fn(&mut Signals, &mut ChaCha8Rng);
    let faults: [(Alarm, Fault); 7] = [
        (Alarm::ModeCollapse, |signals, _| signals.distinct_2 = Some(0.05)),
        (Alarm::ModeCollapse, |signals, _| signals.distinct_2 = None),
        (Alarm::RewardHacking, |signals, _| signals.harmless_share = 0.7),
        (Alarm::Divergence, |signals, _| signals.skipped = true),
        (Alarm::Divergence, |signals, _| signals.generator_kl = 4.0),
        (Alarm::Divergence, |signals, _| signals.verifier_loss = 2.0),
        (Alarm::Cycling, |signals, rng| {
            signals.fooling_rate = Some(sampled(0.5 + 0.3 * (TAU * signals.round as f64 / 20.0).sin(), rng));
        }),
    ];
    for (expected, fault) in faults {
        for seed in 0..10 {
            let raised = alarms(seed, fault);
            // Once, for as long as it lasts; and not before it is there.
            assert!(
                matches!(raised[..], [(round, alarm)] if alarm == expected && round > 50),
                "{expected}: {raised:?}"
            );
        }
    }
}

/// A spiral that dies down is how an optimistic method settles.
#[test]
fn a_game_that_settles_does_not_cycle() {
    for seed in 0..10 {
        let (mut health, mut rng) = (Health::new(WINDOW, REWRITES), ChaCha8Rng::seed_from_u64(seed));
        for round in 0..200 {
            let rate = 0.4 + 0.3 * (-(round as f64) / 12.0).exp() * (TAU * round as f64 / 20.0).sin();
            let signals = Signals { fooling_rate: Some(sampled(rate, &mut rng)), ..healthy(round, &mut rng) };
            assert_eq!(health.observe(signals), [], "seed {seed}, round {round}");
        }
    }
}

#[test]
fn a_swing_that_dies_down_in_the_middle_of_a_game_is_no_cycle() {
    for seed in 0..10 {
        let (mut health, mut rng) = (Health::new(WINDOW, REWRITES), ChaCha8Rng::seed_from_u64(seed));
        for round in 0..250_u64 {
            let since = round.saturating_sub(50) as f64;
            let rate = 0.4 + 0.3 * (-since / 12.0).exp() * (TAU * since / 20.0).sin();
            let signals = Signals { fooling_rate: Some(sampled(rate, &mut rng)), ..healthy(round, &mut rng) };
            assert_eq!(health.observe(signals), [], "seed {seed}, round {round}");
        }
    }
}

#[test]
fn an_alarm_comes_back_only_after_its_sign_was_gone() {
    let (mut health, mut rng) = (Health::new(WINDOW, REWRITES), ChaCha8Rng::seed_from_u64(1));
    let mut raised = Vec::new();
    for round in 0..120 {
        let mut signals = healthy(round, &mut rng);
        if (30..50).contains(&round) || (80..100).contains(&round) {
            signals.harmless_share = 0.9;
        }
        raised.extend(health.observe(signals));
    }
    assert_eq!(raised, [Alarm::RewardHacking; 2]);
}

#[test]
fn a_collapse_in_the_first_rounds_is_seen() {
    let (mut health, mut rng) = (Health::new(WINDOW, REWRITES), ChaCha8Rng::seed_from_u64(1));
    let mut raised = Vec::new();
    for round in 0..40 {
        let mut signals = healthy(round, &mut rng);
        if round > 0 {
            signals.distinct_2 = Some(0.04);
        }
        raised.extend(health.observe(signals));
    }
    assert_eq!(raised, [Alarm::ModeCollapse]);
}
