//! Kuhn poker's known answers.

use aprm_core::equilibrium::kuhn::{self, Behaviour};
use aprm_core::equilibrium::{Regularized, SimplexGame};
use aprm_core::game::Game;

fn nash_conv_and_value(x: &[f64], y: &[f64]) -> (f64, f64) {
    let (first, second) = kuhn::payoffs::<f64>();
    let game = kuhn::bimatrix(&first, &second);
    let mut values = [0.0; kuhn::FIRST_CHOICES];
    game.action_values(0, y, &mut values);
    let value = x.iter().zip(values).map(|(x, v)| x * v).sum();
    let game = Regularized::new(game, [0.0; 2], [0.0; 2], None).unwrap();
    (game.nash_conv(&[x, y].concat(), &mut vec![0.0; game.workspace_len()]), value)
}

fn behaving(bet: f64, call: f64) -> ([f64; kuhn::FIRST_CHOICES], [f64; kuhn::SECOND_CHOICES]) {
    let behaviour = [Behaviour { bet, call }; 3];
    (kuhn::first_strategy(&behaviour), kuhn::second_strategy(&behaviour))
}

#[test]
fn kuhn_equilibria_have_nash_conv_zero_and_value_minus_one_eighteenth() {
    for alpha in [0.0, 0.1, 0.2, 1.0 / 3.0] {
        let (x, y) = kuhn::equilibrium(alpha);
        let (nash_conv, value) = nash_conv_and_value(&x, &y);
        assert!(nash_conv < 1e-15, "α = {alpha}: {nash_conv}");
        assert!((value - -1.0 / 18.0).abs() < 1e-15);
    }
    // α = .2 but calling with Q too seldom: the second player can bluff for profit.
    let (_, y) = kuhn::equilibrium(0.2);
    let timid =
        [Behaviour { bet: 0.2, call: 0.0 }, Behaviour { bet: 0.0, call: 0.0 }, Behaviour { bet: 0.6, call: 1.0 }];
    assert!(nash_conv_and_value(&kuhn::first_strategy(&timid), &y).0 > 0.05);
}

#[test]
fn kuhn_uniform_play_has_nash_conv_eleven_twelfths() {
    let (x, y) = behaving(0.5, 0.5);
    assert!((nash_conv_and_value(&x, &y).0 - 11.0 / 12.0).abs() < 1e-15);
}

#[test]
fn kuhn_always_passing_has_nash_conv_two() {
    let (x, y) = behaving(0.0, 0.0);
    assert!((nash_conv_and_value(&x, &y).0 - 2.0).abs() < 1e-15);
}

#[test]
fn kuhn_strategies_are_distributions() {
    let (x, y) = behaving(0.3, 0.8);
    assert!((x.iter().sum::<f64>() - 1.0).abs() < 1e-15 && (y.iter().sum::<f64>() - 1.0).abs() < 1e-15);
}
