use super::{Optimizer, VectorSpace};

/// Plain gradient descent; on a pseudo-gradient, gradient descent-ascent.
///
/// ```text
/// z_{t+1} = z_t − η F(z_t)
/// ```
///
/// On the bilinear game f(x, y) = xy with both players moving at once, the squared distance from the equilibrium grows
/// by exactly 1 + η² per step: it never converges.
///
/// ```
/// use aprm_core::optimizer::{GradientDescent, Host, Optimizer};
///
/// let mut z = [1.0, 1.0];
/// let pseudo_gradient = [z[1], -z[0]];
/// let Ok(()) = GradientDescent.step(&mut Host::new(), 0.5, &pseudo_gradient, &mut z);
/// assert_eq!(z, [0.5, 1.5]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GradientDescent;

impl<S: VectorSpace> Optimizer<S> for GradientDescent {
    fn step(
        &mut self,
        space: &mut S,
        learning_rate: S::Scalar,
        gradient: &S::Vector,
        parameters: &mut S::Vector,
    ) -> Result<(), S::Error> {
        space.axpy(-learning_rate, gradient, parameters)
    }
}
