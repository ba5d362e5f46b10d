//! Simultaneous and alternating play of f = xy, by hand.

use aprm_core::dynamics::{Dynamics, UpdateOrder};
use aprm_core::equilibrium::Bilinear;
use aprm_core::optimizer::{Extragradient, GradientDescent, Host, Optimizer};

const GAME: Bilinear<'static, f64> = Bilinear { rows: 1, columns: 1, matrix: &[1.0] };

fn one_iteration<O: Optimizer<Host<f64>>>(order: UpdateOrder, optimizers: [O; 2]) -> [f64; 2] {
    let mut profile = [1.0, 2.0];
    let mut dynamics = Dynamics { order, optimizers, pseudo_gradient: [f64::NAN; 2], workspace: [f64::NAN; 2] };
    dynamics.iterate(&GAME, 0.5, &mut profile);
    profile
}

#[test]
fn simultaneous_players_move_from_the_same_profile() {
    assert_eq!(one_iteration(UpdateOrder::Simultaneous, [GradientDescent; 2]), [0.0, 2.5]);
}

#[test]
fn alternating_second_player_sees_the_first_players_move() {
    assert_eq!(one_iteration(UpdateOrder::Alternating, [GradientDescent; 2]), [0.0, 2.0]);
}

#[test]
fn extragradient_takes_two_gradients_in_one_iteration() {
    let optimizers = [Extragradient::new([0.0]), Extragradient::new([0.0])];
    assert_eq!(one_iteration(UpdateOrder::Simultaneous, optimizers), [1.0 - 0.5 * 2.5, 2.0]);
}

/// Alternating GDA on xy stays bounded, where simultaneous GDA diverges: the conserved quantity is x² + y² − η x y.
#[test]
fn alternating_descent_ascent_conserves_its_energy() {
    let eta = 0.5;
    let energy = |[x, y]: [f64; 2]| x * x + y * y - eta * x * y;
    let mut profile = [1.0, 2.0];
    let initial = energy(profile);
    let mut dynamics = Dynamics {
        order: UpdateOrder::Alternating,
        optimizers: [GradientDescent; 2],
        pseudo_gradient: [0.0; 2],
        workspace: [0.0; 2],
    };
    for _ in 0..10_000 {
        dynamics.iterate(&GAME, eta, &mut profile);
        assert!((energy(profile) - initial).abs() < 1e-9);
    }
}
