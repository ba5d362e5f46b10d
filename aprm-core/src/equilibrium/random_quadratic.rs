use alloc::vec;
use alloc::vec::Vec;

use rand_core::Rng;

use super::{Quadratic, spectral_norm};
use crate::scalar::Scalar;

/// A random strongly monotone quadratic game with a known equilibrium, modulus and Lipschitz constant.
///
/// ```text
/// M = S + K,   S = U diag(s) Uᵀ with 1 = s_min ≤ s ≤ r,   K = [ 0 A ; −Aᵀ 0 ] with ‖A‖ = r,   μ = 1,   L = ‖M‖
/// ```
///
/// U is a random rotation, so the game is general-sum; r is chosen so that L / μ equals the condition asked for, to
/// 1e-9 of it.
///
/// ```
/// use aprm_core::equilibrium::RandomQuadratic;
/// use rand::{rngs::ChaCha8Rng, SeedableRng};
///
/// let random = RandomQuadratic::<f64>::sample([3, 4], 50.0, &mut ChaCha8Rng::seed_from_u64(0));
/// assert!((random.lipschitz / random.modulus - 50.0).abs() < 1e-6);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RandomQuadratic<T> {
    /// How many coordinates each player moves.
    pub dimensions: [usize; 2],
    /// M, row by row.
    pub matrix: Vec<T>,
    /// b.
    pub offset: Vec<T>,
    /// −M⁻¹ b.
    pub equilibrium: Vec<T>,
    /// μ.
    pub modulus: T,
    /// L.
    pub lipschitz: T,
}

impl<T: Scalar> RandomQuadratic<T> {
    /// Draws a game; its equilibrium has standard normal coordinates.
    ///
    /// # Panics
    /// If `condition` is below 1 or a player has no coordinates.
    pub fn sample<R: Rng + ?Sized>(dimensions: [usize; 2], condition: T, rng: &mut R) -> Self {
        assert!(condition >= T::one(), "a condition of {condition} is below 1");
        assert!(dimensions[0] > 0 && dimensions[1] > 0, "both players need coordinates");
        let n = dimensions[0] + dimensions[1];
        let rotation = random_rotation(n, rng);
        // Positions of the eigenvalues on a logarithmic scale; both ends occur.
        let mut position: Vec<T> = (0..n).map(|_| uniform(rng)).collect();
        position[0] = T::zero();
        position[n - 1] = T::one();
        let mut coupling: Vec<T> = (0..dimensions[0] * dimensions[1]).map(|_| normal(rng)).collect();
        let norm = spectral_norm(dimensions[1], &coupling);
        coupling.iter_mut().for_each(|a| *a /= norm);

        // L grows with r from 1 at r → (1, no coupling) to beyond the condition at r = condition: bisect.
        let (mut low, mut high) = (T::zero(), condition);
        let mut matrix = assemble(dimensions, &rotation, &position, &coupling, high);
        for _ in 0..60 {
            let middle = (low + high) / T::of(2.0);
            matrix = assemble(dimensions, &rotation, &position, &coupling, middle);
            let lipschitz = spectral_norm(n, &matrix);
            if (lipschitz - condition).abs() <= T::of(1e-9) * condition {
                break;
            }
            if lipschitz < condition { low = middle } else { high = middle }
        }
        let equilibrium: Vec<T> = (0..n).map(|_| normal(rng)).collect();
        let offset = matrix.chunks_exact(n).map(|row| -row.iter().zip(&equilibrium).map(|(&m, &z)| m * z).sum::<T>());
        let offset = offset.collect();
        let lipschitz = spectral_norm(n, &matrix);
        Self { dimensions, matrix, offset, equilibrium, modulus: T::one(), lipschitz }
    }

    /// The game itself.
    pub fn game(&self) -> Quadratic<'_, T> {
        Quadratic { dimensions: self.dimensions, matrix: &self.matrix, offset: &self.offset }
    }
}

/// S + K for a spread of r; below r = 1 the symmetric part is the identity and only the coupling shrinks.
fn assemble<T: Scalar>(dimensions: [usize; 2], rotation: &[T], position: &[T], coupling: &[T], r: T) -> Vec<T> {
    let n = position.len();
    let eigenvalues: Vec<T> = position.iter().map(|&p| r.max(T::one()).powf(p)).collect();
    let mut matrix = vec![T::zero(); n * n];
    for i in 0..n {
        for j in 0..n {
            matrix[i * n + j] = (0..n).map(|k| rotation[i * n + k] * eigenvalues[k] * rotation[j * n + k]).sum();
        }
    }
    for i in 0..dimensions[0] {
        for j in 0..dimensions[1] {
            let a = r * coupling[i * dimensions[1] + j];
            matrix[i * n + dimensions[0] + j] += a;
            matrix[(dimensions[0] + j) * n + i] -= a;
        }
    }
    matrix
}

/// An orthogonal matrix, by Gram-Schmidt on normal rows.
fn random_rotation<T: Scalar, R: Rng + ?Sized>(n: usize, rng: &mut R) -> Vec<T> {
    let mut matrix: Vec<T> = (0..n * n).map(|_| normal(rng)).collect();
    for i in 0..n {
        let (above, row) = matrix.split_at_mut(i * n);
        let row = &mut row[..n];
        // Twice is enough: the second pass removes what rounding left of the first.
        for previous in above.chunks_exact(n).chain(above.chunks_exact(n)) {
            let overlap: T = previous.iter().zip(&*row).map(|(&p, &r)| p * r).sum();
            row.iter_mut().zip(previous).for_each(|(r, &p)| *r -= overlap * p);
        }
        let norm = row.iter().map(|&r| r * r).sum::<T>().sqrt();
        row.iter_mut().for_each(|r| *r /= norm);
    }
    matrix
}

/// Uniform in [0, 1), from the upper 53 bits of a draw.
fn uniform<T: Scalar, R: Rng + ?Sized>(rng: &mut R) -> T {
    T::of((rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64)
}

/// Standard normal, by Box and Muller.
fn normal<T: Scalar, R: Rng + ?Sized>(rng: &mut R) -> T {
    let radius = (T::of(-2.0) * (T::one() - uniform::<T, R>(rng)).ln()).sqrt();
    radius * (T::of(core::f64::consts::TAU) * uniform::<T, R>(rng)).cos()
}
