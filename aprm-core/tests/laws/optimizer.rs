//! Update rules against closed forms, bounds and optax.

use core::convert::Infallible;

use aprm_core::equilibrium::RandomQuadratic;
use aprm_core::game::Game;
use aprm_core::optimizer::{
    Adam, Extragradient, GradientDescent, Host, MomentSpace, Ogda, OptimisticAdam, Optimizer, VectorSpace,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde_json::Value;

/// The iterates of `steps` steps from `start`, the start included.
fn iterates(
    optimizer: &mut impl Optimizer<Host<f64>>,
    learning_rate: f64,
    start: &[f64],
    steps: usize,
    mut pseudo_gradient: impl FnMut(usize, &[f64]) -> Vec<f64>,
) -> Vec<Vec<f64>> {
    let mut z = start.to_vec();
    let mut all = vec![z.clone()];
    for t in 0..steps {
        let gradient = pseudo_gradient(t, &z);
        let Ok(()) = optimizer.step(&mut Host::new(), learning_rate, &gradient, &mut z);
        all.push(z.clone());
    }
    all
}

/// f(x, y) = xy, x descending and y ascending.
fn bilinear(_: usize, z: &[f64]) -> Vec<f64> {
    vec![z[1], -z[0]]
}

fn norm(z: &[f64]) -> f64 {
    z.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The contraction per step over `period` steps far into a run: the ratio of norms, which on a linear map settles.
///
/// The dominant roots of OGDA on xy are a complex pair ±, so the ratio is taken over many steps.
fn contraction(trajectory: &[Vec<f64>]) -> f64 {
    let (from, to) = (trajectory.len() / 2, trajectory.len() - 1);
    (norm(&trajectory[to]) / norm(&trajectory[from])).powf(1.0 / (to - from) as f64)
}

fn ogda() -> Ogda<Vec<f64>, f64> {
    Ogda::new(vec![f64::NAN; 2])
}

/// A rule that goes as OGDA does but combines the gradients as told: the sabotaged twins.
struct Combination {
    current: f64,
    previous: f64,
    previous_gradient: Option<Vec<f64>>,
}

impl Combination {
    fn new(current: f64, previous: f64) -> Self {
        Self { current, previous, previous_gradient: None }
    }
}

impl Optimizer<Host<f64>> for Combination {
    fn step(&mut self, host: &mut Host<f64>, rate: f64, gradient: &[f64], z: &mut [f64]) -> Result<(), Infallible> {
        let previous = self.previous_gradient.replace(gradient.to_vec()).unwrap_or(gradient.to_vec());
        host.axpy(-rate * self.current, gradient, z)?;
        host.axpy(-rate * self.previous, &previous, z)
    }
}

/// √((1 + √(1 − 4η²)) / 2) on f = xy, and max |(1 − 2η ± √(1 + 4η²)) / 2| on F = z, both to 1e-6.
///
/// The second is there since f = xy cannot see the sign of the whole update: it turns the other way round.
fn has_ogda_rate<O: Optimizer<Host<f64>>>(new: impl Fn() -> O) -> Result<(), String> {
    for (rate, steps) in [(0.1_f64, 20_000), (0.3, 4_000)] {
        let rotation = contraction(&iterates(&mut new(), rate, &[1.0, 1.0], steps, bilinear));
        let shrinking = contraction(&iterates(&mut new(), rate, &[1.0, 1.0], 1_000, |_, z| z.to_vec()));
        let rotation_closed_form = ((1.0 + (1.0 - 4.0 * rate * rate).sqrt()) / 2.0).sqrt();
        let shrinking_closed_form = (1.0 - 2.0 * rate + (1.0 + 4.0 * rate * rate).sqrt()) / 2.0;
        for (measured, closed_form) in [(rotation, rotation_closed_form), (shrinking, shrinking_closed_form)] {
            // A run that diverged to NaN is unequal too.
            let is_equal = (measured - closed_form).abs() <= 1e-6;
            if !is_equal {
                return Err(format!("at η = {rate} the contraction is {measured}, not {closed_form}"));
            }
        }
    }
    Ok(())
}

#[test]
fn ogda_contracts_on_xy_at_the_closed_form() {
    has_ogda_rate(ogda).unwrap();
}

/// Negative control.
#[test]
fn a_wrong_sign_in_ogda_is_caught() {
    has_ogda_rate(|| Combination::new(2.0, -1.0)).unwrap();
    for (current, previous) in [(2.0, 1.0), (-2.0, 1.0), (1.0, 0.0), (1.0, -1.0), (2.0, 0.0)] {
        has_ogda_rate(|| Combination::new(current, previous)).unwrap_err();
    }
}

#[test]
fn ogda_first_updates_are_g0_then_2g1_minus_g0_then_2g2_minus_g1() {
    let gradients = [1.0, 10.0, 100.0];
    let z = iterates(&mut Ogda::new(vec![f64::NAN]), 1.0, &[0.0], 3, |t, _| vec![gradients[t]]);
    let updates: Vec<f64> = z.windows(2).map(|pair| pair[0][0] - pair[1][0]).collect();
    assert_eq!(updates, [1.0, 19.0, 190.0]);
}

/// Norms after 100 and 1000 steps, below, at and beyond the stability limit 1/√3.
#[test]
fn ogda_on_xy_diverges_above_the_square_root_of_one_third() {
    let norm_after = |rate: f64, steps| norm(iterates(&mut ogda(), rate, &[1.0, 1.0], steps, bilinear).last().unwrap());
    for (rate, steps, expected, digits) in [
        (0.1, 100, 0.859_985_3, 1e-7),
        (0.3, 100, 8.199_6e-3, 1e-7),
        (0.5, 100, 8.97e-14, 1e-16),
        (0.6, 100, 338.01, 1e-2),
        (0.57, 1000, 5.1e-9, 1e-10),
        (0.58, 1000, 1300.6, 0.1),
    ] {
        let measured = norm_after(rate, steps);
        assert!((measured - expected).abs() < digits, "η = {rate}: {measured} is not {expected}");
    }
    let limit = (1.0_f64 / 3.0).sqrt();
    assert!(norm_after(limit + 1e-3, 20_000) > 1e3);
    assert!(norm_after(limit - 1e-3, 20_000) < 1e-3);
}

/// |z|² is multiplied by 1 + η² in every step.
#[test]
fn gradient_descent_ascent_on_xy_grows_by_one_plus_eta_squared() {
    for rate in [0.05, 0.1, 0.3, 0.5] {
        for pair in iterates(&mut GradientDescent, rate, &[1.0, 1.0], 100, bilinear).windows(2) {
            let growth = (norm(&pair[1]) / norm(&pair[0])).powi(2);
            assert!((growth - (1.0 + rate * rate)).abs() < 1e-12);
        }
    }
}

/// √(1 − η² + η⁴) per iteration of two gradients.
#[test]
fn extragradient_contracts_on_xy_at_the_closed_form() {
    for rate in [0.1_f64, 0.5, 0.707] {
        let all = iterates(&mut Extragradient::new(vec![0.0; 2]), rate, &[1.0, 1.0], 200, bilinear);
        let iterations: Vec<_> = all.into_iter().step_by(2).collect();
        let closed_form = (1.0 - rate.powi(2) + rate.powi(4)).sqrt();
        assert!((contraction(&iterations) - closed_form).abs() < 1e-12);
    }
}

/// z' = −μ z: roots (1 − 2h ± √(1 + 4h²)) / 2, stable below 2/3.
#[test]
fn ogda_on_a_real_eigenvalue_contracts_at_the_closed_form() {
    for (rate, expected) in
        [(0.1, 0.909_901_951_359), (0.25, 0.809_016_994_375), (0.5, core::f64::consts::FRAC_1_SQRT_2)]
    {
        let trajectory = iterates(&mut Ogda::new(vec![0.0]), rate, &[1.0], 400, |_, z| z.to_vec());
        assert!((contraction(&trajectory) - expected).abs() < 1e-9);
    }
    let last = |rate| iterates(&mut Ogda::new(vec![0.0]), rate, &[1.0], 2000, |_, z| z.to_vec())[2000][0].abs();
    assert!(last(0.66) < 1e-6 && last(0.67) > 1e3);
}

proptest! {
    #[test]
    fn ogda_without_optimism_is_gradient_descent(start in prop::collection::vec(-2.0..2.0_f64, 2), rate in 0.01..0.5_f64) {
        let mut without = Ogda { optimism: 0.0, ..ogda() };
        let expected = iterates(&mut GradientDescent, rate, &start, 20, bilinear);
        prop_assert_eq!(iterates(&mut without, rate, &start, 20, bilinear), expected);
    }

    /// The textbook bound |w_t − w*|² ≤ (1 − μ/4L)ᵗ |w_0 − w*|² is Popov's base iterate's; OGDA's own iterates, his
    /// leading ones, exceed it by a few per cent, for which 1.25 allows.
    #[test]
    fn ogda_keeps_the_bound_on_strongly_monotone_games(
        seed: u64, first in 1..9_usize, second in 1..9_usize, condition in 1.0..100.0_f64,
    ) {
        let random = RandomQuadratic::sample([first, second], condition, &mut ChaCha8Rng::seed_from_u64(seed));
        let game = random.game();
        let rate = 1.0 / (4.0 * random.lipschitz);
        let factor = 1.0 - random.modulus / (4.0 * random.lipschitz);
        let distance = |z: &[f64]| norm(&z.iter().zip(&random.equilibrium).map(|(a, b)| a - b).collect::<Vec<_>>());
        let start = vec![0.0; first + second];
        let mut optimizer = Ogda::new(vec![0.0; first + second]);
        let mut gradients = Vec::new();
        let trajectory = iterates(&mut optimizer, rate, &start, 400, |_, z| {
            let mut gradient = vec![0.0; z.len()];
            game.pseudo_gradient(z, &mut [], &mut gradient);
            gradients.push(gradient.clone());
            gradient
        });
        let initial = distance(&start).powi(2);
        for (t, z) in trajectory.iter().enumerate() {
            let bound = factor.powi(t as i32) * initial + 1e-20;
            prop_assert!(distance(z).powi(2) <= 1.25 * bound, "OGDA at t = {t}");
        }
        // Popov's base iterate w_{t+1} = w_t − η F(w_{t+1/2}); its leading iterate after the first is OGDA's.
        let mut base = start.clone();
        for (t, gradient) in gradients.iter().enumerate().skip(1) {
            base.iter_mut().zip(gradient).for_each(|(w, g)| *w -= rate * g);
            let bound = factor.powi(t as i32) * initial + 1e-20;
            prop_assert!(distance(&base).powi(2) <= bound * (1.0 + 1e-9), "Popov at t = {t}");
        }
    }

    /// Two optimizers side by side are one optimizer of the joint profile.
    #[test]
    fn optimizers_work_coordinate_by_coordinate(gradients in prop::collection::vec([-3.0..3.0_f64, -3.0..3.0_f64], 1..10)) {
        let adam = |n| OptimisticAdam::new(vec![0.0; n], vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let joint = iterates(&mut adam(2), 0.1, &[0.5, -0.5], gradients.len(), |t, _| gradients[t].to_vec());
        for player in 0..2 {
            let start = joint[0][player];
            let alone = iterates(&mut adam(1), 0.1, &[start], gradients.len(), |t, _| vec![gradients[t][player]]);
            let part: Vec<_> = joint.iter().map(|z| vec![z[player]]).collect();
            prop_assert_eq!(part, alone);
        }
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/optax.json")).unwrap()
}

fn assert_equals_golden(name: &str, actual: &[Vec<f64>], tolerance: f64) {
    let golden = golden();
    let expected: Vec<_> = golden[name].as_array().unwrap().iter().map(numbers).collect();
    assert_eq!(actual.len(), expected.len());
    for (t, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
        for (a, e) in actual.iter().zip(expected) {
            assert!((a - e).abs() <= tolerance * (1.0 + e.abs()), "{name} at {t}: {actual:?} is not {expected:?}");
        }
    }
}

fn assert_follows_golden(name: &str, optimizer: &mut impl Optimizer<Host<f64>>, learning_rate: f64) {
    let golden = golden();
    let (matrix, offset) = (numbers(&golden["matrix"]), numbers(&golden["offset"]));
    let actual = iterates(optimizer, learning_rate, &[1.0, -2.0, 0.5], 20, |_, z| {
        let row = |i: usize| (0..3).map(|j| matrix[3 * i + j] * z[j]).sum::<f64>() + offset[i];
        (0..3).map(row).collect()
    });
    assert_equals_golden(name, &actual, 1e-12);
}

#[test]
fn ogda_equals_optax() {
    let gradients = |t: usize, _: &[f64]| vec![10.0_f64.powi(t as i32)];
    assert_equals_golden("ogda_three_updates", &iterates(&mut Ogda::new(vec![0.0]), 0.1, &[0.0], 3, gradients), 1e-14);
    assert_follows_golden("ogda", &mut Ogda::new(vec![0.0; 3]), 0.1);
}

#[test]
fn optimistic_adam_equals_optax() {
    let gradients = |t: usize, _: &[f64]| vec![10.0_f64.powi(t as i32)];
    let mut default = OptimisticAdam::new(vec![0.0], vec![0.0], vec![0.0], vec![0.0]);
    assert_equals_golden("optimistic_adam_three_updates", &iterates(&mut default, 0.05, &[0.0], 3, gradients), 1e-14);
    let mut optimizer = OptimisticAdam::new(vec![0.0; 3], vec![0.0; 3], vec![0.0; 3], vec![0.0; 3]);
    (optimizer.adam.beta1, optimizer.adam.beta2, optimizer.adam.epsilon) = (0.8, 0.95, 1e-6);
    assert_follows_golden("optimistic_adam", &mut optimizer, 0.05);
}

#[test]
fn adam_and_adamw_equal_optax() {
    let mut adam = Adam::new(vec![0.0; 3], vec![0.0; 3], vec![0.0; 3]);
    assert_follows_golden("adam", &mut adam, 0.05);
    let mut adamw = Adam { weight_decay: 0.1, ..Adam::new(vec![0.0; 3], vec![0.0; 3], vec![0.0; 3]) };
    assert_follows_golden("adamw", &mut adamw, 0.05);
}

/// TensorFlow 1 put ε under the bias correction, which makes the first step for g = 1e-6, ε = 1e-5 28.8 times smaller.
#[test]
fn adam_adds_epsilon_after_the_bias_correction() {
    let mut adam = Adam { epsilon: 1e-5, ..Adam::new([0.0], [0.0], [0.0]) };
    let mut z = [0.0_f64];
    let Ok(()) = adam.step(&mut Host::new(), 1.0, &[1e-6], &mut z);
    assert!((z[0] - -1e-6 / (1e-6 + 1e-5)).abs() < 1e-12);
}

/// What a checkpoint would have to hold: a copy in mid-run goes on exactly as the original does.
#[test]
fn state_is_a_value_and_every_field_of_it_counts() {
    let run = |optimizer: &mut OptimisticAdam<Vec<f64>, f64>, start: &[f64], steps| {
        iterates(optimizer, 0.1, start, steps, bilinear).pop().unwrap()
    };
    let new = || OptimisticAdam::new(vec![0.0; 2], vec![0.0; 2], vec![0.0; 2], vec![0.0; 2]);
    let mut optimizer = new();
    let middle = run(&mut optimizer, &[1.0, 1.0], 7);
    let saved = optimizer.clone();
    let end = run(&mut optimizer, &middle, 7);
    assert_eq!(run(&mut saved.clone(), &middle, 7), end);

    type Drop = fn(&mut OptimisticAdam<Vec<f64>, f64>);
    let drops: [Drop; 5] = [
        |o| o.adam.first_moment.fill(0.0),
        |o| o.adam.second_moment.fill(0.0),
        |o| o.adam.steps = 0,
        |o| o.ogda.previous_gradient.fill(0.0),
        |o| o.ogda.steps = 0,
    ];
    for drop in drops {
        let mut damaged = saved.clone();
        drop(&mut damaged);
        assert_ne!(run(&mut damaged, &middle, 7), end);
    }
}

/// A device whose operations may fail: the error reaches the caller.
#[test]
fn device_errors_reach_the_caller() {
    struct Lost;
    impl VectorSpace for Lost {
        type Scalar = f32;
        type Vector = u8;
        type Error = &'static str;
        fn copy(&mut self, _: &u8, _: &mut u8) -> Result<(), &'static str> {
            Err("lost")
        }
        fn axpy(&mut self, _: f32, _: &u8, _: &mut u8) -> Result<(), &'static str> {
            Err("lost")
        }
        fn scale(&mut self, _: f32, _: &mut u8) -> Result<(), &'static str> {
            Err("lost")
        }
        fn dot(&mut self, _: &u8, _: &u8) -> Result<f32, &'static str> {
            Err("lost")
        }
    }
    impl MomentSpace for Lost {
        fn adam_direction(
            &mut self,
            _: aprm_core::optimizer::AdamMoments<f32>,
            _: &u8,
            _: &mut u8,
            _: &mut u8,
            _: &mut u8,
        ) -> Result<(), &'static str> {
            Err("lost")
        }
    }
    let mut parameters = 0;
    assert_eq!(GradientDescent.step(&mut Lost, 0.1, &0, &mut parameters), Err("lost"));
    assert_eq!(Ogda::new(0).step(&mut Lost, 0.1, &0, &mut parameters), Err("lost"));
    assert_eq!(Extragradient::new(0).step(&mut Lost, 0.1, &0, &mut parameters), Err("lost"));
    assert_eq!(Adam::new(0, 0, 0).step(&mut Lost, 0.1, &0, &mut parameters), Err("lost"));
    assert_eq!(OptimisticAdam::new(0, 0, 0, 0).step(&mut Lost, 0.1, &0, &mut parameters), Err("lost"));
}
