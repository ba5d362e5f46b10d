//! Any bytes as a game file: refused, or a game that can be played.
#![no_main]

use aprm::game_file::{GameFile, MAGNITUDE};
use aprm_core::dynamics::{Dynamics, UpdateOrder};
use aprm_core::equilibrium::{
    Bimatrix, LogitGradient, Logits, Regularized, monotonicity_margin, nash_equilibria, spectral_norm,
};
use aprm_core::game::Game;
use aprm_core::optimizer::Ogda;
use libfuzzer_sys::fuzz_target;

/// What takes cubic time is left out above it.
const SMALL: usize = 16;

fuzz_target!(|data: &[u8]| {
    let Ok(file) = GameFile::parse(data) else { return };
    let game = file.game();
    let &Bimatrix { rows, columns, row_payoff, column_payoff } = game.game();
    assert!(rows >= 1 && columns >= 1);
    for payoff in [row_payoff, column_payoff] {
        assert_eq!(payoff.len(), rows * columns);
        assert!(payoff.iter().all(|payoff| payoff.abs() <= MAGNITUDE));
    }
    if rows.max(columns) > SMALL {
        return;
    }
    let kappa = game.regularization(0).max(game.regularization(1));
    let scale = spectral_norm(columns, row_payoff).max(spectral_norm(columns, column_payoff));
    assert!(kappa.is_finite() && scale.is_finite() && monotonicity_margin(&game).is_finite());
    if rows.max(columns) <= 4 {
        for equilibrium in nash_equilibria(game.game()) {
            assert_eq!(equilibrium.len(), rows + columns);
            assert!(equilibrium.iter().all(|probability| *probability >= 0.0), "{equilibrium:?}");
        }
    }
    let learning_rate = 0.25 / (scale + 2.0 * kappa).max(f64::MIN_POSITIVE);
    play(&game, &game, learning_rate);
    for gradient in [LogitGradient::Natural, LogitGradient::Vanilla] {
        play(&game, &Logits { game: &game, gradient }, learning_rate);
    }
});

/// Ten iterations of OGDA at the learning rate that suits the game.
fn play(regularized: &Regularized<'_, Bimatrix<'_, f64>>, game: &dyn Game<Scalar = f64>, learning_rate: f64) {
    let dimensions = game.dimensions();
    let mut profile: Vec<f64> = dimensions.iter().flat_map(|&n| (1..=n).map(move |i| i as f64 / n as f64)).collect();
    let mut workspace = vec![f64::NAN; game.workspace_len()];
    let mut dynamics = Dynamics {
        order: UpdateOrder::Simultaneous,
        optimizers: dimensions.map(|dimension| Ogda::new(vec![f64::NAN; dimension])),
        pseudo_gradient: vec![f64::NAN; profile.len()],
        workspace: workspace.clone(),
    };
    game.project(&mut profile);
    for iteration in 0..10 {
        dynamics.iterate(game, learning_rate, &mut profile);
        let nash_conv = game.nash_conv(&profile, &mut workspace);
        assert!(nash_conv.is_finite(), "iteration {iteration}: {nash_conv} at {profile:?} of {regularized:?}");
    }
}
