//! Progress: what a step changes about the chance of success.

use crate::scalar::Scalar;

/// Advantage of each step of one chain under a prover μ.
///
/// ```text
/// A^μ(s_h, a_h) = Q^μ(prefix_h) − Q^μ(prefix_{h−1})
/// ```
///
/// `prefix_values[h]` is the prover's chance of success after the first h steps, so `prefix_values` starts with that of
/// the bare problem and has one entry more than `advantages`.
/// Each step is credited with its own advantage alone: summed to go, they telescope into a baseline.
///
/// # Panics
/// If `prefix_values` does not have one entry more than `advantages`.
///
/// # Examples
/// ```
/// use aprm_core::advantage::process_advantage;
///
/// let mut advantages = [0.0; 3];
/// process_advantage(&[0.5, 0.75, 0.25, 1.0], &mut advantages);
/// assert_eq!(advantages, [0.25, -0.5, 0.75]);
/// ```
///
/// # Reference
/// Setlur et al. 2024, arXiv 2410.08146 (PAV).
pub fn process_advantage<T: Scalar>(prefix_values: &[T], advantages: &mut [T]) {
    assert_eq!(
        prefix_values.len(),
        advantages.len() + 1,
        "process_advantage: prefix_values needs one entry more than advantages",
    );
    for (advantage, values) in advantages.iter_mut().zip(prefix_values.windows(2)) {
        *advantage = values[1] - values[0];
    }
}

/// The chance that the best of K independent attempts succeeds: the value of a best-of-K prover, without rollouts.
///
/// ```text
/// Q^BoK = 1 − (1 − Q)^K
/// ```
///
/// Computed so that a small Q keeps its digits.
/// A Q above one, which is no chance, gives NaN.
///
/// # Panics
/// If `attempts` is zero.
///
/// # Examples
/// ```
/// use aprm_core::advantage::best_of_k_value;
///
/// assert!((best_of_k_value(0.5, 4) - 0.9375_f64).abs() < 1e-15);
/// ```
///
/// # Reference
/// Setlur et al. 2024, arXiv 2410.08146 (PAV).
pub fn best_of_k_value<T: Scalar>(value: T, attempts: usize) -> T {
    assert!(attempts >= 1, "best_of_k_value: no attempts");
    -(T::of_usize(attempts) * (-value).ln_1p()).exp_m1()
}
