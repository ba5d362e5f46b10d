//! The group-relative advantage of GRPO.

use super::{mean, standard_deviation, standardized};
use crate::scalar::Scalar;

/// What the deviations from a group's mean are divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GroupScale {
    /// The group's standard deviation, as in GRPO; a group of equal rewards gets zeros.
    #[default]
    StandardDeviation,
    /// Nothing, as in Dr. GRPO: items that are nearly always or nearly never solved weigh no more than others.
    None,
}

/// Rewards less the mean of their group, in units of the group's standard deviation.
///
/// ```text
/// A_i = (r_i − mean r) / std r
/// ```
///
/// `rewards` holds groups of `group_size` samples each, one group after the other; `advantages` has its length.
/// The standard deviation is the population's, see the [module](super).
///
/// # Panics
/// If the lengths differ, `group_size` is zero, or the rewards do not fill whole groups.
///
/// # Examples
/// ```
/// use aprm_core::advantage::{GroupScale, group_normalized};
///
/// let mut advantages = [0.0; 4];
/// group_normalized(&[1.0, 0.0, 1.0, 0.0], 4, GroupScale::StandardDeviation, &mut advantages);
/// assert_eq!(advantages, [1.0, -1.0, 1.0, -1.0]);
/// group_normalized(&[1.0, 0.0, 1.0, 0.0], 4, GroupScale::None, &mut advantages);
/// assert_eq!(advantages, [0.5, -0.5, 0.5, -0.5]);
/// ```
///
/// # Reference
/// Shao et al. 2024, arXiv 2402.03300, section 4.1.2; without the division Liu et al. 2025, arXiv 2503.20783 (Dr. GRPO).
pub fn group_normalized<T: Scalar>(rewards: &[T], group_size: usize, scale: GroupScale, advantages: &mut [T]) {
    assert_eq!(rewards.len(), advantages.len(), "group_normalized: rewards and advantages differ in length");
    assert!(
        group_size >= 1 && rewards.len() % group_size == 0,
        "group_normalized: {} rewards in groups of {group_size}",
        rewards.len(),
    );
    for (rewards, advantages) in rewards.chunks_exact(group_size).zip(advantages.chunks_exact_mut(group_size)) {
        let mean = mean(rewards.iter().copied());
        let scale = match scale {
            GroupScale::StandardDeviation => standard_deviation(rewards.iter().copied(), mean),
            GroupScale::None => T::one(),
        };
        for (advantage, &reward) in advantages.iter_mut().zip(rewards) {
            *advantage = standardized(reward - mean, scale);
        }
    }
}
