//! Update rules over whatever vectors a device holds.
//!
//! A device provides a [`VectorSpace`]; an [`Optimizer`] keeps its state in vectors of that space and moves the
//! parameters against a gradient.
//! The learning rate is an argument, so that a [`Schedule`] or a host decides it anew for each step.
//!
//! For two players the gradient is the pseudo-gradient of [`crate::game::Game`] and the parameters are the joint
//! profile, or each player has an optimizer of its own: every rule here but the global norm works coordinate by
//! coordinate, so both come to the same.

mod adam;
mod clip;
mod extragradient;
mod gradient_descent;
mod host;
mod ogda;
mod optimistic_adam;
mod schedule;
mod vector_space;

pub use adam::{Adam, AdamMoments};
pub use clip::clip_by_global_norm;
pub use extragradient::Extragradient;
pub use gradient_descent::GradientDescent;
pub use host::Host;
pub use ogda::Ogda;
pub use optimistic_adam::OptimisticAdam;
pub use schedule::{Decay, Schedule};
pub use vector_space::{MomentSpace, VectorSpace};

/// A rule that moves parameters against a gradient.
///
/// # For callers
/// One call consumes one gradient, evaluated at the parameters as the last call left them.
/// After an error parameters and state may be half updated: go back to a checkpoint.
///
/// # For implementors
/// Keep state in vectors that the caller hands over at construction, so that nothing is allocated here and a
/// checkpoint can reach all of it.
pub trait Optimizer<S: VectorSpace> {
    /// Moves `parameters` one step against `gradient`.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the vectors and the state differ in length, where the space can tell.
    fn step(
        &mut self,
        space: &mut S,
        learning_rate: S::Scalar,
        gradient: &S::Vector,
        parameters: &mut S::Vector,
    ) -> Result<(), S::Error>;

    /// How many calls make one iteration: 1, but for rules that look ahead.
    fn gradients_per_iteration(&self) -> usize {
        1
    }
}

/// A rule chosen at run time.
#[cfg(feature = "alloc")]
impl<S: VectorSpace, O: Optimizer<S> + ?Sized> Optimizer<S> for alloc::boxed::Box<O> {
    fn step(
        &mut self,
        space: &mut S,
        learning_rate: S::Scalar,
        gradient: &S::Vector,
        parameters: &mut S::Vector,
    ) -> Result<(), S::Error> {
        (**self).step(space, learning_rate, gradient, parameters)
    }

    fn gradients_per_iteration(&self) -> usize {
        (**self).gradients_per_iteration()
    }
}
