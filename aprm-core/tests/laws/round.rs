//! The round as a state machine: order, what each participant sees, stops and failures.

use core::ops::ControlFlow;

use aprm_core::oracle::Verdict;
use aprm_core::player::{Label, Position};
use aprm_core::rand_core::Rng;
use aprm_core::reward::{Payoff, PayoffTable};
use aprm_core::round::{Round, RoundError, Seats, Stage, Streams};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

type TestRound = Round<&'static str, i64, Label, f64>;

/// A verifier's label that knows how likely it was.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ScoredLabel {
    label: Label,
    log_prob: f64,
}

impl From<ScoredLabel> for Label {
    fn from(scored: ScoredLabel) -> Self {
        scored.label
    }
}

fn equality(_: &&str, gold: &i64, step: &i64) -> Result<Verdict, &'static str> {
    Ok(if gold == step { Verdict::Correct } else { Verdict::Incorrect })
}

fn streams(run: impl FnOnce(&mut Streams<'_>)) {
    let (mut left, mut right) = (ChaCha8Rng::seed_from_u64(1), ChaCha8Rng::seed_from_u64(2));
    run(&mut Streams { generator: &mut left, verifier: &mut right });
}

#[test]
fn each_participant_sees_what_it_may() {
    let mut generator = |seen: &Position<&str, i64>, _: &mut dyn Rng| {
        assert_eq!((seen.context, seen.step), ("40 + 2", 42));
        Ok::<_, &str>(43)
    };
    let mut oracle = |context: &&str, gold: &i64, step: &i64| {
        assert_eq!((*context, *gold, *step), ("40 + 2", 42, 43));
        Ok::<_, &str>(Verdict::Incorrect)
    };
    let mut verifier = |seen: &Position<&str, i64>, _: &mut dyn Rng| {
        assert_eq!((seen.context, seen.step), ("40 + 2", 43), "the verifier never sees the gold step");
        Ok::<_, &str>(Label::Correct)
    };
    let reward = PayoffTable::default();
    let mut seats = Seats { generator: &mut generator, oracle: &mut oracle, verifier: &mut verifier, reward: &reward };
    streams(|streams| {
        let mut round = TestRound::deal("40 + 2", 42);
        let mut stages = vec![round.stage()];
        while *stages.last().unwrap() < Stage::Paid {
            stages.push(round.advance(&mut seats, streams).unwrap());
        }
        assert_eq!(stages, [Stage::Dealt, Stage::Perturbed, Stage::Judged, Stage::Labelled, Stage::Paid]);
        assert_eq!((*round.gold_step(), round.position().step), (42, 43));
        assert_eq!(round.payoff(), Some(Payoff { generator: 1.0, verifier: 0.0 }));
        let over = round;
        assert_eq!(round.advance(&mut seats, streams), Ok(Stage::Paid));
        assert_eq!(round, over);
    });
}

#[test]
fn an_observer_sees_every_stage_and_may_stop_between_any_two() {
    let mut generator = |seen: &Position<&str, i64>, _: &mut dyn Rng| Ok::<_, &str>(seen.step);
    let mut verifier = |_: &Position<&str, i64>, _: &mut dyn Rng| Ok::<_, &str>(Label::Incorrect);
    let mut oracle = equality;
    let reward = PayoffTable::default();
    let mut seats = Seats { generator: &mut generator, oracle: &mut oracle, verifier: &mut verifier, reward: &reward };
    streams(|streams| {
        for stop in [Stage::Perturbed, Stage::Judged, Stage::Labelled, Stage::Paid] {
            let mut round = TestRound::deal("", 1);
            let mut seen = Vec::new();
            let reached = round.play(&mut seats, streams, |round| {
                seen.push(round.stage());
                if round.stage() == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            assert_eq!(reached, Ok(stop));
            assert_eq!(seen.last(), Some(&stop));
            // What was stopped goes on as if it had not been.
            assert_eq!(round.play(&mut seats, streams, |_| ControlFlow::Continue(())), Ok(Stage::Paid));
            assert_eq!(round.payoff(), Some(Payoff { generator: -1.0, verifier: 0.0 }));
        }
    });
}

#[test]
fn a_failure_leaves_the_round_where_it_was() {
    let mut failures_left = 3;
    let mut fails = || {
        failures_left -= 1;
        failures_left >= 0
    };
    let broken = core::cell::RefCell::new(&mut fails);
    let fail = |at: &'static str| if (broken.borrow_mut())() { Err(at) } else { Ok(()) };
    let mut generator = |seen: &Position<&str, i64>, _: &mut dyn Rng| fail("generator").map(|()| seen.step + 1);
    let mut oracle = |_: &&str, _: &i64, _: &i64| fail("oracle").map(|()| Verdict::Incorrect);
    let mut verifier = |_: &Position<&str, i64>, _: &mut dyn Rng| fail("verifier").map(|()| Label::Incorrect);
    let reward = PayoffTable::default();
    let mut seats = Seats { generator: &mut generator, oracle: &mut oracle, verifier: &mut verifier, reward: &reward };
    streams(|streams| {
        let mut round = TestRound::deal("", 1);
        for _ in 0..3 {
            let before = round;
            assert_eq!(round.advance(&mut seats, streams), Err(RoundError::Generator("generator")));
            assert_eq!(round, before);
        }
        assert_eq!(round.play(&mut seats, streams, |_| ControlFlow::Continue(())), Ok(Stage::Paid));
        assert_eq!(round.payoff(), Some(Payoff { generator: 0.0, verifier: 1.0 }));
    });
}

/// One player's draws do not depend on the other's.
#[test]
fn players_draw_from_streams_of_their_own() {
    let played = |generator_draws: usize| {
        let mut generator = |seen: &Position<&str, i64>, rng: &mut dyn Rng| {
            (0..generator_draws).for_each(|_| {
                rng.next_u32();
            });
            Ok::<_, &str>(seen.step)
        };
        let mut verifier = |_: &Position<&str, i64>, rng: &mut dyn Rng| {
            let label = if rng.next_u32() % 2 == 0 { Label::Correct } else { Label::Incorrect };
            Ok::<_, &str>(ScoredLabel { label, log_prob: 0.5_f64.ln() })
        };
        let reward = PayoffTable::<f64>::default();
        let mut oracle = equality;
        let mut seats =
            Seats { generator: &mut generator, oracle: &mut oracle, verifier: &mut verifier, reward: &reward };
        let mut labels = Vec::new();
        streams(|streams| {
            for _ in 0..20 {
                let mut round = Round::deal("", 1);
                round.play(&mut seats, streams, |_| ControlFlow::Continue(())).unwrap();
                labels.push(*round.label().unwrap());
            }
        });
        labels
    };
    assert_eq!(played(0), played(5));
}
