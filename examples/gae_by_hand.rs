//! Generalised advantage estimation on three steps, beside the sums it stands for.

use aprm::core::gae::{
    Successor::{Continue, Interrupt, Terminate},
    gae,
};

fn main() {
    let (rewards, values) = ([1.0, 2.0, 3.0], [0.5, 0.5, 0.5]);
    let (gamma, gae_lambda) = (0.9, 0.8);

    let mut advantages = [0.0; 3];
    gae(&rewards, &values, &[Continue, Continue, Terminate], gamma, gae_lambda, &mut advantages);
    println!("terminated:  A = {advantages:.3?}");
    let delta = [1.0 + 0.9 * 0.5 - 0.5, 2.0 + 0.9 * 0.5 - 0.5, 3.0 - 0.5];
    println!("by hand:     δ = {delta:.3?}, A_0 = δ_0 + 0.72 δ_1 + 0.72² δ_2 = {:.3}", {
        delta[0] + 0.72 * delta[1] + 0.72 * 0.72 * delta[2]
    });

    // Cut off in a state worth 10: the last TD error bootstraps from it.
    gae(&rewards, &values, &[Continue, Continue, Interrupt(10.0)], gamma, gae_lambda, &mut advantages);
    println!("interrupted: A = {advantages:.3?}");
}
