use core::convert::Infallible;
use core::marker::PhantomData;

use super::{AdamMoments, MomentSpace, VectorSpace};
use crate::scalar::Scalar;

/// The vector space of slices in host memory.
///
/// Every operation panics if its slices differ in length.
///
/// ```
/// use aprm_core::optimizer::{Host, VectorSpace};
///
/// let mut y = [1.0, 2.0];
/// let Ok(()) = Host::new().axpy(2.0, &[10.0, 20.0], &mut y);
/// assert_eq!(y, [21.0, 42.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Host<T>(PhantomData<T>);

impl<T> Host<T> {
    /// Slices need no state.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

fn assert_same_length<T>(x: &[T], y: &[T]) {
    assert!(x.len() == y.len(), "vectors of {} and {} elements", x.len(), y.len());
}

impl<T: Scalar> VectorSpace for Host<T> {
    type Scalar = T;
    type Vector = [T];
    type Error = Infallible;

    fn copy(&mut self, x: &[T], y: &mut [T]) -> Result<(), Infallible> {
        assert_same_length(x, y);
        y.copy_from_slice(x);
        Ok(())
    }

    fn axpy(&mut self, alpha: T, x: &[T], y: &mut [T]) -> Result<(), Infallible> {
        assert_same_length(x, y);
        for (y, &x) in y.iter_mut().zip(x) {
            *y += alpha * x;
        }
        Ok(())
    }

    fn scale(&mut self, alpha: T, x: &mut [T]) -> Result<(), Infallible> {
        for x in x {
            *x *= alpha;
        }
        Ok(())
    }

    fn ogda_update(&mut self, [alpha, beta]: [T; 2], x: &[T], y: &mut [T], z: &mut [T]) -> Result<(), Infallible> {
        assert_same_length(x, y);
        assert_same_length(x, z);
        for ((&x, y), z) in x.iter().zip(y).zip(z) {
            *z = (*z + alpha * x) + beta * *y;
            *y = x;
        }
        Ok(())
    }

    fn dot(&mut self, x: &[T], y: &[T]) -> Result<T, Infallible> {
        assert_same_length(x, y);
        Ok(x.iter().zip(y).map(|(&x, &y)| x * y).sum())
    }
}

impl<T: Scalar> MomentSpace for Host<T> {
    fn adam_direction(
        &mut self,
        moments: AdamMoments<T>,
        gradient: &[T],
        first_moment: &mut [T],
        second_moment: &mut [T],
        direction: &mut [T],
    ) -> Result<(), Infallible> {
        assert_same_length(gradient, first_moment);
        assert_same_length(gradient, second_moment);
        assert_same_length(gradient, direction);
        let AdamMoments { beta1, beta2, first_correction, second_correction, epsilon } = moments;
        let state = first_moment.iter_mut().zip(second_moment).zip(direction);
        for (&g, ((m, v), r)) in gradient.iter().zip(state) {
            *m = beta1 * *m + (T::one() - beta1) * g;
            *v = beta2 * *v + (T::one() - beta2) * g * g;
            *r = (*m / first_correction) / ((*v / second_correction).sqrt() + epsilon);
        }
        Ok(())
    }
}
