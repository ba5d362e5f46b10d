use super::{SimplexGame, Simplices};
use crate::scalar::Scalar;

/// A game given by two payoff matrices.
///
/// ```text
/// E[r_1] = xᵀ A y,   E[r_2] = xᵀ B y
/// ```
///
/// ```
/// use aprm_core::equilibrium::{Bimatrix, SimplexGame};
///
/// let pennies = Bimatrix { rows: 2, columns: 2, row_payoff: &[1.0, -1.0, -1.0, 1.0], column_payoff: &[-1.0, 1.0, 1.0, -1.0] };
/// let mut values = [0.0; 2];
/// pennies.action_values(0, &[0.75, 0.25], &mut values);
/// assert_eq!(values, [0.5, -0.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bimatrix<'a, T> {
    /// The number of the first player's choices.
    pub rows: usize,
    /// The number of the second player's choices.
    pub columns: usize,
    /// A, row by row: what the first player gets.
    pub row_payoff: &'a [T],
    /// B, row by row: what the second player gets.
    pub column_payoff: &'a [T],
}

impl<T: Scalar> SimplexGame for Bimatrix<'_, T> {
    type Scalar = T;

    fn simplices(&self) -> [Simplices; 2] {
        [Simplices { count: 1, choices: self.rows }, Simplices { count: 1, choices: self.columns }]
    }

    fn action_values(&self, player: usize, opponent: &[T], values: &mut [T]) {
        if player == 0 {
            for (value, row) in values.iter_mut().zip(self.row_payoff.chunks_exact(self.columns)) {
                *value = row.iter().zip(opponent).map(|(&a, &y)| a * y).sum();
            }
        } else {
            values.fill(T::zero());
            for (&x, row) in opponent.iter().zip(self.column_payoff.chunks_exact(self.columns)) {
                for (value, &b) in values.iter_mut().zip(row) {
                    *value += b * x;
                }
            }
        }
    }

    fn value_spread(&self, player: usize) -> T {
        let payoff = if player == 0 { self.row_payoff } else { self.column_payoff };
        let max = payoff.iter().copied().fold(T::neg_infinity(), T::max);
        let min = payoff.iter().copied().fold(T::infinity(), T::min);
        max - min
    }
}
