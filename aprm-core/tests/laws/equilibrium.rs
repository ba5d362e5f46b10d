//! Exact games against known equilibria, closed forms and definitions.

use aprm_core::dynamics::{Dynamics, UpdateOrder};
use aprm_core::equilibrium::{
    Bilinear, Bimatrix, LogitGradient, Logits, Quadratic, RandomQuadratic, Regularized, SimplexGame,
    monotonicity_margin, nash_equilibria, project_onto_simplex, solve_linear, spectral_norm,
};
use aprm_core::game::Game;
use aprm_core::optimizer::{GradientDescent, Host, Ogda, Optimizer};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

pub(crate) const PENNIES: [f64; 4] = [1.0, -1.0, -1.0, 1.0];
const ROCK_PAPER_SCISSORS: [f64; 9] = [0.0, -1.0, 1.0, 1.0, 0.0, -1.0, -1.0, 1.0, 0.0];
const BIASED_ROCK_PAPER_SCISSORS: [f64; 9] = [0.0, -0.25, 0.5, 0.25, 0.0, -0.05, -0.5, 0.05, 0.0];
const IDENTITY: [f64; 4] = [1.0, 0.0, 0.0, 1.0];

/// A zero-sum game on a square matrix, with the memory for its second half.
struct ZeroSumMatrix {
    choices: usize,
    row_payoff: Vec<f64>,
    column_payoff: Vec<f64>,
}

impl ZeroSumMatrix {
    fn new(row_payoff: &[f64]) -> Self {
        let choices = (row_payoff.len() as f64).sqrt() as usize;
        let column_payoff = row_payoff.iter().map(|a| -a).collect();
        Self { choices, row_payoff: row_payoff.to_vec(), column_payoff }
    }

    fn game(&self, entropy_coef: f64) -> Regularized<'static, Bimatrix<'_, f64>> {
        let bimatrix = Bimatrix {
            rows: self.choices,
            columns: self.choices,
            row_payoff: &self.row_payoff,
            column_payoff: &self.column_payoff,
        };
        Regularized::new(bimatrix, [0.0; 2], [entropy_coef; 2], None).unwrap()
    }
}

fn coordination(kl_coef: f64) -> Regularized<'static, Bimatrix<'static, f64>> {
    let game = Bimatrix { rows: 2, columns: 2, row_payoff: &IDENTITY, column_payoff: &IDENTITY };
    Regularized::new(game, [kl_coef; 2], [0.0; 2], None).unwrap()
}

pub(crate) fn nash_conv(game: &impl Game<Scalar = f64>, profile: &[f64]) -> f64 {
    game.nash_conv(profile, &mut vec![f64::NAN; game.workspace_len()])
}

/// NashConv before each of `iterations` iterations and after the last; `profile` is left where they end.
pub(crate) fn play<O: Optimizer<Host<f64>>>(
    game: &impl Game<Scalar = f64>,
    new: impl Fn(usize) -> O,
    learning_rate: f64,
    profile: &mut [f64],
    iterations: usize,
) -> Vec<f64> {
    let [first, second] = game.dimensions();
    let mut dynamics = Dynamics {
        order: UpdateOrder::Simultaneous,
        optimizers: [new(first), new(second)],
        pseudo_gradient: vec![f64::NAN; first + second],
        workspace: vec![f64::NAN; game.workspace_len()],
    };
    let mut history = vec![nash_conv(game, profile)];
    for _ in 0..iterations {
        dynamics.iterate(game, learning_rate, profile);
        history.push(nash_conv(game, profile));
    }
    history
}

pub(crate) fn ogda(dimension: usize) -> Ogda<Vec<f64>, f64> {
    Ogda::new(vec![0.0; dimension])
}

fn gda(_: usize) -> GradientDescent {
    GradientDescent
}

/// x starts at (.9, the rest alike), y mirrored.
fn mirrored_start(choices: usize) -> Vec<f64> {
    let rest = 0.1 / (choices - 1) as f64;
    let x: Vec<f64> = (0..choices).map(|i| if i == 0 { 0.9 } else { rest }).collect();
    x.iter().chain(x.iter().rev()).copied().collect()
}

