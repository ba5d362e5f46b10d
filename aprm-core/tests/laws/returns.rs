//! The recursions against the O(n²) definitions, and against each other.

use aprm_core::gae::Successor::{self, Continue, Interrupt, Terminate};
use aprm_core::gae::gae;
use aprm_core::returns::{min_return, returns};
use proptest::prelude::*;

type Credit = fn(&[f64], &[Successor<f64>], &mut [f64]);

/// Rewards, successors and what the steps are credited with.
type Credited<'a> = (&'a [f64], &'a [Successor<f64>], &'a [f64]);

fn write(
    credit: impl Fn(&[f64], &[Successor<f64>], &mut [f64]),
    rewards: &[f64],
    successors: &[Successor<f64>],
) -> Vec<f64> {
    let mut out = vec![f64::NAN; rewards.len()];
    credit(rewards, successors, &mut out);
    out
}

fn discounted(gamma: f64) -> impl Fn(&[f64], &[Successor<f64>], &mut [f64]) {
    move |rewards, successors, out| returns(rewards, successors, gamma, out)
}

/// The rewards from `start` to the end of its trajectory, and what a bootstrapped end adds.
fn to_go(rewards: &[f64], successors: &[Successor<f64>], start: usize) -> Vec<f64> {
    let end = (start..rewards.len()).find(|&t| successors[t] != Continue).unwrap();
    let mut to_go = rewards[start..=end].to_vec();
    if let Interrupt(bootstrap) = successors[end] {
        to_go.push(bootstrap);
    }
    to_go
}

#[test]
fn returns_known_answers() {
    let rewards = [1.0, 2.0, 4.0, 8.0];
    assert_eq!(write(discounted(0.5), &rewards, &[Continue, Continue, Continue, Terminate]), [4.0, 6.0, 8.0, 8.0]);
    assert_eq!(write(discounted(0.5), &rewards, &[Continue, Terminate, Continue, Terminate]), [2.0, 2.0, 8.0, 8.0]);
    assert_eq!(write(discounted(0.5), &rewards[..2], &[Continue, Interrupt(6.0)]), [3.5, 5.0]);
    assert_eq!(write(discounted(0.0), &rewards, &[Continue, Continue, Continue, Interrupt(9.0)]), rewards);
    assert_eq!(write(discounted(1.0), &[], &[]), [0.0; 0]);
}

fn min_return_known_answers_hold(min_return: Credit) -> Result<(), String> {
    let cases: [Credited; 4] = [
        (&[0.9, 0.2, 0.8, 0.6], &[Continue, Continue, Continue, Terminate], &[0.2, 0.2, 0.6, 0.6]),
        (&[0.9, 0.2, 0.8, 0.6], &[Continue, Terminate, Continue, Terminate], &[0.2, 0.2, 0.6, 0.6]),
        (&[0.1, 0.9, 0.8], &[Terminate, Continue, Terminate], &[0.1, 0.8, 0.8]),
        (&[0.9, 0.5, 0.7], &[Continue, Interrupt(0.3), Interrupt(2.0)], &[0.3, 0.3, 0.7]),
    ];
    for (rewards, successors, expected) in cases {
        let actual = write(min_return, rewards, successors);
        if actual != expected {
            return Err(format!("{actual:?} is not {expected:?}"));
        }
    }
    Ok(())
}

#[test]
fn min_return_known_answers() {
    min_return_known_answers_hold(min_return).unwrap();
}

/// Negative control.
#[test]
fn a_sabotaged_min_return_is_caught() {
    let of_the_past_too: Credit = |rewards, _, out| out.fill(rewards.iter().copied().fold(f64::INFINITY, f64::min));
    let leaves_the_step_out: Credit = |rewards, successors, out| {
        min_return(rewards, successors, out);
        out.rotate_left(1);
    };
    let bottoms_out_at_zero: Credit = |rewards, successors, out| {
        let ends_at_zero = |&next: &_| if next == Terminate { Interrupt(0.0) } else { next };
        min_return(rewards, &successors.iter().map(ends_at_zero).collect::<Vec<_>>(), out);
    };
    let sums: Credit = |rewards, successors, out| returns(rewards, successors, 1.0, out);
    for sabotaged in [of_the_past_too, leaves_the_step_out, bottoms_out_at_zero, sums] {
        min_return_known_answers_hold(sabotaged).unwrap_err();
    }
}

#[test]
fn a_nan_reward_is_not_hidden_and_stays_in_its_trajectory() {
    let rewards = [0.5, 0.5, f64::NAN, 0.1];
    let successors = [Terminate, Continue, Continue, Terminate];
    for out in [write(min_return, &rewards, &successors), write(discounted(1.0), &rewards, &successors)] {
        assert!(out[1].is_nan() && out[2].is_nan());
        assert_eq!((out[0], out[3]), (0.5, 0.1));
    }
}

#[test]
#[should_panic(expected = "the last step must terminate")]
fn an_open_end_panics() {
    write(min_return, &[1.0], &[Continue]);
}

fn trajectories() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<Successor<f64>>)> {
    let successor = prop_oneof![4 => Just(Continue), 1 => Just(Terminate), 1 => (-2.0..2.0).prop_map(Interrupt)];
    prop::collection::vec((-2.0..2.0, -2.0..2.0, successor), 1..40).prop_map(|steps| {
        let mut successors: Vec<_> = steps.iter().map(|step| step.2).collect();
        if successors.last() == Some(&Continue) {
            *successors.last_mut().unwrap() = Terminate;
        }
        (steps.iter().map(|s| s.0).collect(), steps.iter().map(|s| s.1).collect(), successors)
    })
}

proptest! {
    #[test]
    fn returns_equal_definition((rewards, _, successors) in trajectories(), gamma in 0.0..1.0_f64) {
        let actual = write(discounted(gamma), &rewards, &successors);
        for (t, actual) in actual.iter().enumerate() {
            let to_go = to_go(&rewards, &successors, t);
            let definition: f64 = to_go.iter().enumerate().map(|(l, reward)| gamma.powi(l as i32) * reward).sum();
            prop_assert!((actual - definition).abs() < 1e-12);
        }
    }

    #[test]
    fn min_return_equals_definition((rewards, _, successors) in trajectories()) {
        let actual = write(min_return, &rewards, &successors);
        for (t, &actual) in actual.iter().enumerate() {
            prop_assert_eq!(actual, to_go(&rewards, &successors, t).into_iter().fold(f64::INFINITY, f64::min));
        }
    }

    /// With λ = 1 the advantage is the return less the value, whatever the values.
    #[test]
    fn gae_at_lambda_one_reduces_to_returns((rewards, values, successors) in trajectories(), gamma in 0.0..1.0_f64) {
        let mut advantages = vec![f64::NAN; rewards.len()];
        gae(&rewards, &values, &successors, gamma, 1.0, &mut advantages);
        let returns = write(discounted(gamma), &rewards, &successors);
        for t in 0..rewards.len() {
            prop_assert!((advantages[t] + values[t] - returns[t]).abs() < 1e-12);
        }
    }
}
