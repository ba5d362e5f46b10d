//! The recursion against the O(n²) definition, and the known answers.

use aprm_core::gae::Successor::{self, Continue, Interrupt, Terminate};
use aprm_core::gae::gae;
use proptest::prelude::*;

type Estimator = fn(&[f64], &[f64], &[Successor<f64>], f64, f64, &mut [f64]);

fn assert_close(actual: &[f64], expected: &[f64]) {
    assert_eq!(actual.len(), expected.len());
    for (a, e) in actual.iter().zip(expected) {
        assert!((a - e).abs() <= 1e-12 * (1.0 + e.abs()), "{actual:?} is not {expected:?}");
    }
}

/// A_t = Σ_l (γλ)^l δ_{t+l}, summed forwards up to the end of the trajectory, one step at a time.
fn definition(rewards: &[f64], values: &[f64], successors: &[Successor<f64>], gamma: f64, lambda: f64) -> Vec<f64> {
    let next_value = |t: usize| match successors[t] {
        Continue => values[t + 1],
        Terminate => 0.0,
        Interrupt(bootstrap) => bootstrap,
    };
    (0..rewards.len())
        .map(|start| {
            let mut advantage = 0.0;
            for t in start..rewards.len() {
                let td_error = rewards[t] + gamma * next_value(t) - values[t];
                advantage += (gamma * lambda).powi((t - start) as i32) * td_error;
                if successors[t] != Continue {
                    break;
                }
            }
            advantage
        })
        .collect()
}

fn known_answers_hold(gae: Estimator) -> Result<(), String> {
    let cases: [(&[f64], f64, f64, [f64; 3]); 3] = [
        (&[0.5, 0.5, 0.5], 0.9, 0.8, [3.65, 3.75, 2.5]),
        (&[0.0, 0.0, 0.0], 1.0, 1.0, [6.0, 5.0, 3.0]),
        (&[0.5, 0.25, 0.125], 0.9, 0.0, [0.725, 1.8625, 2.875]),
    ];
    for (values, gamma, lambda, expected) in cases {
        let mut advantages = [f64::NAN; 3];
        gae(&[1.0, 2.0, 3.0], values, &[Continue, Continue, Terminate], gamma, lambda, &mut advantages);
        if !advantages.iter().zip(&expected).all(|(a, e)| (a - e).abs() < 1e-12) {
            return Err(format!("{advantages:?} is not {expected:?}"));
        }
    }
    Ok(())
}

#[test]
fn gae_known_answers() {
    known_answers_hold(gae).unwrap();
}

/// Negative control: each of these slips is one that people have shipped.
#[test]
fn a_gae_off_by_one_is_caught() {
    let reads_its_own_value: Estimator = |rewards, values, successors, gamma, lambda, out| {
        let mut shifted = values.to_vec();
        shifted.rotate_right(1);
        gae(rewards, &shifted, successors, gamma, lambda, out);
    };
    let forgets_to_discount: Estimator = |rewards, values, successors, _, lambda, out| {
        gae(rewards, values, successors, 1.0, lambda, out);
    };
    let bootstraps_at_the_end: Estimator = |rewards, values, successors, gamma, lambda, out| {
        let mut open = successors.to_vec();
        *open.last_mut().unwrap() = Interrupt(*values.last().unwrap());
        gae(rewards, values, &open, gamma, lambda, out);
    };
    for sabotaged in [reads_its_own_value, forgets_to_discount, bootstraps_at_the_end] {
        known_answers_hold(sabotaged).unwrap_err();
    }
}

#[test]
fn an_interrupted_trajectory_is_bootstrapped_and_cuts_the_flow() {
    let mut advantages = [f64::NAN; 3];
    gae(&[1.0, 2.0, 3.0], &[0.5; 3], &[Interrupt(10.0), Terminate, Interrupt(0.0)], 0.5, 1.0, &mut advantages);
    assert_close(&advantages, &[1.0 + 5.0 - 0.5, 1.5, 2.5]);
}

#[test]
#[should_panic(expected = "the last step must terminate")]
fn an_open_end_panics() {
    gae(&[1.0], &[0.0], &[Continue], 1.0, 1.0, &mut [0.0]);
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
    fn gae_recursion_equals_definition(
        (rewards, values, successors) in trajectories(), gamma in 0.0..1.0_f64, lambda in 0.0..1.0_f64,
    ) {
        let mut advantages = vec![f64::NAN; rewards.len()];
        gae(&rewards, &values, &successors, gamma, lambda, &mut advantages);
        assert_close(&advantages, &definition(&rewards, &values, &successors, gamma, lambda));
    }
}
