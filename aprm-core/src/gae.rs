//! Generalised advantage estimation.

use crate::scalar::Scalar;

/// How much of what comes later counts for a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Discounts<T> {
    /// γ.
    pub gamma: T,
    /// λ.
    pub gae_lambda: T,
}

impl<T: Scalar> Discounts<T> {
    /// `A_t = r_t + γ V_{t+1} − V_t + γ λ A_{t+1}`: the step of the recursion, whichever way a trajectory is laid out.
    pub fn advantage(self, reward: T, value: T, next_value: T, next_advantage: T) -> T {
        let td_error = reward + self.gamma * next_value - value;
        td_error + self.gamma * self.gae_lambda * next_advantage
    }
}

/// What follows a step of a trajectory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Successor<T> {
    /// The next row is the next step of the same trajectory.
    Continue,
    /// The trajectory ended in a final state, whose value is zero.
    Terminate,
    /// The trajectory was cut off in a state of this value, from which the return is bootstrapped.
    Interrupt(T),
}

/// Advantages of the steps of one or more trajectories laid end to end.
///
/// ```text
/// δ_t = r_t + γ V(s_{t+1}) − V(s_t)
/// A_t = δ_t + γ λ A_{t+1}
/// ```
///
/// `V(s_{t+1})` is `values[t + 1]` after [`Successor::Continue`], zero after [`Successor::Terminate`] and the given
/// value after [`Successor::Interrupt`]; after the last two `A_{t+1} = 0`, so nothing flows from one trajectory into
/// the one before it.
/// λ = 0 gives the TD error, λ = 1 the return minus the value.
///
/// All slices have one entry per step. The return that a critic is fitted to is `advantages[t] + values[t]`.
///
/// # Panics
/// If the lengths differ, or if the last step is followed by [`Successor::Continue`].
///
/// # Examples
/// ```
/// use aprm_core::gae::{gae, Successor::{Continue, Terminate}};
///
/// let mut advantages = [0.0; 3];
/// gae(&[1.0, 2.0, 3.0], &[0.5; 3], &[Continue, Continue, Terminate], 0.9, 0.8, &mut advantages);
/// for (advantage, expected) in advantages.iter().zip([3.65, 3.75, 2.5_f64]) {
///     assert!((advantage - expected).abs() < 1e-12);
/// }
/// ```
///
/// # Reference
/// Schulman, Moritz, Levine, Jordan and Abbeel 2015, arXiv 1506.02438, equations 11 to 16.
pub fn gae<T: Scalar>(
    rewards: &[T],
    values: &[T],
    successors: &[Successor<T>],
    gamma: T,
    gae_lambda: T,
    advantages: &mut [T],
) {
    let steps = rewards.len();
    assert!(
        values.len() == steps && successors.len() == steps && advantages.len() == steps,
        "gae: {steps} rewards, {} values, {} successors, {} advantages",
        values.len(),
        successors.len(),
        advantages.len(),
    );
    let discounts = Discounts { gamma, gae_lambda };
    let mut next_value = T::zero();
    let mut next_advantage = T::zero();
    for t in (0..steps).rev() {
        match successors[t] {
            Successor::Continue => assert!(t + 1 < steps, "gae: the last step must terminate or be interrupted"),
            Successor::Terminate => (next_value, next_advantage) = (T::zero(), T::zero()),
            Successor::Interrupt(bootstrap) => (next_value, next_advantage) = (bootstrap, T::zero()),
        }
        next_advantage = discounts.advantage(rewards[t], values[t], next_value, next_advantage);
        next_value = values[t];
        advantages[t] = next_advantage;
    }
}