#[test]
fn nash_conv_of_known_profiles() {
    let pennies = ZeroSumMatrix::new(&PENNIES);
    for (p, q) in [(0.5, 0.5), (1.0, 0.0), (0.9, 0.3)] {
        let expected = f64::abs(2.0 * p - 1.0) + f64::abs(2.0 * q - 1.0);
        assert!((nash_conv(&pennies.game(0.0), &[p, 1.0 - p, q, 1.0 - q]) - expected).abs() < 1e-15);
    }
    let paper = ZeroSumMatrix::new(&ROCK_PAPER_SCISSORS);
    assert!(nash_conv(&paper.game(0.0), &[1.0 / 3.0; 6]) < 1e-15);
    assert_eq!(nash_conv(&paper.game(0.0), &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]), 2.0);
    let biased = ZeroSumMatrix::new(&BIASED_ROCK_PAPER_SCISSORS);
    let equilibrium = [1.0 / 16.0, 10.0 / 16.0, 5.0 / 16.0].repeat(2);
    assert!(nash_conv(&biased.game(0.0), &equilibrium) < 1e-15);
}

/// Iterations of projected OGDA until NashConv falls below 1e-2, 1e-4, 1e-6, 1e-10, within 10 % of the reference; and
/// plain projected GDA, which must not get there.
#[test]
fn ogda_solves_matrix_games_where_gda_cycles() {
    let cases: [(&[f64], f64, [usize; 4]); 6] = [
        (&PENNIES, 0.125, [141, 273, 411, 675]),
        (&PENNIES, 0.2, [46, 90, 131, 212]),
        (&ROCK_PAPER_SCISSORS, 0.125, [198, 372, 558, 923]),
        (&ROCK_PAPER_SCISSORS, 0.2, [69, 130, 192, 314]),
        (&BIASED_ROCK_PAPER_SCISSORS, 0.125, [452, 3167, 5882, 11_420]),
        (&BIASED_ROCK_PAPER_SCISSORS, 0.2, [147, 1229, 2311, 4408]),
    ];
    for (matrix, rate, expected) in cases {
        let matrix = ZeroSumMatrix::new(matrix);
        let start = mirrored_start(matrix.choices);
        let history = play(&matrix.game(0.0), ogda, rate, &mut start.clone(), 12_000);
        for (threshold, expected) in [1e-2, 1e-4, 1e-6, 1e-10].into_iter().zip(expected) {
            let reached = history.iter().position(|&n| n < threshold).unwrap();
            assert!(reached.abs_diff(expected) * 10 <= expected, "{threshold}: {reached} is not about {expected}");
        }
        let history = play(&matrix.game(0.0), gda, rate, &mut start.clone(), 2_000);
        let smallest = history[1_000..].iter().copied().fold(f64::INFINITY, f64::min);
        assert!(smallest > 0.02, "GDA must not converge, yet NashConv fell to {smallest}");
    }
}

/// Quantal response equilibria of biased matching pennies: strategies and the unregularised NashConv.
#[test]
fn regularised_equilibria_are_quantal_responses() {
    let table = [
        (0.05, 0.404_216_552_346, 0.396_120_734_968, 0.016_192),
        (0.1, 0.408_726_637_002, 0.392_615_362_196, 0.032_223),
        (0.25, 0.423_507_560_053, 0.384_580_456_969, 0.077_854),
        (0.5, 0.449_132_180_203, 0.379_582_234_350, 0.139_100),
        (1.0, 0.488_674_306_159, 0.390_937_894_837, 0.195_473),
        (2.0, 0.517_081_966_892, 0.427_341_787_885, 0.316_189),
    ];
    let matrix = ZeroSumMatrix::new(&[2.0, -1.0, -1.0, 1.0]);
    for (tau, x, y, unregularised) in table {
        let game = matrix.game(tau);
        let logits = Logits { game: &game, gradient: LogitGradient::Natural };
        let mut profile = [0.7, 0.0, -0.2, 0.0];
        play(&logits, ogda, 0.05, &mut profile, 20_000);
        let mut strategies = [0.0; 4];
        logits.strategies(&profile, &mut strategies);
        assert!((strategies[0] - x).abs() < 1e-9 && (strategies[2] - y).abs() < 1e-9, "τ = {tau}: {strategies:?}");
        assert!((nash_conv(&matrix.game(0.0), &strategies) - unregularised).abs() < 1e-6);
        assert!(nash_conv(&game, &strategies) < 1e-14);

        let mut projected = [0.9, 0.1, 0.2, 0.8];
        play(&game, ogda, 0.02, &mut projected, 40_000);
        assert!((projected[0] - x).abs() < 1e-9 && (projected[2] - y).abs() < 1e-9, "τ = {tau}: {projected:?}");
    }
}

