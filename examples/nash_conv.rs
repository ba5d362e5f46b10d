//! How far a profile is from equilibrium: biased matching pennies, plain and regularised.

use aprm::core::equilibrium::{Bimatrix, Regularized, monotonicity_margin, nash_equilibria};
use aprm::core::game::Game;

fn main() {
    let pennies =
        Bimatrix { rows: 2, columns: 2, row_payoff: &[2.0, -1.0, -1.0, 1.0], column_payoff: &[-2.0, 1.0, 1.0, -1.0] };
    let equilibrium = nash_equilibria(&pennies).remove(0);
    println!("equilibrium: x = {:.2?}, y = {:.2?}", &equilibrium[..2], &equilibrium[2..]);

    let plain = Regularized::new(pennies, [0.0; 2], [0.0; 2], None).unwrap();
    let regularized = Regularized::new(pennies, [0.1; 2], [0.0; 2], None).unwrap();
    let mut workspace = vec![0.0; plain.workspace_len()];
    for profile in [equilibrium.clone(), vec![0.5; 4], vec![1.0, 0.0, 1.0, 0.0]] {
        println!(
            "NashConv of {profile:.2?}: {:.4}, with τ = 0.1: {:.4}",
            plain.nash_conv(&profile, &mut workspace),
            regularized.nash_conv(&profile, &mut workspace),
        );
    }
    println!("monotonicity margin with τ = 0.1: {:.2}", monotonicity_margin(&regularized));
}
