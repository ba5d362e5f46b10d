use alloc::vec;
use alloc::vec::Vec;

use super::{Bimatrix, solve_linear};
use crate::scalar::Scalar;

/// All Nash equilibria of a nondegenerate bimatrix game, each as a profile.
///
/// ```text
/// for all supports I, J with |I| = |J|:
///   (A y)_i = u for i in I,   Σ_j y_j = 1,   y ≥ 0 on J and 0 off it,   (A y)_i ≤ u off I,   and likewise x with B
/// ```
///
/// A degenerate game may have more equilibria, even a continuum; those with supports of equal size that solve the
/// equations uniquely are found.
/// The work grows as the binomial of rows + columns over rows: up to ten choices each it takes well under a second.
///
/// ```
/// use aprm_core::equilibrium::{nash_equilibria, Bimatrix};
///
/// let chicken = Bimatrix { rows: 2, columns: 2, row_payoff: &[0.0, 7.0, 2.0, 6.0], column_payoff: &[0.0, 2.0, 7.0, 6.0] };
/// let equilibria = nash_equilibria::<f64>(&chicken);
/// assert_eq!(equilibria.len(), 3);
/// assert!((equilibria[2][0] - 1.0 / 3.0).abs() < 1e-12);
/// ```
///
/// # Reference
/// Nisan, Roughgarden, Tardos and Vazirani (eds.) 2007, Algorithmic Game Theory, algorithm 3.4.
pub fn nash_equilibria<T: Scalar>(game: &Bimatrix<'_, T>) -> Vec<Vec<T>> {
    let &Bimatrix { rows, columns, row_payoff, column_payoff } = game;
    let transposed: Vec<T> = (0..rows * columns).map(|ji| column_payoff[(ji % rows) * columns + ji / rows]).collect();
    let mut equilibria = Vec::new();
    for size in 1..=rows.min(columns) {
        for own in supports(rows, size) {
            for other in supports(columns, size) {
                let y = indifferent(row_payoff, columns, &own, &other);
                let x = indifferent(&transposed, rows, &other, &own);
                if let (Some(x), Some(y)) = (x, y) {
                    equilibria.push([x, y].concat());
                }
            }
        }
    }
    equilibria
}

/// The opponent's strategy on `opponent_support` that makes the choices in `support` equally good and none better.
fn indifferent<T: Scalar>(
    payoff: &[T],
    opponent_choices: usize,
    support: &[usize],
    opponent_support: &[usize],
) -> Option<Vec<T>> {
    let size = support.len();
    // Every row in the units of the payoffs: what is negligible must not depend on them.
    let unit = match payoff.iter().fold(T::zero(), |largest, entry| largest.max(entry.abs())) {
        largest if largest > T::zero() => largest,
        _ => T::one(),
    };
    // Unknowns: the probabilities on the opponent's support, and the value over the unit.
    let mut matrix = vec![T::zero(); (size + 1) * (size + 1)];
    for (r, &i) in support.iter().enumerate() {
        for (c, &j) in opponent_support.iter().enumerate() {
            matrix[r * (size + 1) + c] = payoff[i * opponent_choices + j];
        }
        matrix[r * (size + 1) + size] = -unit;
    }
    matrix[size * (size + 1)..][..size].fill(unit);
    let mut unknowns = vec![T::zero(); size + 1];
    unknowns[size] = unit;
    solve_linear(&mut matrix, &mut unknowns).ok()?;

    let highest = unknowns[size] * unit + T::epsilon().sqrt() * unit;
    let mut strategy = vec![T::zero(); opponent_choices];
    for (&j, &probability) in opponent_support.iter().zip(&unknowns) {
        if probability < T::zero() {
            return None;
        }
        strategy[j] = probability;
    }
    let is_best = payoff
        .chunks_exact(opponent_choices)
        .all(|row| row.iter().zip(&strategy).map(|(&a, &y)| a * y).sum::<T>() <= highest);
    is_best.then_some(strategy)
}

/// All subsets of `size` of the first `choices` numbers.
fn supports(choices: usize, size: usize) -> Vec<Vec<usize>> {
    (0_u64..1 << choices)
        .filter(|set| set.count_ones() as usize == size)
        .map(|set| (0..choices).filter(|i| set >> i & 1 == 1).collect())
        .collect()
}
