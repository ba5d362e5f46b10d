use core::borrow::BorrowMut;

use super::adam::decay_weights;
use super::{Adam, MomentSpace, Ogda, Optimizer};
use crate::scalar::Scalar;

/// Optimistic Adam: Adam's direction in the place of OGDA's gradient.
///
/// ```text
/// z_{t+1} = z_t − η ( r_t + β (r_t − r_{t−1}) ) − η λ z_t,   r_0 := r_1
/// ```
///
/// r_t is the direction of [`Adam`], whose moments, coefficients and decoupled weight decay λ it shares; the
/// combination is that of [`Ogda`], whose optimism β it shares.
///
/// ```
/// use aprm_core::optimizer::{Host, OptimisticAdam, Optimizer};
///
/// let mut z = [1.0_f64];
/// let mut optimizer = OptimisticAdam::new([0.0], [0.0], [0.0], [0.0]);
/// let Ok(()) = optimizer.step(&mut Host::new(), 0.1, &[123.0], &mut z);
/// assert!((z[0] - 0.9).abs() < 1e-9);
/// ```
///
/// # Reference
/// Daskalakis, Ilyas, Syrgkanis and Zeng 2018, arXiv 1711.00141, algorithm 1, whose r_0 is zero; here, as in optax's
/// `optimistic_adam_v2(nesterov=False)`, to which it is equal, the first step has no optimism.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimisticAdam<V, T> {
    /// The moments and the coefficients.
    pub adam: Adam<V, T>,
    /// The optimism and the previous direction.
    pub ogda: Ogda<V, T>,
}

impl<V, T: Scalar> OptimisticAdam<V, T> {
    /// Optimistic Adam with the default coefficients; both moment vectors must hold zeros, the content of the other
    /// two does not matter.
    pub fn new(first_moment: V, second_moment: V, direction: V, previous_direction: V) -> Self {
        Self { adam: Adam::new(first_moment, second_moment, direction), ogda: Ogda::new(previous_direction) }
    }
}

impl<S: MomentSpace, V: BorrowMut<S::Vector>> Optimizer<S> for OptimisticAdam<V, S::Scalar> {
    fn step(
        &mut self,
        space: &mut S,
        learning_rate: S::Scalar,
        gradient: &S::Vector,
        parameters: &mut S::Vector,
    ) -> Result<(), S::Error> {
        self.adam.update_direction(space, gradient)?;
        decay_weights(space, learning_rate * self.adam.weight_decay, parameters)?;
        self.ogda.step(space, learning_rate, self.adam.direction.borrow(), parameters)
    }
}
