use core::borrow::BorrowMut;

use num_traits::One;

use super::{Optimizer, VectorSpace};

/// Optimistic gradient descent-ascent.
///
/// ```text
/// z_{t+1} = z_t − η ( F(z_t) + β (F(z_t) − F(z_{t−1})) ),   F(z_{−1}) := F(z_0)
/// ```
///
/// With the optimism β = 1 this is `z_t − η (2 F(z_t) − F(z_{t−1}))`; with β = 0 it is gradient descent.
///
/// On f(x, y) = xy it contracts by √((1 + √(1 − 4η²)) / 2) per step for η < 1/2 and diverges above 1/√3.
/// On a μ-strongly monotone L-Lipschitz game it converges linearly for η ≤ 1/(4L).
///
/// ```
/// use aprm_core::optimizer::{Host, Ogda, Optimizer};
///
/// let mut z = [1.0, 1.0];
/// let mut ogda = Ogda::new([0.0; 2]);
/// for _ in 0..100 {
///     let pseudo_gradient = [z[1], -z[0]];
///     let Ok(()) = ogda.step(&mut Host::new(), 0.3, &pseudo_gradient, &mut z);
/// }
/// let norm = (z[0] * z[0] + z[1] * z[1] as f64).sqrt();
/// assert!((norm - 8.1996e-3).abs() < 1e-7);
/// ```
///
/// # Reference
/// Popov 1980; Daskalakis, Ilyas, Syrgkanis and Zeng 2018, arXiv 1711.00141, equation 4; APRM, arXiv 2511.22888.
/// Equal to optax's `optimistic_gradient_descent` with α = 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ogda<V, T> {
    /// β.
    pub optimism: T,
    /// F(z_{t−1}).
    pub previous_gradient: V,
    /// How many steps have been taken; before the first, `previous_gradient` means nothing.
    pub steps: u64,
}

impl<V, T: One> Ogda<V, T> {
    /// OGDA that keeps its previous gradient in the given vector, whose content does not matter.
    pub fn new(previous_gradient: V) -> Self {
        Self { optimism: T::one(), previous_gradient, steps: 0 }
    }
}

impl<S: VectorSpace, V: BorrowMut<S::Vector>> Optimizer<S> for Ogda<V, S::Scalar> {
    fn step(
        &mut self,
        space: &mut S,
        learning_rate: S::Scalar,
        gradient: &S::Vector,
        parameters: &mut S::Vector,
    ) -> Result<(), S::Error> {
        let previous_gradient = self.previous_gradient.borrow_mut();
        if self.steps == 0 {
            space.copy(gradient, previous_gradient)?;
        }
        let coefficients = [-learning_rate * (S::Scalar::one() + self.optimism), learning_rate * self.optimism];
        space.ogda_update(coefficients, gradient, previous_gradient, parameters)?;
        self.steps += 1;
        Ok(())
    }
}
