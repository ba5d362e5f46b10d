//! The baseline of REINFORCE leave-one-out.

use super::mean;
use crate::scalar::Scalar;

/// Rewards less the mean reward of the other samples of the same group.
///
/// ```text
/// A_i = r_i − (1 / (K − 1)) Σ_{j ≠ i} r_j = (K / (K − 1)) (r_i − mean r)
/// ```
///
/// `rewards` holds groups of K = `group_size` samples each, one group after the other; `advantages` has its length.
/// The baseline of a sample does not depend on that sample, so the policy gradient stays unbiased.
///
/// # Panics
/// If the lengths differ, `group_size` is below two, or the rewards do not fill whole groups.
///
/// # Examples
/// ```
/// use aprm_core::advantage::leave_one_out;
///
/// let mut advantages = [0.0; 4];
/// leave_one_out(&[1.0, 0.0, 0.0, 0.0], 4, &mut advantages);
/// assert_eq!(advantages, [1.0, -1.0 / 3.0, -1.0 / 3.0, -1.0 / 3.0]);
/// ```
///
/// # Reference
/// Kool, van Hoof and Welling 2019, "Buy 4 REINFORCE samples, get a baseline for free!"; Ahmadian et al. 2024,
/// arXiv 2402.14740 (RLOO).
pub fn leave_one_out<T: Scalar>(rewards: &[T], group_size: usize, advantages: &mut [T]) {
    assert_eq!(rewards.len(), advantages.len(), "leave_one_out: rewards and advantages differ in length");
    assert!(
        group_size >= 2 && rewards.len() % group_size == 0,
        "leave_one_out: {} rewards in groups of {group_size}",
        rewards.len(),
    );
    let (size, others) = (T::of_usize(group_size), T::of_usize(group_size - 1));
    for (rewards, advantages) in rewards.chunks_exact(group_size).zip(advantages.chunks_exact_mut(group_size)) {
        let mean = mean(rewards.iter().copied());
        for (advantage, &reward) in advantages.iter_mut().zip(rewards) {
            *advantage = (reward - mean) * size / others;
        }
    }
}
