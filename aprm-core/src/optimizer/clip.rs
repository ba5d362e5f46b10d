use num_traits::Zero;
use num_traits::float::FloatCore;

use super::VectorSpace;
use crate::scalar::Scalar;

/// Scales gradients down so that their joint Euclidean norm is at most `max_norm`, and returns the norm before.
///
/// ```text
/// g ← g min(1, c / ‖g‖),   ‖g‖² = Σ_i ‖g_i‖²
/// ```
///
/// A norm that is not finite leaves the gradients as they are, so that the caller, who must look at the returned norm,
/// can still see where it came from.
///
/// # Errors
/// Whatever the device reports.
///
/// ```
/// use aprm_core::optimizer::{clip_by_global_norm, Host};
///
/// let (mut a, mut b) = ([3.0], [4.0]);
/// let Ok(norm) = clip_by_global_norm(&mut Host::new(), 1.0, &mut [&mut a[..], &mut b[..]]);
/// assert_eq!((norm, a[0], b[0]), (5.0, 3.0 * 0.2, 4.0 * 0.2));
/// ```
///
/// # Reference
/// Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063, algorithm 1. PyTorch adds 1e-6 to the norm; optax does not,
/// nor do we.
pub fn clip_by_global_norm<S: VectorSpace>(
    space: &mut S,
    max_norm: S::Scalar,
    gradients: &mut [&mut S::Vector],
) -> Result<S::Scalar, S::Error> {
    let mut squared_norm = S::Scalar::zero();
    for gradient in gradients.iter() {
        squared_norm += space.dot(gradient, gradient)?;
    }
    let norm = squared_norm.sqrt();
    if norm.is_finite() && norm > max_norm {
        for gradient in gradients.iter_mut() {
            space.scale(max_norm / norm, gradient)?;
        }
    }
    Ok(norm)
}
