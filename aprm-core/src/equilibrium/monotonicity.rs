use alloc::vec;
use alloc::vec::Vec;

use super::{Regularized, SimplexGame, spectral_norm};
use crate::scalar::Scalar;

/// A lower bound on the modulus of strong monotonicity of a regularised game; positive means one equilibrium, to which
/// OGDA converges linearly.
///
/// ```text
/// F is strongly monotone with modulus at least
///   μ = κ₁ + κ₂ − √( (κ₁ − κ₂)² + σ² / 4 ),   σ = ‖ W₁^{−1/2} P (A + B) P W₂^{−1/2} ‖₂
/// in the norm ‖z‖² = Σ_k w_k ‖z_k‖²
/// ```
///
/// A and B are the two players' payoff operators, P centres each distribution, W holds the weights of the
/// distributions, κ = τ + c.
/// For equal κ this is 2κ − σ/2, so κ > σ/4 suffices; in a zero-sum game σ = 0 and any κ > 0 does.
///
/// That each utility is strongly concave in its own player's strategy (κ > 0) is not enough: where A + B does not
/// vanish, the players may reinforce each other, and a game with a small κ can have several equilibria.
/// The condition is sufficient; it is also necessary in the 2×2 coordination game A = B = I, which has one equilibrium
/// if and only if κ ≥ 1/2.
///
/// The bound rests on diag(1/x) ≥ 2 on the tangent space of the simplex.
///
/// ```
/// use aprm_core::equilibrium::{monotonicity_margin, Bimatrix, Regularized};
///
/// let coordination = Bimatrix { rows: 2, columns: 2, row_payoff: &[1.0, 0.0, 0.0, 1.0], column_payoff: &[1.0, 0.0, 0.0, 1.0] };
/// let margin: f64 = monotonicity_margin(&Regularized::new(coordination, [0.0; 2], [0.6; 2], None).unwrap());
/// assert!((margin - 2.0 * (0.6 - 0.5)).abs() < 1e-12);
/// ```
pub fn monotonicity_margin<T: Scalar, G: SimplexGame<Scalar = T>>(regularized: &Regularized<'_, G>) -> T {
    let sigma = coupling(regularized.game());
    let (first, second) = (regularized.regularization(0), regularized.regularization(1));
    first + second - ((first - second) * (first - second) + sigma * sigma / T::of(4.0)).sqrt()
}

/// σ: how strongly the two players' interests in the profile coincide.
fn coupling<T: Scalar, G: SimplexGame<Scalar = T>>(game: &G) -> T {
    let [first, second] = game.simplices();
    let (rows, columns) = (first.dimension(), second.dimension());
    let a = payoff_operator(game, 0, columns, rows);
    let b = payoff_operator(game, 1, rows, columns);
    let mut sum: Vec<T> = (0..rows * columns).map(|ij| a[(ij % columns) * rows + ij / columns] + b[ij]).collect();
    // Centre and weigh over the second player's distributions, then, on the transpose, over the first player's.
    centre(game, 1, second.choices, columns, &mut sum);
    let mut transposed: Vec<T> = (0..rows * columns).map(|ji| sum[(ji % rows) * columns + ji / rows]).collect();
    centre(game, 0, first.choices, rows, &mut transposed);
    spectral_norm(rows, &transposed)
}

/// Row j holds the change of `player`'s action values per unit of the opponent's j-th probability.
fn payoff_operator<T: Scalar, G: SimplexGame<Scalar = T>>(
    game: &G,
    player: usize,
    opponent_dimension: usize,
    dimension: usize,
) -> Vec<T> {
    let mut opponent = vec![T::zero(); opponent_dimension];
    let mut constant = vec![T::zero(); dimension];
    game.action_values(player, &opponent, &mut constant);
    let mut operator = vec![T::zero(); opponent_dimension * dimension];
    for (j, row) in operator.chunks_exact_mut(dimension).enumerate() {
        opponent[j] = T::one();
        game.action_values(player, &opponent, row);
        opponent[j] = T::zero();
        for (value, &constant) in row.iter_mut().zip(&constant) {
            *value -= constant;
        }
    }
    operator
}

/// Subtracts each distribution's mean from its part of every row and divides by the root of its weight.
fn centre<T: Scalar, G: SimplexGame<Scalar = T>>(
    game: &G,
    player: usize,
    choices: usize,
    dimension: usize,
    rows: &mut [T],
) {
    for row in rows.chunks_exact_mut(dimension) {
        for (k, part) in row.chunks_exact_mut(choices).enumerate() {
            let mean = part.iter().copied().sum::<T>() / T::of_usize(choices);
            let weight = game.weight(player, k);
            // A distribution that is never drawn from is coupled to nothing.
            let scale = if weight > T::zero() { weight.sqrt().recip() } else { T::zero() };
            for value in part {
                *value = (*value - mean) * scale;
            }
        }
    }
}
