//! OGDA's measured linear rate on random strongly monotone quadratic games, beside the bound.
//!
//! With η = 1 / (4L) the squared distance shrinks per step by at most 1 − μ / (4L) (Popov's base iterates).

use aprm::core::equilibrium::RandomQuadratic;
use aprm::core::game::Game;
use aprm::core::optimizer::{Host, Ogda, Optimizer};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

const GAMES: u64 = 20;

/// The factor of the squared distance per step, over the steps before rounding sets in.
fn measured_rate(random: &RandomQuadratic<f64>) -> f64 {
    let game = random.game();
    let dimension = random.equilibrium.len();
    let (mut z, mut pseudo_gradient) = (vec![0.0; dimension], vec![0.0; dimension]);
    let mut ogda = Ogda::new(vec![0.0; dimension]);
    let squared_distance = |z: &[f64]| z.iter().zip(&random.equilibrium).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let initial = squared_distance(&z);
    let mut steps = 0;
    while squared_distance(&z) > 1e-20 * initial {
        game.pseudo_gradient(&z, &mut [], &mut pseudo_gradient);
        let Ok(()) = ogda.step(&mut Host::new(), 0.25 / random.lipschitz, &pseudo_gradient, &mut z);
        steps += 1;
    }
    (squared_distance(&z) / initial).powf(1.0 / f64::from(steps))
}

fn main() {
    println!("{GAMES} games each, η = 1/(4L): factor of |z − z*|² per step");
    println!("size  L/μ   bound    median   largest  steps per digit (median)");
    for size in [2, 8, 64] {
        for condition in [2.0, 10.0, 100.0] {
            let mut rates: Vec<f64> = (0..GAMES)
                .map(|seed| {
                    let mut rng = ChaCha8Rng::seed_from_u64(seed);
                    measured_rate(&RandomQuadratic::sample([size / 2, size - size / 2], condition, &mut rng))
                })
                .collect();
            rates.sort_by(f64::total_cmp);
            let (median, largest) = (rates[rates.len() / 2], rates[rates.len() - 1]);
            let bound = 1.0 - 0.25 / condition;
            println!(
                "{size:>4} {condition:>4} {bound:>8.5} {median:>8.5} {largest:>8.5} {:>8.0}",
                -2.0 * core::f64::consts::LN_10 / median.ln()
            );
            assert!(largest <= bound, "the bound is broken");
        }
    }
}
