//! How two learners move through a game.

use core::borrow::BorrowMut;

use crate::game::Game;
use crate::optimizer::{Host, Optimizer};

/// Who sees whose latest move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UpdateOrder {
    /// Both move from the same profile.
    #[default]
    Simultaneous,
    /// The second player moves after it has seen the first player's new strategy.
    Alternating,
}

/// Two learners, each with an optimizer of its own, and the scratch memory they share.
///
/// ```text
/// simultaneous: θ_{t+1} from F(θ_t, φ_t),  φ_{t+1} from F(θ_t, φ_t)
/// alternating:  θ_{t+1} from F(θ_t, φ_t),  φ_{t+1} from F(θ_{t+1}, φ_t)
/// ```
///
/// After every move the profile is projected onto the feasible set.
///
/// ```
/// use aprm_core::dynamics::{Dynamics, UpdateOrder};
/// use aprm_core::equilibrium::Bilinear;
/// use aprm_core::game::Game;
/// use aprm_core::optimizer::Ogda;
///
/// let game = Bilinear { rows: 1, columns: 1, matrix: &[1.0] }; // f(x, y) = x y
/// let mut dynamics = Dynamics {
///     order: UpdateOrder::Simultaneous,
///     optimizers: [Ogda::new([0.0]), Ogda::new([0.0])],
///     pseudo_gradient: [0.0; 2],
///     workspace: [0.0; 2],
/// };
/// let mut profile = [1.0, 1.0];
/// for _ in 0..100 {
///     dynamics.iterate(&game, 0.5, &mut profile);
/// }
/// assert!(game.nash_conv(&profile, &mut [0.0; 2]) < 1.3e-13);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dynamics<O, V> {
    /// Who sees whose latest move.
    pub order: UpdateOrder,
    /// The first player's rule and the second's.
    pub optimizers: [O; 2],
    /// Scratch memory of the length of a profile.
    pub pseudo_gradient: V,
    /// Scratch memory of the length that the game asks for.
    pub workspace: V,
}

impl<O, V> Dynamics<O, V> {
    /// One iteration: as many moves of both players as make one for their optimizer.
    ///
    /// # Panics
    /// If the profile, the optimizers' state or the scratch memory does not have the game's lengths.
    pub fn iterate<G>(&mut self, game: &G, learning_rate: G::Scalar, profile: &mut [G::Scalar])
    where
        G: Game + ?Sized,
        O: Optimizer<Host<G::Scalar>>,
        V: BorrowMut<[G::Scalar]>,
    {
        for _ in 0..self.optimizers[0].gradients_per_iteration() {
            self.evaluate(game, profile);
            self.step(game, 0, learning_rate, profile);
            if self.order == UpdateOrder::Alternating {
                game.project(profile);
                self.evaluate(game, profile);
            }
            self.step(game, 1, learning_rate, profile);
            game.project(profile);
        }
    }

    fn evaluate<G>(&mut self, game: &G, profile: &[G::Scalar])
    where
        G: Game + ?Sized,
        V: BorrowMut<[G::Scalar]>,
    {
        game.pseudo_gradient(profile, self.workspace.borrow_mut(), self.pseudo_gradient.borrow_mut());
    }

    fn step<G>(&mut self, game: &G, player: usize, learning_rate: G::Scalar, profile: &mut [G::Scalar])
    where
        G: Game + ?Sized,
        O: Optimizer<Host<G::Scalar>>,
        V: BorrowMut<[G::Scalar]>,
    {
        let [first, second] = game.dimensions();
        let coordinates = if player == 0 { 0..first } else { first..first + second };
        let gradient = &self.pseudo_gradient.borrow()[coordinates.clone()];
        let Ok(()) = self.optimizers[player].step(&mut Host::new(), learning_rate, gradient, &mut profile[coordinates]);
    }
}
