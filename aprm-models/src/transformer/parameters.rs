use aprm_core::backend::Backend;
use aprm_core::optimizer::{AdamMoments, MomentSpace, VectorSpace};
use num_traits::Zero;

use crate::layout::Layout;

/// One buffer for each tensor of a layout: the weights, or their gradients, or a moment of an optimizer.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters<Buffer>(pub Vec<Buffer>);

impl<Buffer> Parameters<Buffer> {
    /// Zeros in the shape of a layout.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn zeros<B: Backend<Buffer = Buffer>>(backend: &mut B, layout: &Layout) -> Result<Self, B::Error> {
        layout.tensors.iter().map(|spec| backend.allocate(spec.len())).collect::<Result<_, _>>().map(Self)
    }

    /// Sets all entries to zero, as gradients are before they accumulate.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn clear<B: Backend<Buffer = Buffer>>(&mut self, backend: &mut B, layout: &Layout) -> Result<(), B::Error> {
        let mut tensors = self.0.iter_mut().zip(&layout.tensors);
        tensors.try_for_each(|(buffer, spec)| backend.fill(spec.len(), B::Scalar::zero(), buffer))
    }
}

/// All parameters of a model as one vector of a device: what an optimizer moves.
#[derive(Debug)]
pub struct ParameterSpace<'a, B> {
    /// The device.
    pub backend: &'a mut B,
    /// The lengths of the tensors.
    pub layout: &'a Layout,
}

impl<B: Backend> ParameterSpace<'_, B> {
    /// `squared_norm[0] ← ‖x‖²`, without waiting for the device.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn squared_norm(&mut self, x: &Parameters<B::Buffer>, squared_norm: &mut B::Buffer) -> Result<(), B::Error> {
        self.backend.fill(1, B::Scalar::zero(), squared_norm)?;
        let mut tensors = self.layout.tensors.iter().zip(&x.0);
        tensors.try_for_each(|(spec, x)| self.backend.sum_of_squares(spec.len(), x, squared_norm))
    }

    /// `x ← x min(1, max_norm / √squared_norm[0])`, without waiting for the device.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn clip(
        &mut self,
        max_norm: B::Scalar,
        squared_norm: &B::Buffer,
        x: &mut Parameters<B::Buffer>,
    ) -> Result<(), B::Error> {
        let mut tensors = self.layout.tensors.iter().zip(&mut x.0);
        tensors.try_for_each(|(spec, x)| self.backend.clip(spec.len(), max_norm, squared_norm, x))
    }

    /// Runs an operation on each tensor of two vectors.
    fn zip(
        &mut self,
        x: &Parameters<B::Buffer>,
        y: &mut Parameters<B::Buffer>,
        operation: impl Fn(&mut B, usize, &B::Buffer, &mut B::Buffer) -> Result<(), B::Error>,
    ) -> Result<(), B::Error> {
        let mut tensors = self.layout.tensors.iter().zip(&x.0).zip(&mut y.0);
        tensors.try_for_each(|((spec, x), y)| operation(self.backend, spec.len(), x, y))
    }
}

impl<B: Backend> VectorSpace for ParameterSpace<'_, B> {
    type Scalar = B::Scalar;
    type Vector = Parameters<B::Buffer>;
    type Error = B::Error;

    fn copy(&mut self, x: &Self::Vector, y: &mut Self::Vector) -> Result<(), B::Error> {
        self.zip(x, y, |backend, len, x, y| backend.copy(len, x, y))
    }

    fn axpy(&mut self, alpha: B::Scalar, x: &Self::Vector, y: &mut Self::Vector) -> Result<(), B::Error> {
        self.zip(x, y, |backend, len, x, y| backend.axpy(len, alpha, x, y))
    }

    fn scale(&mut self, alpha: B::Scalar, x: &mut Self::Vector) -> Result<(), B::Error> {
        let mut tensors = self.layout.tensors.iter().zip(&mut x.0);
        tensors.try_for_each(|(spec, x)| self.backend.scale(spec.len(), alpha, x))
    }

    /// Waits for the device: ⟨x, y⟩ by the polarisation of `sum_of_squares` would lose digits, so both are read.
    fn dot(&mut self, x: &Self::Vector, y: &Self::Vector) -> Result<B::Scalar, B::Error> {
        let mut total = B::Scalar::zero();
        for ((spec, x), y) in self.layout.tensors.iter().zip(&x.0).zip(&y.0) {
            let (mut host_x, mut host_y) = (vec![B::Scalar::zero(); spec.len()], vec![B::Scalar::zero(); spec.len()]);
            self.backend.read(x, 0, &mut host_x)?;
            self.backend.read(y, 0, &mut host_y)?;
            total += host_x.into_iter().zip(host_y).map(|(x, y)| x * y).sum();
        }
        Ok(total)
    }
}

impl<B: Backend> MomentSpace for ParameterSpace<'_, B> {
    fn adam_direction(
        &mut self,
        moments: AdamMoments<B::Scalar>,
        gradient: &Self::Vector,
        first_moment: &mut Self::Vector,
        second_moment: &mut Self::Vector,
        direction: &mut Self::Vector,
    ) -> Result<(), B::Error> {
        let state = first_moment.0.iter_mut().zip(&mut second_moment.0).zip(&mut direction.0);
        let mut tensors = self.layout.tensors.iter().zip(&gradient.0).zip(state);
        tensors.try_for_each(|((spec, gradient), ((first, second), direction))| {
            self.backend.adam_direction(spec.len(), moments, gradient, first, second, direction)
        })
    }
}
