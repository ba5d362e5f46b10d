//! The little linear algebra that exact games need.

use crate::scalar::Scalar;

/// A linear system has no unique solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the matrix is singular")]
pub struct SingularMatrix;

/// Solves `M x = b` in place by elimination with partial pivoting; x replaces b, and M is used up.
///
/// # Errors
/// [`SingularMatrix`] if a pivot vanishes against the largest entry of M.
///
/// # Panics
/// If M is not square with the dimension of b.
///
/// ```
/// let mut b = [3.0, 2.0];
/// aprm_core::equilibrium::solve_linear(&mut [0.0, 1.0, 2.0, 0.0], &mut b).unwrap();
/// assert_eq!(b, [1.0, 3.0]);
/// ```
pub fn solve_linear<T: Scalar>(matrix: &mut [T], b: &mut [T]) -> Result<(), SingularMatrix> {
    let n = b.len();
    assert_eq!(matrix.len(), n * n, "a matrix of {} entries for a system of {n}", matrix.len());
    let largest = matrix.iter().fold(T::zero(), |largest, entry| largest.max(entry.abs()));
    let negligible = largest * T::epsilon() * T::of_usize(n);
    for column in 0..n {
        let pivot = (column..n).max_by(|&i, &j| {
            let (a, b) = (matrix[i * n + column].abs(), matrix[j * n + column].abs());
            a.partial_cmp(&b).unwrap_or(core::cmp::Ordering::Equal)
        });
        let pivot = pivot.unwrap_or(column);
        let size = matrix[pivot * n + column].abs();
        if size.is_nan() || size <= negligible {
            return Err(SingularMatrix);
        }
        if pivot != column {
            for k in 0..n {
                matrix.swap(pivot * n + k, column * n + k);
            }
            b.swap(pivot, column);
        }
        for row in column + 1..n {
            let factor = matrix[row * n + column] / matrix[column * n + column];
            for k in column..n {
                let above = matrix[column * n + k];
                matrix[row * n + k] -= factor * above;
            }
            let above = b[column];
            b[row] -= factor * above;
        }
    }
    for row in (0..n).rev() {
        let known: T = (row + 1..n).map(|k| matrix[row * n + k] * b[k]).sum();
        b[row] = (b[row] - known) / matrix[row * n + row];
    }
    Ok(())
}

/// The largest singular value of a matrix given row by row, by one-sided Jacobi rotations.
///
/// ```
/// let norm: f64 = aprm_core::equilibrium::spectral_norm(2, &[3.0, 0.0, 4.0, 0.0]);
/// assert!((norm - 5.0).abs() < 1e-12);
/// ```
///
/// # Panics
/// If the matrix does not have a whole number of rows.
///
/// # Reference
/// Hestenes 1958.
#[cfg(feature = "alloc")]
pub fn spectral_norm<T: Scalar>(columns: usize, matrix: &[T]) -> T {
    assert!(columns > 0 && matrix.len() % columns == 0, "{} entries in {columns} columns", matrix.len());
    let mut a = matrix.to_vec();
    let gram = |a: &[T], p: usize, q: usize| a.chunks_exact(columns).map(|row| row[p] * row[q]).sum::<T>();
    // Each sweep reduces the off-diagonal quadratically; 60 is far beyond what any matrix needs.
    for _ in 0..60 {
        let mut is_orthogonal = true;
        for p in 0..columns {
            for q in p + 1..columns {
                let (pp, qq, pq) = (gram(&a, p, p), gram(&a, q, q), gram(&a, p, q));
                if pq.abs() <= T::epsilon() * pp.sqrt() * qq.sqrt() {
                    continue;
                }
                is_orthogonal = false;
                let zeta = (qq - pp) / (pq + pq);
                let tangent = zeta.signum() / (zeta.abs() + (T::one() + zeta * zeta).sqrt());
                let cosine = T::one() / (T::one() + tangent * tangent).sqrt();
                let sine = cosine * tangent;
                for row in a.chunks_exact_mut(columns) {
                    (row[p], row[q]) = (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
                }
            }
        }
        if is_orthogonal {
            break;
        }
    }
    (0..columns).map(|p| gram(&a, p, p)).fold(T::zero(), T::max).sqrt()
}
