//! What a process advantage verifier pays for a step.
//!
//! # Reference
//! Setlur et al. 2024, arXiv 2410.08146.

use crate::scalar::Scalar;

/// The effective reward of a step: how good its prefix is, and how much progress the step made for a prover μ.
///
/// ```text
/// Q^π(s_h, a_h) + α A^μ(s_h, a_h)
/// ```
///
/// Credit it to its own step only: summed over the steps to go, the advantages telescope into a baseline and teach
/// nothing.
///
/// ```
/// assert_eq!(aprm_core::reward::pav::effective_reward(0.5, 0.25, 2.0), 1.0);
/// ```
pub fn effective_reward<T: Scalar>(policy_value: T, prover_advantage: T, alpha: T) -> T {
    policy_value + alpha * prover_advantage
}

/// How much a prover can improve a policy in one state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProverSignal<T> {
    /// `Var_{a∼π} A^μ(s, a)`: whether the prover tells the policy's steps apart.
    pub distinguishability: T,
    /// `E_{a∼π} [A^μ(s, a) A^π(s, a)]`: whether it ranks them as the policy's own values do.
    pub alignment: T,
}

/// The two terms of theorem 3.1, whose sum bounds the policy's improvement from below up to constants.
///
/// ```text
/// improvement ≥ γ ( E_s Var_{a∼π} A^μ + E_s E_{a∼π} [A^μ A^π] )
/// ```
///
/// All slices have one entry per action of the state; `policy` is π's distribution over them.
///
/// # Panics
/// If the lengths differ.
///
/// ```
/// let signal = aprm_core::reward::pav::prover_signal(&[0.5, 0.5], &[1.0, -1.0], &[0.2, -0.2]);
/// assert_eq!((signal.distinguishability, signal.alignment), (1.0, 0.2));
/// ```
pub fn prover_signal<T: Scalar>(policy: &[T], prover_advantage: &[T], policy_advantage: &[T]) -> ProverSignal<T> {
    assert!(
        policy.len() == prover_advantage.len() && policy.len() == policy_advantage.len(),
        "prover_signal: {} probabilities, {} prover advantages, {} policy advantages",
        policy.len(),
        prover_advantage.len(),
        policy_advantage.len(),
    );
    let expectation = |f: &dyn Fn(usize) -> T| policy.iter().enumerate().map(|(a, &p)| p * f(a)).sum::<T>();
    let mean = expectation(&|a| prover_advantage[a]);
    ProverSignal {
        distinguishability: expectation(&|a| (prover_advantage[a] - mean) * (prover_advantage[a] - mean)),
        alignment: expectation(&|a| prover_advantage[a] * policy_advantage[a]),
    }
}
