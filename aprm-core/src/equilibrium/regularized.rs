use super::{SimplexGame, Simplices, project_onto_simplex};
use crate::game::Game;
use crate::policy::log_softmax_in_place;
use crate::scalar::Scalar;

/// A reference strategy to which no finite divergence exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {index} of the reference profile must be a positive probability, and each distribution must sum to 1")]
pub struct InvalidReference {
    /// The first entry that is at fault, or the first of the distribution that is.
    pub index: usize,
}

/// A game over distributions with each player's expected payoff regularised as APRM does.
///
/// ```text
/// U_p = E[r_p] − Σ_k w_k ( τ_p KL(x_k ‖ x⁰_k) − c_p H(x_k) )
/// ```
///
/// k runs over the player's distributions, w_k is [`SimplexGame::weight`], x⁰ the reference (the frozen initial
/// policy), τ the KL coefficient and c the entropy coefficient.
/// With κ = τ + c > 0 the best response is a softmax and what it gains has a closed form:
///
/// ```text
/// BR_k ∝ exp( (v / w_k + τ ln x⁰) / κ )
/// NashConv = Σ_p κ_p Σ_k w_k KL(x_k ‖ BR_k)
/// ```
///
/// With κ = 0 a player is not regularised and its best response is a best choice.
///
/// Feasible are the distributions that give every choice at least half the least probability that a best response
/// can: all equilibria lie well inside, and the gradient of the regulariser stays finite.
/// The floor is never below the smallest normal number, which a small κ against large payoffs would call for.
///
/// ```
/// use aprm_core::{equilibrium::{Bimatrix, Regularized}, game::Game};
///
/// let coordination = Bimatrix { rows: 2, columns: 2, row_payoff: &[1.0, 0.0, 0.0, 1.0], column_payoff: &[1.0, 0.0, 0.0, 1.0] };
/// let game = Regularized::new(coordination, [0.0; 2], [0.6; 2], None).unwrap();
/// assert!(game.nash_conv(&[0.5; 4], &mut [0.0; 4]) < 1e-15_f64);
/// ```
///
/// # Reference
/// APRM, 2025, arXiv 2511.22888, for the utilities; τ and c are not stated there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regularized<'a, G: SimplexGame> {
    game: G,
    kl_coef: [G::Scalar; 2],
    entropy_coef: [G::Scalar; 2],
    reference: Option<&'a [G::Scalar]>,
    floor: [G::Scalar; 2],
}

impl<'a, T: Scalar, G: SimplexGame<Scalar = T>> Regularized<'a, G> {
    /// Regularises a game by τ and c of each player; without a reference profile the reference is uniform.
    ///
    /// # Errors
    /// [`InvalidReference`] if a distribution of the reference has a zero or does not sum to 1.
    ///
    /// # Panics
    /// If a coefficient is negative, or the reference is not as long as a profile.
    pub fn new(
        game: G,
        kl_coef: [T; 2],
        entropy_coef: [T; 2],
        reference: Option<&'a [T]>,
    ) -> Result<Self, InvalidReference> {
        let zero = T::zero();
        assert!(kl_coef.iter().chain(&entropy_coef).all(|&coef| coef >= zero), "coefficients must not be negative");
        let mut regularized = Self { game, kl_coef, entropy_coef, reference, floor: [zero; 2] };
        if let Some(reference) = reference {
            regularized.validate(reference)?;
        }
        for player in 0..2 {
            if regularized.regularization(player) > zero {
                let floor = regularized.least_response(player) / T::of(2.0);
                regularized.floor[player] = floor.max(T::min_positive_value());
            }
        }
        Ok(regularized)
    }

    /// The game without the regularisers.
    pub fn game(&self) -> &G {
        &self.game
    }

    /// κ = τ + c of a player.
    pub fn regularization(&self, player: usize) -> T {
        self.kl_coef[player] + self.entropy_coef[player]
    }

