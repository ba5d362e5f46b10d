//! Rewards to go: what a step is credited with.

use crate::gae::Successor;
use crate::scalar::Scalar;

/// Discounted rewards to go of the steps of one or more trajectories laid end to end.
///
/// ```text
/// G_t = r_t + γ G_{t+1}
/// ```
///
/// `G_{t+1}` is zero after [`Successor::Terminate`] and the given value after [`Successor::Interrupt`], so nothing flows
/// from one trajectory into the one before it.
///
/// All slices have one entry per step.
///
/// # Panics
/// If the lengths differ, or if the last step is followed by [`Successor::Continue`].
///
/// # Examples
/// ```
/// use aprm_core::gae::Successor::{Continue, Terminate};
/// use aprm_core::returns::returns;
///
/// let mut out = [0.0; 3];
/// returns(&[1.0, 2.0, 4.0], &[Continue, Continue, Terminate], 0.5, &mut out);
/// assert_eq!(out, [3.0, 4.0, 4.0]);
/// ```
///
/// # Reference
/// Sutton and Barto 2018, "Reinforcement Learning", equation 3.9.
pub fn returns<T: Scalar>(rewards: &[T], successors: &[Successor<T>], gamma: T, returns: &mut [T]) {
    accumulate_backwards(rewards, successors, returns, |reward, future| reward + gamma * future.unwrap_or(T::zero()));
}

/// The worst reward to go: the credit of a chain that is as good as its weakest step.
///
/// ```text
/// G_t = min(r_t, G_{t+1}) = min_{t' ≥ t} r_{t'}
/// ```
///
/// The last step of a trajectory has `G_t = r_t`; after [`Successor::Interrupt`] the given value takes part in the
/// minimum.
/// A NaN reward makes its own return and all before it NaN.
///
/// All slices have one entry per step.
///
/// # Panics
/// If the lengths differ, or if the last step is followed by [`Successor::Continue`].
///
/// # Examples
/// ```
/// use aprm_core::gae::Successor::{Continue, Terminate};
/// use aprm_core::returns::min_return;
///
/// let mut out = [0.0; 4];
/// min_return(&[0.9, 0.2, 0.8, 0.6], &[Continue, Continue, Continue, Terminate], &mut out);
/// assert_eq!(out, [0.2, 0.2, 0.6, 0.6]);
/// ```
///
/// # Reference
/// Cheng et al. 2025, arXiv 2504.15275 (PURE), where the value is the expectation of this return.
pub fn min_return<T: Scalar>(rewards: &[T], successors: &[Successor<T>], returns: &mut [T]) {
    accumulate_backwards(rewards, successors, returns, |reward, future| match future {
        // `T::min` would drop a NaN.
        Some(future) if future < reward || future.is_nan() => future,
        _ => reward,
    });
}

/// `returns[t] = step(rewards[t], the return that follows, if the trajectory goes on)`, from the last step to the first.
fn accumulate_backwards<T: Scalar>(
    rewards: &[T],
    successors: &[Successor<T>],
    returns: &mut [T],
    step: impl Fn(T, Option<T>) -> T,
) {
    let steps = rewards.len();
    assert!(
        successors.len() == steps && returns.len() == steps,
        "{steps} rewards, {} successors, {} returns",
        successors.len(),
        returns.len(),
    );
    let mut next = None;
    for ((returned, &reward), &successor) in returns.iter_mut().zip(rewards).zip(successors).rev() {
        let future = match successor {
            Successor::Continue => Some(next.expect("the last step must terminate or be interrupted")),
            Successor::Terminate => None,
            Successor::Interrupt(bootstrap) => Some(bootstrap),
        };
        *returned = step(reward, future);
        next = Some(*returned);
    }
}
