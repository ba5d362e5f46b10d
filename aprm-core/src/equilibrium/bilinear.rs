use crate::game::Game;
use crate::scalar::Scalar;

/// The unconstrained game f(x, y) = xᵀ A y, which the first player minimises and the second maximises.
///
/// ```text
/// F(x, y) = (A y, −Aᵀ x)
/// ```
///
/// The equilibrium is zero.
/// Away from it a best response is unbounded, so NashConv is that of responses in the unit ball: ‖A y‖ + ‖Aᵀ x‖.
///
/// ```
/// use aprm_core::{equilibrium::Bilinear, game::Game};
///
/// let game = Bilinear { rows: 1, columns: 1, matrix: &[2.0_f64] };
/// assert_eq!(game.nash_conv(&[1.0, 3.0], &mut [0.0; 2]), 8.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bilinear<'a, T> {
    /// The dimension of x.
    pub rows: usize,
    /// The dimension of y.
    pub columns: usize,
    /// A, row by row.
    pub matrix: &'a [T],
}

impl<T: Scalar> Game for Bilinear<'_, T> {
    type Scalar = T;

    fn dimensions(&self) -> [usize; 2] {
        [self.rows, self.columns]
    }

    fn workspace_len(&self) -> usize {
        self.rows + self.columns
    }

    fn pseudo_gradient(&self, profile: &[T], _workspace: &mut [T], pseudo_gradient: &mut [T]) {
        assert_eq!(self.matrix.len(), self.rows * self.columns);
        assert_eq!(profile.len(), self.rows + self.columns);
        let (x, y) = profile.split_at(self.rows);
        let (gradient_x, gradient_y) = pseudo_gradient.split_at_mut(self.rows);
        gradient_y.fill(T::zero());
        for ((row, gx), &x) in self.matrix.chunks_exact(self.columns).zip(gradient_x).zip(x) {
            *gx = row.iter().zip(y).map(|(&a, &y)| a * y).sum();
            for (gy, &a) in gradient_y.iter_mut().zip(row) {
                *gy -= a * x;
            }
        }
    }

    fn nash_conv(&self, profile: &[T], workspace: &mut [T]) -> T {
        let gradient = &mut workspace[..self.rows + self.columns];
        self.pseudo_gradient(profile, &mut [], gradient);
        let norm = |g: &[T]| g.iter().map(|&g| g * g).sum::<T>().sqrt();
        norm(&gradient[..self.rows]) + norm(&gradient[self.rows..])
    }
}