    /// Writes a player's utility-maximising strategy against the opponent's; ties go to the first choice.
    ///
    /// # Panics
    /// If the lengths are not the game's.
    pub fn best_response(&self, player: usize, opponent: &[T], response: &mut [T]) {
        self.game.action_values(player, opponent, response);
        let choices = self.game.simplices()[player].choices;
        for (k, response) in response.chunks_exact_mut(choices).enumerate() {
            let temperature = self.regularization(player) * self.game.weight(player, k);
            if temperature > T::zero() {
                self.log_soften(player, k, response);
                response.iter_mut().for_each(|log_prob| *log_prob = log_prob.exp());
            } else {
                let best = first_maximum(response);
                response.fill(T::zero());
                response[best] = T::one();
            }
        }
    }

    /// Each player's utility at a profile.
    ///
    /// # Panics
    /// If the lengths are not the game's.
    pub fn utilities(&self, profile: &[T], workspace: &mut [T]) -> [T; 2] {
        [0, 1].map(|player| {
            let (own, opponent) = self.split(player, profile);
            let values = &mut workspace[..own.len()];
            self.game.action_values(player, opponent, values);
            let mut utility = own.iter().zip(&*values).map(|(&x, &v)| x * v).sum();
            let choices = self.game.simplices()[player].choices;
            for (k, own) in own.chunks_exact(choices).enumerate() {
                let weight = self.game.weight(player, k);
                for (i, &x) in own.iter().enumerate().filter(|&(_, &x)| x > T::zero()) {
                    utility -= weight * x * self.log_penalty(player, k * choices + i, x);
                }
            }
            utility
        })
    }

    /// `(τ + c) ln x − τ ln x⁰`, whose expectation under x is what the utility pays.
    ///
    /// A probability that has underflowed to zero counts as the least positive number, so that the gradient stays finite.
    fn log_penalty(&self, player: usize, index: usize, x: T) -> T {
        let x = if x.is_zero() { T::min_positive_value() } else { x };
        self.regularization(player) * x.ln() - self.log_prior(player, index)
    }

    /// `τ ln x⁰`.
    fn log_prior(&self, player: usize, index: usize) -> T {
        self.kl_coef[player] * self.reference_at(player, index).ln()
    }

    fn reference_at(&self, player: usize, index: usize) -> T {
        let [first, second] = self.game.simplices();
        match self.reference {
            Some(reference) => reference[if player == 0 { index } else { first.dimension() + index }],
            None => T::of_usize([first, second][player].choices).recip(),
        }
    }

    /// Turns the action values of one distribution into the logarithm of the softmax best response.
    fn log_soften(&self, player: usize, k: usize, values: &mut [T]) {
        let (kappa, weight) = (self.regularization(player), self.game.weight(player, k));
        let first = k * values.len();
        for (i, value) in values.iter_mut().enumerate() {
            *value = (*value / weight + self.log_prior(player, first + i)) / kappa;
        }
        log_softmax_in_place(values);
    }

    /// The least probability that any best response gives any choice, with regularisation.
    fn least_response(&self, player: usize) -> T {
        let (kappa, Simplices { count, choices }) = (self.regularization(player), self.game.simplices()[player]);
        let prior = |index: usize| (self.log_prior(player, index) / kappa).exp();
        let mut least = T::infinity();
        for k in 0..count {
            let total: T = (0..choices).map(|i| prior(k * choices + i)).sum();
            for i in 0..choices {
                least = least.min(prior(k * choices + i) / total);
            }
        }
        least * (-self.game.value_spread(player) / kappa).exp()
    }