/// A = B = I has one equilibrium if and only if τ ≥ 1/2, and the margin 2τ − 1 says so.
#[test]
fn coordination_has_one_equilibrium_only_above_the_threshold() {
    let limit = |tau, p: f64| {
        let mut profile = [p, 1.0 - p, p, 1.0 - p];
        play(&coordination(tau), ogda, 0.05, &mut profile, 20_000);
        profile[0]
    };
    assert!((limit(0.6, 0.9) - 0.5).abs() < 1e-12 && (limit(0.6, 0.1) - 0.5).abs() < 1e-12);
    assert!((limit(0.4, 0.9) - 0.855_205_891_744).abs() < 1e-10);
    assert!((limit(0.4, 0.1) - 0.144_794_108_256).abs() < 1e-10);
    assert!((limit(0.25, 0.9) - 0.978_752_012_039).abs() < 1e-10);
    for tau in [0.25, 0.4, 0.5, 0.6] {
        assert!((monotonicity_margin(&coordination(tau)) - (2.0 * tau - 1.0)).abs() < 1e-12);
    }
}

/// exp(−spread / κ) is zero in `f64`; without a floor above it the logarithm of a projected zero ends the game.
#[test]
fn a_small_regularisation_never_leaves_the_finite_numbers() {
    let matrix = ZeroSumMatrix::new(&PENNIES);
    for (entropy_coef, limit) in [(1e-3, 1e-9), (1e-100, 1e-3)] {
        let mut profile = [0.9, 0.1, 0.1, 0.9];
        let nash_conv = play(&matrix.game(entropy_coef), ogda, 0.125, &mut profile, 2000);
        assert!(nash_conv.iter().all(|gain| gain.is_finite()), "entropy_coef {entropy_coef}");
        assert!(nash_conv[2000] < limit, "entropy_coef {entropy_coef}: {}", nash_conv[2000]);
    }
}

/// Equilibria do not depend on the unit of the payoffs; powers of two change no bit of them.
#[test]
fn nash_equilibria_ignore_the_scale_of_the_payoffs() {
    let equilibria = |scale: f64| {
        let row_payoff = [3.0, 0.0, 1.0, 0.0, 2.0, 1.0].map(|a| a * scale);
        let column_payoff = [2.0, 1.0, 0.0, 0.0, 1.5, 1.0].map(|b| b * scale);
        nash_equilibria(&Bimatrix { rows: 2, columns: 3, row_payoff: &row_payoff, column_payoff: &column_payoff })
    };
    let expected = equilibria(1.0);
    assert_eq!(expected.len(), 3);
    for exponent in [-300, -60, 60, 300] {
        assert_eq!(equilibria(2.0_f64.powi(exponent)), expected, "payoffs times 2^{exponent}");
    }
}

fn bimatrix_strategy() -> impl Strategy<Value = (usize, usize, Vec<f64>, Vec<f64>)> {
    (1..5_usize, 1..5_usize).prop_flat_map(|(rows, columns)| {
        let payoff = || prop::collection::vec(-2.0..2.0_f64, rows * columns);
        (Just(rows), Just(columns), payoff(), payoff())
    })
}

