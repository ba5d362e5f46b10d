use super::{Regularized, SimplexGame};
use crate::game::Game;
use crate::policy::log_softmax_in_place;
use crate::scalar::Scalar;

/// Which gradient moves the logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogitGradient {
    /// The pseudo-gradient with respect to the probabilities, per draw from the distribution.
    ///
    /// This is the natural policy gradient; OGDA on it is optimistic multiplicative weights, whose last iterate
    /// converges linearly in regularised zero-sum games.
    Natural,
    /// The pseudo-gradient with respect to the logits, through the softmax.
    ///
    /// This is what a neural policy follows.
    /// The game is not monotone in these coordinates, so no rate is promised.
    Vanilla,
}

/// A regularised game played in logits, whose softmax are the strategies.
///
/// ```text
/// natural:  F(ℓ)_k = F(x)_k / w_k
/// vanilla:  F(ℓ)_k = x_k ⊙ ( F(x)_k − ⟨x_k, F(x)_k⟩ ),   x_k = softmax(ℓ_k)
/// ```
///
/// w is [`SimplexGame::weight`]; a distribution of weight zero does not move.
///
/// ```
/// use aprm_core::equilibrium::{Bimatrix, LogitGradient, Logits, Regularized};
/// use aprm_core::game::Game;
///
/// let pennies = Bimatrix { rows: 2, columns: 2, row_payoff: &[1.0, -1.0, -1.0, 1.0], column_payoff: &[-1.0, 1.0, 1.0, -1.0] };
/// let game = Regularized::new(pennies, [0.0; 2], [0.1; 2], None).unwrap();
/// let game = Logits { game: &game, gradient: LogitGradient::Natural };
/// let mut strategies = [0.0; 4];
/// game.strategies(&[0.0, 3.0_f64.ln(), 0.0, 0.0], &mut strategies);
/// assert!((strategies[1] - 0.75).abs() < 1e-15);
/// ```
///
/// # Reference
/// Cen, Wei and Chi 2021, arXiv 2105.15186 (optimistic multiplicative weights with entropy regularisation);
/// Kakade 2001 (natural policy gradient).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logits<'g, 'a, G: SimplexGame> {
    /// The game over probabilities.
    pub game: &'g Regularized<'a, G>,
    /// Which gradient moves the logits.
    pub gradient: LogitGradient,
}

impl<T: Scalar, G: SimplexGame<Scalar = T>> Logits<'_, '_, G> {
    /// The distributions in a profile, one after the other.
    fn distributions<'p>(&self, profile: &'p mut [T]) -> impl Iterator<Item = &'p mut [T]> {
        let [first, second] = self.game.game().simplices();
        let (x, y) = profile.split_at_mut(first.dimension());
        x.chunks_exact_mut(first.choices).chain(y.chunks_exact_mut(second.choices))
    }
}

impl<T: Scalar, G: SimplexGame<Scalar = T>> Game for Logits<'_, '_, G> {
    type Scalar = T;

    fn dimensions(&self) -> [usize; 2] {
        self.game.dimensions()
    }

    fn workspace_len(&self) -> usize {
        self.game.workspace_len() + self.dimensions().iter().sum::<usize>()
    }

    fn pseudo_gradient(&self, profile: &[T], workspace: &mut [T], pseudo_gradient: &mut [T]) {
        let (strategies, workspace) = workspace.split_at_mut(profile.len());
        self.strategies(profile, strategies);
        self.game.pseudo_gradient(strategies, workspace, pseudo_gradient);
        let first = self.game.game().simplices()[0].count;
        let distributions = self.distributions(pseudo_gradient).zip(self.distributions(strategies));
        for (k, (gradient, x)) in distributions.enumerate() {
            match self.gradient {
                LogitGradient::Natural => {
                    let weight =
                        self.game.game().weight(usize::from(k >= first), if k < first { k } else { k - first });
                    let scale = if weight > T::zero() { weight.recip() } else { T::zero() };
                    gradient.iter_mut().for_each(|gradient| *gradient *= scale);
                }
                LogitGradient::Vanilla => {
                    let mean: T = gradient.iter().zip(&*x).map(|(&g, &x)| g * x).sum();
                    for (gradient, &mut x) in gradient.iter_mut().zip(x) {
                        *gradient = x * (*gradient - mean);
                    }
                }
            }
        }
    }

    fn nash_conv(&self, profile: &[T], workspace: &mut [T]) -> T {
        let (strategies, workspace) = workspace.split_at_mut(profile.len());
        self.strategies(profile, strategies);
        self.game.nash_conv(strategies, workspace)
    }

    fn strategies(&self, profile: &[T], strategies: &mut [T]) {
        strategies.copy_from_slice(profile);
        self.distributions(strategies).for_each(log_softmax_in_place);
        strategies.iter_mut().for_each(|log_prob| *log_prob = log_prob.exp());
    }
}
