//! On f(x, y) = xy gradient descent-ascent spirals outwards and optimistic gradient descent-ascent spirals in.

use aprm::core::optimizer::{GradientDescent, Host, Ogda, Optimizer};

/// Distances from the equilibrium after 0, 50, .. 200 steps.
fn distances(mut optimizer: impl Optimizer<Host<f64>>, learning_rate: f64) -> Vec<f64> {
    let mut z = [1.0, 1.0];
    let mut distances = Vec::new();
    for step in 0..=200 {
        if step % 50 == 0 {
            distances.push(f64::hypot(z[0], z[1]));
        }
        let pseudo_gradient = [z[1], -z[0]]; // x descends, y ascends
        let Ok(()) = optimizer.step(&mut Host::new(), learning_rate, &pseudo_gradient, &mut z);
    }
    distances
}

fn main() {
    let eta: f64 = 0.3;
    let (gda, ogda) = (distances(GradientDescent, eta), distances(Ogda::new([0.0; 2]), eta));
    println!("steps        GDA       OGDA");
    for (i, (gda, ogda)) in gda.iter().zip(&ogda).enumerate() {
        println!("{:>5} {gda:>10.3e} {ogda:>10.3e}", 50 * i);
    }
    println!("GDA grows by √(1 + η²) = {:.4} per step", (1.0 + eta * eta).sqrt());
    println!("OGDA shrinks by √((1 + √(1 − 4η²)) / 2) = {:.4}", ((1.0 + (1.0 - 4.0 * eta * eta).sqrt()) / 2.0).sqrt());
}