/// A profile of distributions with positive probabilities, from positive weights.
pub(crate) fn normalised(weights: &[f64], game: &impl SimplexGame<Scalar = f64>) -> Vec<f64> {
    let [first, second] = game.simplices();
    let mut profile = weights[..first.dimension() + second.dimension()].to_vec();
    let (x, y) = profile.split_at_mut(first.dimension());
    for distribution in x.chunks_exact_mut(first.choices).chain(y.chunks_exact_mut(second.choices)) {
        let total: f64 = distribution.iter().sum();
        distribution.iter_mut().for_each(|p| *p /= total);
    }
    profile
}

/// F = (−∇U_1, −∇U_2), by central differences of the utilities.
pub(crate) fn assert_pseudo_gradient_is_minus_gradient_of_utilities<G: SimplexGame<Scalar = f64>>(
    game: &Regularized<'_, G>,
    profile: &[f64],
) {
    let mut pseudo_gradient = vec![f64::NAN; profile.len()];
    let mut workspace = vec![f64::NAN; game.workspace_len()];
    game.pseudo_gradient(profile, &mut workspace, &mut pseudo_gradient);
    let first = game.dimensions()[0];
    for index in 0..profile.len() {
        let mut utility_at = |step: f64| {
            let mut moved = profile.to_vec();
            moved[index] += step;
            game.utilities(&moved, &mut workspace)[usize::from(index >= first)]
        };
        let step = 1e-5 * profile[index];
        let difference = (utility_at(step) - utility_at(-step)) / (2.0 * step);
        assert!(
            (difference + pseudo_gradient[index]).abs() <= 1e-6 * (1.0 + difference.abs()),
            "coordinate {index}: utility rises by {difference}, pseudo-gradient {}",
            pseudo_gradient[index]
        );
    }
}

/// NashConv = Σ_p U_p(BR, ·) − U_p, with the best response's own utility.
pub(crate) fn assert_nash_conv_is_what_best_responses_gain<G: SimplexGame<Scalar = f64>>(
    game: &Regularized<'_, G>,
    profile: &[f64],
) {
    let [first, second] = game.dimensions();
    let (x, y) = profile.split_at(first);
    let mut workspace = vec![f64::NAN; game.workspace_len()];
    let [u1, u2] = game.utilities(profile, &mut workspace);
    let (mut best_x, mut best_y) = (vec![f64::NAN; first], vec![f64::NAN; second]);
    game.best_response(0, y, &mut best_x);
    game.best_response(1, x, &mut best_y);
    let best_u1 = game.utilities(&[&best_x, y].concat(), &mut workspace)[0];
    let best_u2 = game.utilities(&[x, &best_y].concat(), &mut workspace)[1];
    let expected = best_u1 - u1 + best_u2 - u2;
    assert!((nash_conv(game, profile) - expected).abs() < 1e-10 * (1.0 + expected), "{expected}");
}

