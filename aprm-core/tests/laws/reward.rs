//! Payoff tables, cell by cell, and the reward functions of the other two systems.

use aprm_core::oracle::Verdict::{self, Correct, Incorrect, Undecidable};
use aprm_core::player::Label;
use aprm_core::reward::{KlPenalized, Payoff, PayoffTable, Reward, WithLogRatio, ZeroSum, adv_rm, pav};
use proptest::prelude::*;

const OUTCOMES: [(Verdict, Label); 6] = [
    (Incorrect, Label::Correct),
    (Incorrect, Label::Incorrect),
    (Correct, Label::Correct),
    (Correct, Label::Incorrect),
    (Undecidable, Label::Correct),
    (Undecidable, Label::Incorrect),
];

fn cells(reward: &impl Reward<(Verdict, Label), Scalar = f64>) -> [(f64, f64); 6] {
    OUTCOMES.map(|outcome| {
        let Payoff { generator, verifier } = reward.payoff(&outcome);
        (generator, verifier)
    })
}

#[test]
fn payoff_table_cells() {
    let default = [(1.0, 0.0), (0.0, 1.0), (-1.0, 1.0), (-1.0, 0.0), (-1.0, 0.0), (-1.0, 0.0)];
    assert_eq!(cells(&PayoffTable::default()), default);
    let configured = PayoffTable { fooled: 3.0, detected: -2.0, uncorrupted: 0.5 };
    assert_eq!(cells(&configured), [(3.0, 0.0), (-2.0, 1.0), (0.5, 1.0), (0.5, 0.0), (0.5, 0.0), (0.5, 0.0)]);
}

#[test]
fn zero_sum_cells_add_to_zero_and_keep_the_verifiers_column() {
    for ((zero_sum, general_sum), outcome) in
        cells(&ZeroSum::new()).into_iter().zip(cells(&PayoffTable::default())).zip(OUTCOMES)
    {
        assert_eq!(zero_sum.0 + zero_sum.1, 0.0);
        if outcome.0 != Undecidable {
            assert_eq!(zero_sum.1, general_sum.1);
        }
    }
}

/// Neither table pays the generator more for a step that cannot be parsed than for one that it left right, and the
/// verifier gains nothing by either label.
#[test]
fn undecidable_steps_never_pay() {
    for cells in [cells(&PayoffTable::default()), cells(&ZeroSum::new())] {
        assert!(cells[4].0 <= cells[2].0 && cells[5].0 <= cells[2].0);
        assert_eq!(cells[4].1, cells[5].1);
    }
}

proptest! {
    /// r̃ = r − τ (log π − log π_ref); over the policy its mean is E[r] − τ KL.
    #[test]
    fn kl_penalised_reward_averages_to_reward_less_kl(p in 0.05..0.95_f64, q in 0.05..0.95_f64, tau in 0.0..2.0_f64) {
        let reward = KlPenalized {
            reward: PayoffTable::default(),
            kl_coef: Payoff { generator: 0.0, verifier: tau },
        };
        let (labels, policy, reference) = ([Label::Correct, Label::Incorrect], [p, 1.0 - p], [q, 1.0 - q]);
        let (mut mean, mut kl, mut plain) = (0.0, 0.0, 0.0);
        for i in 0..2 {
            let log_ratio = Payoff { generator: 7.0, verifier: (policy[i] / reference[i]).ln() };
            let payoff = reward.payoff(&WithLogRatio { outcome: (Incorrect, labels[i]), log_ratio });
            prop_assert_eq!(payoff.generator, reward.reward.payoff(&(Incorrect, labels[i])).generator);
            mean += policy[i] * payoff.verifier;
            kl += policy[i] * log_ratio.verifier;
            plain += policy[i] * reward.reward.payoff(&(Incorrect, labels[i])).verifier;
        }
        prop_assert!((mean - (plain - tau * kl)).abs() < 1e-12);
    }

    /// Summed over the steps to go, effective rewards with Q = 0 telescope to the last value less the first.
    #[test]
    fn effective_rewards_summed_to_go_telescope(values in prop::collection::vec(0.0..1.0_f64, 2..10), alpha in 0.0..5.0_f64) {
        let total: f64 = values.windows(2).map(|q| pav::effective_reward(0.0, q[1] - q[0], alpha)).sum();
        prop_assert!((total - alpha * (values[values.len() - 1] - values[0])).abs() < 1e-12);
    }

    #[test]
    fn prover_signal_is_variance_and_correlation(
        (weights, prover, policy_advantage) in (1..6_usize).prop_flat_map(|n| {
            let vector = move |range: core::ops::Range<f64>| prop::collection::vec(range, n);
            (vector(0.1..1.0), vector(-1.0..1.0), vector(-1.0..1.0))
        }),
    ) {
        let total: f64 = weights.iter().sum();
        let policy: Vec<f64> = weights.iter().map(|w| w / total).collect();
        let signal = pav::prover_signal(&policy, &prover, &policy_advantage);
        let mean = |f: &dyn Fn(usize) -> f64| (0..policy.len()).map(|a| policy[a] * f(a)).sum::<f64>();
        let variance = mean(&|a| prover[a] * prover[a]) - mean(&|a| prover[a]).powi(2);
        prop_assert!((signal.distinguishability - variance).abs() < 1e-12);
        prop_assert!((signal.alignment - mean(&|a| prover[a] * policy_advantage[a])).abs() < 1e-12);
    }
}

#[test]
fn adv_rm_attack_reward_known_answers() {
    // Above the threshold the constraint costs nothing.
    assert_eq!(adv_rm::attack_reward(2.0, 0.5, 2.0, 1.0, 10.0), 1.0);
    // Below it, what is missing times the coefficient.
    assert_eq!(adv_rm::attack_reward(0.5, 0.5, 2.0, 1.0, 10.0), 0.5 - 1.0 - 5.0);
}

#[test]
fn adv_rm_keeps_what_is_overrated_and_distrusted() {
    assert!(adv_rm::keeps_attack(1.1, 1.0, 1.97));
    assert!(!adv_rm::keeps_attack(1.0, 1.0, 1.97) && !adv_rm::keeps_attack(1.1, 1.0, 1.96));
    assert_eq!(adv_rm::ensemble_disagreement(&[2.0, 2.0, 2.0]), 0.0);
    assert!((adv_rm::ensemble_disagreement(&[1.0, 2.0, 6.0]) - (14.0_f64 / 3.0).sqrt()).abs() < 1e-15);
}

#[test]
fn adv_rm_success_needs_the_target_fooled_and_the_gold_judge_not() {
    assert!(!adv_rm::attack_succeeds((1.0, 2.0), (0.0, 1.0)) && !adv_rm::attack_succeeds((2.0, 1.0), (1.0, 0.0)));
    assert!(!adv_rm::attack_succeeds_strictly(-0.1, -3.0) && !adv_rm::attack_succeeds_strictly(0.1, -1.0));
}
