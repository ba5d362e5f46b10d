use core::borrow::BorrowMut;

use super::{Optimizer, VectorSpace};

/// Extragradient: looks ahead, then steps from where it stood with the gradient found there.
///
/// ```text
/// z_{t+1/2} = z_t − η F(z_t)
/// z_{t+1}   = z_t − η F(z_{t+1/2})
/// ```
///
/// An iteration is two calls of [`Optimizer::step`]: the first moves to z_{t+1/2}, the second to z_{t+1}, so the
/// caller's loop over gradients needs no special case and a comparison by gradients is fair.
///
/// On f(x, y) = xy it contracts by √(1 − η² + η⁴) per iteration.
///
/// ```
/// use aprm_core::optimizer::{Extragradient, Host, Optimizer};
///
/// let mut z = [1.0, 0.0];
/// let mut extragradient = Extragradient::new([0.0; 2]);
/// for _ in 0..2 {
///     let pseudo_gradient = [z[1], -z[0]];
///     let Ok(()) = extragradient.step(&mut Host::new(), 0.5, &pseudo_gradient, &mut z);
/// }
/// assert_eq!(z, [0.75, 0.5]);
/// ```
///
/// # Reference
/// Korpelevich 1976.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extragradient<V> {
    /// z_t while the parameters stand at z_{t+1/2}; otherwise it means nothing.
    pub base: V,
    /// Whether the parameters stand at z_{t+1/2}.
    pub is_ahead: bool,
}

impl<V> Extragradient<V> {
    /// Extragradient that keeps z_t in the given vector, whose content does not matter.
    pub const fn new(base: V) -> Self {
        Self { base, is_ahead: false }
    }
}

impl<S: VectorSpace, V: BorrowMut<S::Vector>> Optimizer<S> for Extragradient<V> {
    fn step(
        &mut self,
        space: &mut S,
        learning_rate: S::Scalar,
        gradient: &S::Vector,
        parameters: &mut S::Vector,
    ) -> Result<(), S::Error> {
        let base = self.base.borrow_mut();
        if self.is_ahead {
            space.copy(base, parameters)?;
        } else {
            space.copy(parameters, base)?;
        }
        self.is_ahead = !self.is_ahead;
        space.axpy(-learning_rate, gradient, parameters)
    }

    fn gradients_per_iteration(&self) -> usize {
        2
    }
}
