use super::{SingularMatrix, solve_linear};
use crate::game::Game;
use crate::scalar::Scalar;

/// An unconstrained game whose pseudo-gradient is affine.
///
/// ```text
/// F(z) = M z + b,   M = [ Q₁ C₁ ; C₂ Q₂ ],   Q₁, Q₂ symmetric and positive definite
/// ```
///
/// Player p's utility is −(½ z_pᵀ Q_p z_p + z_pᵀ (C_p z_{−p} + b_p)).
/// The game is μ-strongly monotone with μ the least eigenvalue of (M + Mᵀ) / 2, and then has one equilibrium, −M⁻¹ b.
///
/// ```
/// use aprm_core::{equilibrium::Quadratic, game::Game};
///
/// let game = Quadratic { dimensions: [1, 1], matrix: &[2.0, 1.0, -1.0, 2.0], offset: &[-3.0, -1.0] };
/// let mut equilibrium = [0.0; 2];
/// game.equilibrium(&mut [0.0; 4], &mut equilibrium).unwrap();
/// assert_eq!(equilibrium, [1.0, 1.0]);
/// assert_eq!(game.nash_conv(&[2.0, 1.0], &mut [0.0; 4]), 1.0 + 0.25);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quadratic<'a, T> {
    /// How many coordinates each player moves.
    pub dimensions: [usize; 2],
    /// M, row by row.
    pub matrix: &'a [T],
    /// b.
    pub offset: &'a [T],
}

impl<T: Scalar> Quadratic<'_, T> {
    /// Writes −M⁻¹ b; `workspace` holds as many elements as M.
    ///
    /// # Errors
    /// [`SingularMatrix`] if there is not exactly one such point.
    ///
    /// # Panics
    /// If the lengths do not agree.
    pub fn equilibrium(&self, workspace: &mut [T], equilibrium: &mut [T]) -> Result<(), SingularMatrix> {
        workspace.copy_from_slice(self.matrix);
        for (z, &b) in equilibrium.iter_mut().zip(self.offset) {
            *z = -b;
        }
        solve_linear(workspace, equilibrium)
    }
}

impl<T: Scalar> Game for Quadratic<'_, T> {
    type Scalar = T;

    fn dimensions(&self) -> [usize; 2] {
        self.dimensions
    }

    fn workspace_len(&self) -> usize {
        let largest = self.dimensions[0].max(self.dimensions[1]);
        largest * largest + 2 * largest
    }

    fn pseudo_gradient(&self, profile: &[T], _workspace: &mut [T], pseudo_gradient: &mut [T]) {
        let n = self.dimensions[0] + self.dimensions[1];
        assert!(profile.len() == n && self.offset.len() == n && self.matrix.len() == n * n);
        for ((row, &b), gradient) in self.matrix.chunks_exact(n).zip(self.offset).zip(pseudo_gradient) {
            *gradient = b + row.iter().zip(profile).map(|(&m, &z)| m * z).sum();
        }
    }

    /// The best response of player p gains ½ F_pᵀ Q_p⁻¹ F_p.
    ///
    /// # Panics
    /// If Q₁ or Q₂ is singular: a player without a best response has no NashConv.
    fn nash_conv(&self, profile: &[T], workspace: &mut [T]) -> T {
        let n = self.dimensions[0] + self.dimensions[1];
        let mut nash_conv = T::zero();
        for (size, start) in [(self.dimensions[0], 0), (self.dimensions[1], self.dimensions[0])] {
            let (own_block, rest) = workspace.split_at_mut(size * size);
            let (gradient, rest) = rest.split_at_mut(size);
            let response = &mut rest[..size];
            for i in 0..size {
                let row = &self.matrix[(start + i) * n..][..n];
                gradient[i] = self.offset[start + i] + row.iter().zip(profile).map(|(&m, &z)| m * z).sum();
                own_block[i * size..][..size].copy_from_slice(&row[start..][..size]);
            }
            response.copy_from_slice(gradient);
            solve_linear(own_block, response).expect("a player's own block must be positive definite");
            nash_conv += gradient.iter().zip(&*response).map(|(&g, &q)| g * q).sum::<T>() / T::of(2.0);
        }
        nash_conv
    }
}
