//! Alarms on planted faults, and none on games that go well.

use std::f64::consts::TAU;

use aprm_core::dynamics::{Dynamics, UpdateOrder};
use aprm_core::equilibrium::{Corruption, CorruptionBoard, LogitGradient, Logits, Regularized};
use aprm_core::game::Game;
use aprm_core::optimizer::{GradientDescent, Host, Ogda, Optimizer};
use aprm_core::oracle::Verdict;
use aprm_core::reward::PayoffTable;
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

/// The fooling rate of the exact corruption game after every fifth iteration of a rule.
fn fooling_rates<O: Optimizer<Host<f64>>>(tau: f64, new: impl Fn(usize) -> O) -> Vec<f64> {
    let board = CorruptionBoard::ARITHMETIC;
    let corruption = Corruption { board, reward: PayoffTable::default(), gold_share: 0.5 };
    let game = Regularized::new(corruption, [tau; 2], [0.0; 2], None).unwrap();
    let game = Logits { game: &game, gradient: LogitGradient::Natural };
    let [first, second] = game.dimensions();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut logits: Vec<f64> = (0..first + second).map(|_| rng.random_range(-2.0..2.0)).collect();
    let workspace = vec![0.0; game.workspace_len()];
    let mut dynamics = Dynamics {
        order: UpdateOrder::Simultaneous,
        optimizers: [new(first), new(second)],
        pseudo_gradient: vec![0.0; first + second],
        workspace,
    };
    let mut strategies = vec![0.0; first + second];
    let mut rates = Vec::new();
    for _ in 0..400 {
        for _ in 0..5 {
            dynamics.iterate(&game, 0.1, &mut logits);
        }
        game.strategies(&logits, &mut strategies);
        let (rewrites, labels) = strategies.split_at(first);
        let candidates = board.verdicts.len() / board.item_weights.len();
        let (mut wrong, mut fooled) = (0.0, 0.0);
        for (i, (verdict, &feature)) in board.verdicts.iter().zip(board.candidate_features).enumerate() {
            if *verdict == Verdict::Incorrect {
                let share = board.item_weights[i / candidates] * rewrites[i];
                wrong += share;
                fooled += share * labels[2 * feature];
            }
        }
        rates.push(fooled / wrong);
    }
    rates
}

/// A game with its fault planted: descent and ascent alone, and nothing that holds the players, turn in ever wider circles.
#[test]
fn cycling_is_raised_by_a_game_that_cycles() {
    let descent = |_| GradientDescent;
    let ogda = |dimension| Ogda::new(vec![0.0; dimension]);
    let cases = [
        (true, fooling_rates(0.0, descent)),
        (false, fooling_rates(0.0, ogda)),
        (false, fooling_rates(0.02, descent)),
        (false, fooling_rates(0.02, ogda)),
        (false, fooling_rates(0.1, descent)),
    ];
    for (case, (cycles, rates)) in cases.iter().enumerate() {
        for seed in 0..10 {
            let (mut health, mut rng) = (Health::new(WINDOW, REWRITES), ChaCha8Rng::seed_from_u64(seed));
            let mut raised = Vec::new();
            for (round, &rate) in (0..).zip(rates) {
                let signals = Signals { fooling_rate: Some(sampled(rate, &mut rng)), ..healthy(round, &mut rng) };
                raised.extend(health.observe(signals));
            }
            // As the circles widen, the swing may be gone from a window and come back.
            assert_eq!(!raised.is_empty(), *cycles, "case {case}, seed {seed}: {raised:?}");
            assert!(raised.iter().all(|alarm| *alarm == Alarm::Cycling), "case {case}, seed {seed}: {raised:?}");
        }
    }
}