proptest! {
    #[test]
    fn pseudo_gradient_is_minus_gradient_of_utilities(
        (rows, columns, row_payoff, column_payoff) in bimatrix_strategy(),
        kl_coef in [0.0..1.0_f64, 0.0..1.0], entropy_coef in [0.0..1.0_f64, 0.0..1.0],
        weights in prop::collection::vec(0.1..1.0_f64, 10), reference in prop::collection::vec(0.1..1.0_f64, 10),
    ) {
        let game = Bimatrix { rows, columns, row_payoff: &row_payoff, column_payoff: &column_payoff };
        let (profile, reference) = (normalised(&weights, &game), normalised(&reference, &game));
        let game = Regularized::new(game, kl_coef, entropy_coef, Some(&reference)).unwrap();
        assert_pseudo_gradient_is_minus_gradient_of_utilities(&game, &profile);
        assert_nash_conv_is_what_best_responses_gain(&game, &profile);
        // No other response does better than the best one.
        let mut workspace = vec![0.0; game.workspace_len()];
        let mut best = vec![0.0; rows];
        game.best_response(0, &profile[rows..], &mut best);
        let best = game.utilities(&[&best[..], &profile[rows..]].concat(), &mut workspace)[0];
        prop_assert!(best >= game.utilities(&[&reference[..rows], &profile[rows..]].concat(), &mut workspace)[0] - 1e-12);
    }

    /// Every best response keeps clear of the floor that strategies are projected to.
    #[test]
    fn projection_never_cuts_off_a_best_response(
        (rows, columns, row_payoff, column_payoff) in bimatrix_strategy(),
        kl_coef in 0.05..1.0_f64, weights in prop::collection::vec(0.01..1.0_f64, 10),
    ) {
        let game = Bimatrix { rows, columns, row_payoff: &row_payoff, column_payoff: &column_payoff };
        let profile = normalised(&weights, &game);
        let game = Regularized::new(game, [kl_coef; 2], [0.0; 2], None).unwrap();
        let mut response = vec![0.0; rows + columns];
        let (x, y) = response.split_at_mut(rows);
        game.best_response(0, &profile[rows..], x);
        game.best_response(1, &profile[..rows], y);
        let mut projected = response.clone();
        game.project(&mut projected);
        for (p, q) in projected.iter().zip(&response) {
            prop_assert!((p - q).abs() < 1e-12);
        }
    }

    /// argmin ‖x − z‖²: no feasible point is nearer, which for a convex set is (z − x)·(v − x) ≤ 0 at every vertex v.
    #[test]
    fn projection_is_the_nearest_distribution(z in prop::collection::vec(-3.0..3.0_f64, 1..8), share in 0.0..0.9_f64) {
        let floor = share / z.len() as f64;
        let mut x = z.clone();
        project_onto_simplex(&mut x, floor);
        prop_assert!((x.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        prop_assert!(x.iter().all(|&x| x >= floor));
        for vertex in 0..z.len() {
            let slope: f64 = (0..z.len()).map(|i| {
                let v = if i == vertex { 1.0 - floor * (z.len() - 1) as f64 } else { floor };
                (z[i] - x[i]) * (v - x[i])
            }).sum();
            prop_assert!(slope <= 1e-10);
        }
        let mut again = x.clone();
        project_onto_simplex(&mut again, floor);
        for (a, b) in again.iter().zip(&x) {
            prop_assert!((a - b).abs() < 1e-14);
        }
    }

    /// A positive margin μ promises ⟨F(z) − F(z'), z − z'⟩ ≥ μ ‖z − z'‖².
    #[test]
    fn positive_margin_means_strong_monotonicity(
        (rows, columns, row_payoff, column_payoff) in bimatrix_strategy(), excess in 0.0..1.0_f64, tilt in 1.0..3.0_f64,
        one in prop::collection::vec(0.01..1.0_f64, 10), other in prop::collection::vec(0.01..1.0_f64, 10),
    ) {
        let game = Bimatrix { rows, columns, row_payoff: &row_payoff, column_payoff: &column_payoff };
        let (one, other) = (normalised(&one, &game), normalised(&other, &game));
        let sigma = -2.0 * monotonicity_margin(&Regularized::new(game, [0.0; 2], [0.0; 2], None).unwrap());
        let tau = sigma / 4.0 + excess;
        let game = Regularized::new(game, [tau * tilt, tau / tilt], [0.0; 2], None).unwrap();
        let margin = monotonicity_margin(&game);
        let (mut at_one, mut at_other) = (vec![0.0; one.len()], vec![0.0; one.len()]);
        game.pseudo_gradient(&one, &mut [], &mut at_one);
        game.pseudo_gradient(&other, &mut [], &mut at_other);
        let (mut inner, mut squared) = (0.0, 0.0);
        for i in 0..one.len() {
            inner += (at_one[i] - at_other[i]) * (one[i] - other[i]);
            squared += (one[i] - other[i]).powi(2);
        }
        prop_assert!(inner >= margin * squared - 1e-9, "{inner} < {margin} × {squared}");
    }

    /// Vanilla logit gradients are those of the utilities as functions of the logits.
    #[test]
    fn vanilla_logit_gradient_is_the_chain_rule(
        (rows, columns, row_payoff, column_payoff) in bimatrix_strategy(), logits in prop::collection::vec(-2.0..2.0_f64, 10),
    ) {
        let game = Bimatrix { rows, columns, row_payoff: &row_payoff, column_payoff: &column_payoff };
        let game = Regularized::new(game, [0.3; 2], [0.1; 2], None).unwrap();
        let in_logits = Logits { game: &game, gradient: LogitGradient::Vanilla };
        let logits = &logits[..rows + columns];
        let mut gradient = vec![f64::NAN; rows + columns];
        let mut workspace = vec![f64::NAN; in_logits.workspace_len()];
        in_logits.pseudo_gradient(logits, &mut workspace, &mut gradient);
        for index in 0..logits.len() {
            let mut utility_at = |step: f64| {
                let mut moved = logits.to_vec();
                moved[index] += step;
                let mut strategies = vec![0.0; moved.len()];
                in_logits.strategies(&moved, &mut strategies);
                game.utilities(&strategies, &mut workspace)[usize::from(index >= rows)]
            };
            let difference = (utility_at(1e-5) - utility_at(-1e-5)) / 2e-5;
            prop_assert!((difference + gradient[index]).abs() < 1e-8);
        }
    }

    #[test]
    fn support_enumeration_finds_equilibria_and_nothing_else((rows, columns, row_payoff, column_payoff) in bimatrix_strategy()) {
        let game = Bimatrix { rows, columns, row_payoff: &row_payoff, column_payoff: &column_payoff };
        let equilibria = nash_equilibria(&game);
        // A nondegenerate game has an odd number of them, and random payoffs are nondegenerate.
        prop_assert_eq!(equilibria.len() % 2, 1);
        let game = Regularized::new(game, [0.0; 2], [0.0; 2], None).unwrap();
        for profile in equilibria {
            prop_assert!(nash_conv(&game, &profile) < 1e-10);
        }
    }

    #[test]
    fn solve_linear_solves(n in 1..9_usize, seed: u64) {
        let random = RandomQuadratic::sample([n, 1], 10.0, &mut ChaCha8Rng::seed_from_u64(seed));
        let mut workspace = vec![0.0; (n + 1) * (n + 1)];
        let mut equilibrium = vec![0.0_f64; n + 1];
        random.game().equilibrium(&mut workspace, &mut equilibrium).unwrap();
        for (a, b) in equilibrium.iter().zip(&random.equilibrium) {
            prop_assert!((a - b).abs() < 1e-10);
        }
    }

    /// 1 = μ ≤ Rayleigh quotients of the symmetric part; no vector is stretched by more than L.
    #[test]
    fn random_quadratic_games_have_the_constants_they_state(
        seed: u64, first in 1..6_usize, second in 1..6_usize, condition in 1.0..100.0_f64,
        v in prop::collection::vec(-1.0..1.0_f64, 10),
    ) {
        let random = RandomQuadratic::sample([first, second], condition, &mut ChaCha8Rng::seed_from_u64(seed));
        let (n, v) = (first + second, &v[..first + second]);
        let image: Vec<f64> = random.matrix.chunks(n).map(|row| row.iter().zip(v).map(|(m, v)| m * v).sum()).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        prop_assert!((random.lipschitz - condition).abs() <= 1e-8 * condition);
        prop_assert!(dot(&image, &image).sqrt() <= random.lipschitz * dot(v, v).sqrt() * (1.0 + 1e-9));
        prop_assert!(dot(v, &image) >= random.modulus * dot(v, v) * (1.0 - 1e-9) - 1e-12);
    }
}

/// The best response of each player gains ½ F_pᵀ Q_p⁻¹ F_p.
#[test]
fn quadratic_nash_conv_is_the_gain_of_best_responses() {
    let matrix = [2.0, 0.5, 1.0, 0.5, 3.0, -1.0, 0.0, 2.0, 4.0];
    let game = Quadratic { dimensions: [2, 1], matrix: &matrix, offset: &[1.0, -2.0, 0.5] };
    let profile = [0.3, -0.7, 1.1];
    // Minimise ½ xᵀQx + xᵀc by hand: x* = −Q⁻¹c with Q = [2 .5; .5 3], c = C y + b.
    let c = [1.0 * 1.1 + 1.0, -1.1 - 2.0];
    let cost = |x: [f64; 2]| 0.5 * (2.0 * x[0] * x[0] + x[0] * x[1] + 3.0 * x[1] * x[1]) + c[0] * x[0] + c[1] * x[1];
    let best = [-(3.0 * c[0] - 0.5 * c[1]) / 5.75, -(2.0 * c[1] - 0.5 * c[0]) / 5.75];
    let d = 2.0 * -0.7 + 0.5;
    let cost_y = |y: f64| 2.0 * y * y + d * y;
    let expected = cost([0.3, -0.7]) - cost(best) + cost_y(1.1) - cost_y(-d / 4.0);
    assert!((nash_conv(&game, &profile) - expected).abs() < 1e-12);
}

#[test]
fn bilinear_pseudo_gradient_is_that_of_its_quadratic_twin() {
    let a = [1.0, 2.0, 3.0, -4.0, 0.5, -6.0];
    let mut matrix = vec![0.0; 25];
    for i in 0..2 {
        for j in 0..3 {
            (matrix[i * 5 + 2 + j], matrix[(2 + j) * 5 + i]) = (a[i * 3 + j], -a[i * 3 + j]);
        }
    }
    let twin = Quadratic { dimensions: [2, 3], matrix: &matrix, offset: &[0.0; 5] };
    let game = Bilinear { rows: 2, columns: 3, matrix: &a };
    let profile = [0.1, -0.2, 0.3, 0.4, -0.5];
    let (mut one, mut other) = ([f64::NAN; 5], [f64::NAN; 5]);
    game.pseudo_gradient(&profile, &mut [], &mut one);
    twin.pseudo_gradient(&profile, &mut [], &mut other);
    for (a, b) in one.iter().zip(other) {
        assert!((a - b).abs() < 1e-15);
    }
}

#[test]
fn spectral_norm_known_answers() {
    let golden_ratio = (1.0 + 5.0_f64.sqrt()) / 2.0;
    assert!((spectral_norm(2, &[1.0, 1.0, 0.0, 1.0]) - golden_ratio).abs() < 1e-12);
    assert!((spectral_norm::<f64>(1, &[3.0, 4.0]) - 5.0).abs() < 1e-12);
    assert_eq!(spectral_norm(3, &[0.0; 6]), 0.0);
    for scale in [1e-100, 1e100] {
        assert!((spectral_norm(2, &[scale, scale, 0.0, scale]) / scale - golden_ratio).abs() < 1e-12);
    }
}

/// 1/3 lies on the shift but for rounding, to which side depends on how many coordinates are summed.
#[test]
fn a_projection_of_a_coordinate_on_the_shift_ends() {
    let mut z = [1.0_f64 / 3.0, 2.0 / 3.0, 1.0];
    project_onto_simplex(&mut z, 0.0);
    for (probability, expected) in z.iter().zip([0.0, 1.0 / 3.0, 2.0 / 3.0]) {
        assert!((probability - expected).abs() < 1e-15, "{z:?}");
    }
}

#[test]
fn singular_systems_are_refused() {
    solve_linear(&mut [1.0, 2.0, 2.0, 4.0], &mut [1.0, 1.0]).unwrap_err();
    solve_linear(&mut [f64::NAN, 0.0, 0.0, 1.0], &mut [1.0, 1.0]).unwrap_err();
}

#[test]
fn references_without_a_finite_divergence_are_refused() {
    let game = Bimatrix { rows: 2, columns: 2, row_payoff: &PENNIES, column_payoff: &PENNIES };
    let refused = |reference: &[f64]| Regularized::new(game, [1.0; 2], [0.0; 2], Some(reference)).unwrap_err().index;
    assert_eq!(refused(&[0.5, 0.5, 1.0, 0.0]), 3);
    assert_eq!(refused(&[0.5, 0.5, 0.5, 0.6]), 2);
    assert_eq!(refused(&[f64::NAN, 0.5, 0.5, 0.5]), 0);
}
