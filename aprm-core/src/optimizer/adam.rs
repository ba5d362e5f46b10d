use core::borrow::BorrowMut;

use super::{MomentSpace, Optimizer, VectorSpace};
use crate::scalar::Scalar;

/// The coefficients of one update of Adam's moment estimates; see [`MomentSpace::adam_direction`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamMoments<T> {
    /// β₁, the decay of the first moment.
    pub beta1: T,
    /// β₂, the decay of the second moment.
    pub beta2: T,
    /// c₁ = 1 − β₁ᵗ.
    pub first_correction: T,
    /// c₂ = 1 − β₂ᵗ.
    pub second_correction: T,
    /// ε, added outside the square root and after the bias correction, as PyTorch and optax do.
    pub epsilon: T,
}

/// Adam, and AdamW when `weight_decay` is not zero.
///
/// ```text
/// m_t = β₁ m_{t−1} + (1 − β₁) g_t
/// v_t = β₂ v_{t−1} + (1 − β₂) g_t²
/// r_t = (m_t / (1 − β₁ᵗ)) / (√(v_t / (1 − β₂ᵗ)) + ε)
/// z_t = z_{t−1} − η r_t − η λ z_{t−1}
/// ```
///
/// The weight decay λ is decoupled from the gradient.
///
/// ```
/// use aprm_core::optimizer::{Adam, Host, Optimizer};
///
/// let mut z = [1.0_f64];
/// let mut adam = Adam::new([0.0], [0.0], [0.0]);
/// let Ok(()) = adam.step(&mut Host::new(), 0.1, &[123.0], &mut z);
/// assert!((z[0] - 0.9).abs() < 1e-9); // the first step has the size of the learning rate, whatever the gradient
/// ```
///
/// # Reference
/// Kingma and Ba 2015, arXiv 1412.6980, algorithm 1; Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam<V, T> {
    /// β₁; 0.9 by default.
    pub beta1: T,
    /// β₂; 0.999 by default.
    pub beta2: T,
    /// ε; 1e-8 by default.
    pub epsilon: T,
    /// λ; 0 by default.
    pub weight_decay: T,
    /// m.
    pub first_moment: V,
    /// v.
    pub second_moment: V,
    /// r of the last step: scratch, no part of the state.
    pub direction: V,
    /// t, the number of steps taken.
    pub steps: u64,
}

impl<V, T: Scalar> Adam<V, T> {
    /// Adam with the default coefficients; both moment vectors must hold zeros, the content of `direction` does not
    /// matter.
    pub fn new(first_moment: V, second_moment: V, direction: V) -> Self {
        Self {
            beta1: T::of(0.9),
            beta2: T::of(0.999),
            epsilon: T::of(1e-8),
            weight_decay: T::zero(),
            first_moment,
            second_moment,
            direction,
            steps: 0,
        }
    }

    /// Takes a gradient into the moments and leaves r_t in `direction`.
    pub(super) fn update_direction<S>(&mut self, space: &mut S, gradient: &S::Vector) -> Result<(), S::Error>
    where
        S: MomentSpace + VectorSpace<Scalar = T>,
        V: BorrowMut<S::Vector>,
    {
        self.steps += 1;
        let steps = T::from_u64(self.steps).unwrap_or_else(T::max_value);
        let moments = AdamMoments {
            beta1: self.beta1,
            beta2: self.beta2,
            first_correction: T::one() - self.beta1.powf(steps),
            second_correction: T::one() - self.beta2.powf(steps),
            epsilon: self.epsilon,
        };
        space.adam_direction(
            moments,
            gradient,
            self.first_moment.borrow_mut(),
            self.second_moment.borrow_mut(),
            self.direction.borrow_mut(),
        )
    }
}

impl<S: MomentSpace, V: BorrowMut<S::Vector>> Optimizer<S> for Adam<V, S::Scalar> {
    fn step(
        &mut self,
        space: &mut S,
        learning_rate: S::Scalar,
        gradient: &S::Vector,
        parameters: &mut S::Vector,
    ) -> Result<(), S::Error> {
        self.update_direction(space, gradient)?;
        decay_weights(space, learning_rate * self.weight_decay, parameters)?;
        space.axpy(-learning_rate, self.direction.borrow(), parameters)
    }
}

/// `z ← (1 − ηλ) z`, and nothing at all when there is no decay.
pub(super) fn decay_weights<S: VectorSpace>(
    space: &mut S,
    decay: S::Scalar,
    parameters: &mut S::Vector,
) -> Result<(), S::Error> {
    use num_traits::{One, Zero};
    if decay.is_zero() { Ok(()) } else { space.scale(S::Scalar::one() - decay, parameters) }
}
