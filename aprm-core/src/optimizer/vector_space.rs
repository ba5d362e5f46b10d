use crate::scalar::Scalar;

/// The operations that a device provides on its own vectors.
///
/// The device owns the operation, the optimizer owns its state, the caller owns the parameters.
/// A vector may be a slice in host memory, a buffer on a GPU or the whole parameter set of a model.
///
/// # For implementors
/// Operations may be queued: only [`VectorSpace::dot`] has to wait for the device.
/// Sum in a fixed order, so that equal inputs give equal bits.
pub trait VectorSpace {
    /// The number type of coefficients.
    type Scalar: Scalar;
    /// What the operations work on.
    type Vector: ?Sized;
    /// What can go wrong on the device; [`core::convert::Infallible`] in host memory.
    type Error;

    /// `y ← x`
    ///
    /// # Errors
    /// Whatever the device reports.
    fn copy(&mut self, x: &Self::Vector, y: &mut Self::Vector) -> Result<(), Self::Error>;

    /// `y ← α x + y`
    ///
    /// # Errors
    /// Whatever the device reports.
    fn axpy(&mut self, alpha: Self::Scalar, x: &Self::Vector, y: &mut Self::Vector) -> Result<(), Self::Error>;

    /// `x ← α x`
    ///
    /// # Errors
    /// Whatever the device reports.
    fn scale(&mut self, alpha: Self::Scalar, x: &mut Self::Vector) -> Result<(), Self::Error>;

    /// `z ← z + α x + β y`, then `y ← x`: what OGDA does to parameters, gradient and previous gradient.
    ///
    /// A device on which this is one pass over memory rather than three may provide it.
    ///
    /// # Errors
    /// Whatever the device reports.
    fn ogda_update(
        &mut self,
        [alpha, beta]: [Self::Scalar; 2],
        x: &Self::Vector,
        y: &mut Self::Vector,
        z: &mut Self::Vector,
    ) -> Result<(), Self::Error> {
        self.axpy(alpha, x, z)?;
        self.axpy(beta, y, z)?;
        self.copy(x, y)
    }

    /// `⟨x, y⟩`
    ///
    /// # Errors
    /// Whatever the device reports.
    fn dot(&mut self, x: &Self::Vector, y: &Self::Vector) -> Result<Self::Scalar, Self::Error>;
}

/// A vector space with the element-wise operation that Adam needs.
pub trait MomentSpace: VectorSpace {
    /// Takes `gradient` into the moment estimates and writes the normalised direction, element by element.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g
    /// v ← β₂ v + (1 − β₂) g²
    /// r ← (m / c₁) / (√(v / c₂) + ε)
    /// ```
    ///
    /// # Errors
    /// Whatever the device reports.
    fn adam_direction(
        &mut self,
        moments: super::AdamMoments<Self::Scalar>,
        gradient: &Self::Vector,
        first_moment: &mut Self::Vector,
        second_moment: &mut Self::Vector,
        direction: &mut Self::Vector,
    ) -> Result<(), Self::Error>;
}