    fn validate(&self, reference: &[T]) -> Result<(), InvalidReference> {
        let [first, second] = self.game.simplices();
        assert_eq!(reference.len(), first.dimension() + second.dimension(), "the reference is no profile of the game");
        let tolerance = T::of(1e-6);
        let mut index = 0;
        for simplices in [first, second] {
            for _ in 0..simplices.count {
                let distribution = &reference[index..index + simplices.choices];
                if let Some(i) = distribution.iter().position(|&p| p.is_nan() || p <= T::zero()) {
                    return Err(InvalidReference { index: index + i });
                }
                let total: T = distribution.iter().copied().sum();
                if (total - T::one()).abs() > tolerance {
                    return Err(InvalidReference { index });
                }
                index += simplices.choices;
            }
        }
        Ok(())
    }

    /// A player's own strategy and its opponent's.
    fn split<'p>(&self, player: usize, profile: &'p [T]) -> (&'p [T], &'p [T]) {
        let [first, second] = self.game.simplices();
        assert_eq!(profile.len(), first.dimension() + second.dimension(), "not a profile of the game");
        let (x, y) = profile.split_at(first.dimension());
        if player == 0 { (x, y) } else { (y, x) }
    }
}

impl<T: Scalar, G: SimplexGame<Scalar = T>> Game for Regularized<'_, G> {
    type Scalar = T;

    fn dimensions(&self) -> [usize; 2] {
        self.game.simplices().map(|simplices| simplices.dimension())
    }

    fn workspace_len(&self) -> usize {
        let [first, second] = self.dimensions();
        first.max(second)
    }

    fn pseudo_gradient(&self, profile: &[T], _workspace: &mut [T], pseudo_gradient: &mut [T]) {
        let (first, second) = pseudo_gradient.split_at_mut(self.dimensions()[0]);
        for (player, gradient) in [first, second].into_iter().enumerate() {
            let (own, opponent) = self.split(player, profile);
            self.game.action_values(player, opponent, gradient);
            let (kappa, choices) = (self.regularization(player), self.game.simplices()[player].choices);
            for (index, (gradient, &x)) in gradient.iter_mut().zip(own).enumerate() {
                if kappa > T::zero() {
                    let weight = self.game.weight(player, index / choices);
                    *gradient -= weight * (self.log_penalty(player, index, x) + kappa);
                }
                *gradient = -*gradient;
            }
        }
    }

    fn project(&self, profile: &mut [T]) {
        let [first, second] = self.game.simplices();
        let (x, y) = profile.split_at_mut(first.dimension());
        for (player, (strategy, simplices)) in [(x, first), (y, second)].into_iter().enumerate() {
            for distribution in strategy.chunks_exact_mut(simplices.choices) {
                project_onto_simplex(distribution, self.floor[player]);
            }
        }
    }

    fn nash_conv(&self, profile: &[T], workspace: &mut [T]) -> T {
        let mut nash_conv = T::zero();
        for player in 0..2 {
            let (own, opponent) = self.split(player, profile);
            let values = &mut workspace[..own.len()];
            self.game.action_values(player, opponent, values);
            let choices = self.game.simplices()[player].choices;
            for (k, (own, values)) in own.chunks_exact(choices).zip(values.chunks_exact_mut(choices)).enumerate() {
                let temperature = self.regularization(player) * self.game.weight(player, k);
                nash_conv += if temperature > T::zero() {
                    self.log_soften(player, k, values);
                    temperature * kl_divergence(own, values)
                } else {
                    values[first_maximum(values)] - own.iter().zip(&*values).map(|(&x, &v)| x * v).sum()
                };
            }
        }
        nash_conv
    }
}

fn first_maximum<T: Scalar>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

/// `Σ x (ln x − ln q) − x + q`, no term of which rounding may turn negative.
///
/// From ln q, since a q that rounds to zero still has a finite divergence.
fn kl_divergence<T: Scalar>(x: &[T], log_q: &[T]) -> T {
    let term = |(&x, &log_q): (&T, &T)| {
        let q = log_q.exp();
        if x > T::zero() { x * (x.ln() - log_q) - x + q } else { q }
    };
    x.iter().zip(log_q).map(term).map(|term| if term < T::zero() { T::zero() } else { term }).sum()
}
