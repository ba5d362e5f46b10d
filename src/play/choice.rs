//! The games to choose from, each with what is known of it.

use aprm::game_file::GameFile;
use aprm_core::equilibrium::{
    Bilinear, Bimatrix, Corruption, CorruptionBoard, LogitGradient, Logits, RandomQuadratic, Regularized, SimplexGame,
    kuhn, monotonicity_margin, nash_equilibria, spectral_norm,
};
use aprm_core::game::Game;
use aprm_core::oracle::Verdict;
use aprm_core::player::Label;
use aprm_core::reward::{Reward, ZeroSum};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::error::PlayError;
use super::trajectory::{Rule, Trajectory};
use super::{Coordinates, GameName, Play, Start};

/// A game ready to be played.
pub(crate) struct Table<'a> {
    pub(crate) game: &'a dyn Game<Scalar = f64>,
    /// Where the players start, in the game's coordinates.
    pub(crate) start: Vec<f64>,
    /// The equilibria that are known, as strategies; none if they are not.
    pub(crate) equilibria: Vec<Vec<f64>>,
    /// The learning rate that suits the game.
    pub(crate) learning_rate: f64,
    /// What the user should know.
    pub(crate) warnings: Vec<String>,
}

/// Builds the chosen game and hands it to `play`.
pub(crate) fn seat(
    args: &Play,
    file: Option<&GameFile>,
    play: impl FnOnce(&Table<'_>) -> Result<(), PlayError>,
) -> Result<(), PlayError> {
    let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
    let (tau, entropy_coef) = ([args.tau; 2], [args.entropy_coef; 2]);
    if let Some(file) = file {
        return seat_bimatrix(args, file.game(), &mut rng, play);
    }
    match args.game {
        Some(GameName::MatchingPennies) => {
            seat_bimatrix(args, regularize(MATCHING_PENNIES, tau, entropy_coef), &mut rng, play)
        }
        Some(GameName::RockPaperScissors) => {
            seat_bimatrix(args, regularize(ROCK_PAPER_SCISSORS, tau, entropy_coef), &mut rng, play)
        }
        Some(GameName::Kuhn) => {
            let (first, second) = kuhn::payoffs();
            let game = regularize(kuhn::bimatrix(&first, &second), tau, entropy_coef);
            seat_bimatrix(args, game, &mut rng, play)
        }
        Some(GameName::Corruption) if args.zero_sum => seat_corruption(args, ZeroSum::new(), &mut rng, play),
        Some(GameName::Corruption) => seat_corruption(args, args.payoffs, &mut rng, play),
        Some(GameName::Bilinear) => seat_bilinear(args, &mut rng, play),
        Some(GameName::Quadratic) | None => seat_quadratic(args, &mut rng, play),
    }
}

const MATCHING_PENNIES: Bimatrix<'static, f64> =
    Bimatrix { rows: 2, columns: 2, row_payoff: &[1.0, -1.0, -1.0, 1.0], column_payoff: &[-1.0, 1.0, 1.0, -1.0] };

const ROCK_PAPER_SCISSORS: Bimatrix<'static, f64> = Bimatrix {
    rows: 3,
    columns: 3,
    row_payoff: &[0.0, -1.0, 1.0, 1.0, 0.0, -1.0, -1.0, 1.0, 0.0],
    column_payoff: &[0.0, 1.0, -1.0, -1.0, 0.0, 1.0, 1.0, -1.0, 0.0],
};

/// Regularises towards uniform references.
fn regularize<G: SimplexGame<Scalar = f64>>(game: G, tau: [f64; 2], entropy_coef: [f64; 2]) -> Regularized<'static, G> {
    Regularized::new(game, tau, entropy_coef, None).expect("only a given reference can be invalid")
}

fn seat_bimatrix(
    args: &Play,
    game: Regularized<'_, Bimatrix<'_, f64>>,
    rng: &mut ChaCha8Rng,
    play: impl FnOnce(&Table<'_>) -> Result<(), PlayError>,
) -> Result<(), PlayError> {
    let &Bimatrix { rows, columns, row_payoff, column_payoff } = game.game();
    let scale = spectral_norm(columns, row_payoff).max(spectral_norm(columns, column_payoff));
    let is_plain = (0..2).all(|player| game.regularization(player) == 0.0);
    let equilibria = if is_plain && rows.max(columns) <= 8 { nash_equilibria(game.game()) } else { Vec::new() };
    seat_simplex_game(args, &game, scale, equilibria, rng, play)
}

fn seat_corruption<R: Reward<(Verdict, Label), Scalar = f64>>(
    args: &Play,
    reward: R,
    rng: &mut ChaCha8Rng,
    play: impl FnOnce(&Table<'_>) -> Result<(), PlayError>,
) -> Result<(), PlayError> {
    let game = Corruption { board: CorruptionBoard::ARITHMETIC, reward, gold_share: args.gold_share };
    let scale = game.value_spread(0);
    let game = regularize(game, [args.tau; 2], [args.entropy_coef; 2]);
    seat_simplex_game(args, &game, scale, Vec::new(), rng, play)
}

/// Finishes a table over distributions: coordinates, start, equilibrium, warnings.
fn seat_simplex_game<G: SimplexGame<Scalar = f64>>(
    args: &Play,
    game: &Regularized<'_, G>,
    scale: f64,
    mut equilibria: Vec<Vec<f64>>,
    rng: &mut ChaCha8Rng,
    play: impl FnOnce(&Table<'_>) -> Result<(), PlayError>,
) -> Result<(), PlayError> {
    let kappa = game.regularization(0).max(game.regularization(1));
    let learning_rate = 1.0 / (4.0 * (scale + 2.0 * kappa).max(f64::MIN_POSITIVE));
    let is_regularized = (0..2).all(|player| game.regularization(player) > 0.0);
    let mut warnings = Vec::new();
    if is_regularized {
        let margin = monotonicity_margin(game);
        if margin <= 0.0 {
            warnings.push(format!(
                "the monotonicity margin is {margin:.4}: the game may have several equilibria, and no rate of \
                 convergence is promised; larger coefficients raise it"
            ));
        }
        equilibria.extend(solve(game, learning_rate));
    }
    let start = strategies(args.start, game, rng);
    let natural = Coordinates::NaturalLogits;
    let gradient = match args.coordinates.unwrap_or(if is_regularized { natural } else { Coordinates::Probabilities }) {
        Coordinates::Probabilities => {
            return play(&Table { game, start, equilibria, learning_rate, warnings });
        }
        Coordinates::NaturalLogits => LogitGradient::Natural,
        Coordinates::Logits => LogitGradient::Vanilla,
    };
    let start = start.into_iter().map(f64::ln).collect();
    play(&Table { game: &Logits { game, gradient }, start, equilibria, learning_rate, warnings })
}

/// The equilibrium that OGDA on natural logits reaches from uniform play, if it reaches one.
fn solve<G: SimplexGame<Scalar = f64>>(game: &Regularized<'_, G>, learning_rate: f64) -> Option<Vec<f64>> {
    const ITERATIONS: u64 = 100_000;
    let logits = Logits { game, gradient: LogitGradient::Natural };
    let start = vec![0.0; game.dimensions().iter().sum()];
    let table = Table { game: &logits, start, equilibria: Vec::new(), learning_rate, warnings: Vec::new() };
    Trajectory::solve(&table, Rule::Ogda, learning_rate, ITERATIONS, 1e-14)
}

fn strategies<G: SimplexGame<Scalar = f64>>(start: Start, game: &Regularized<'_, G>, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut profile = Vec::new();
    for (player, simplices) in game.game().simplices().into_iter().enumerate() {
        for _ in 0..simplices.count {
            let favourite = if player == 0 { 0 } else { simplices.choices - 1 };
            let mut weights: Vec<f64> = (0..simplices.choices)
                .map(|choice| match start {
                    Start::Uniform => 1.0,
                    Start::Skewed if choice == favourite => 0.9,
                    Start::Skewed => 0.1 / (simplices.choices - 1) as f64,
                    // Exponential weights, normalised, are uniform on the simplex.
                    Start::Random => -(1.0 - rng.random::<f64>()).ln(),
                })
                .collect();
            let total: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= total);
            profile.extend(weights);
        }
    }
    profile
}

fn vector_start(start: Start, dimension: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    match start {
        Start::Skewed | Start::Uniform => vec![1.0; dimension],
        Start::Random => (0..dimension).map(|_| rng.random_range(-1.0..1.0)).collect(),
    }
}

/// xᵀ A y with singular values between 1 / condition and 1: the coupling block of a random quadratic game.
fn seat_bilinear(
    args: &Play,
    rng: &mut ChaCha8Rng,
    play: impl FnOnce(&Table<'_>) -> Result<(), PlayError>,
) -> Result<(), PlayError> {
    let size = usize::from(args.size);
    // A symmetric positive definite block of known spectrum is a matrix with those singular values.
    let random = RandomQuadratic::sample([size, 1], args.condition.max(1.0 + 1e-6), rng);
    let block = random.matrix.chunks_exact(size + 1).take(size).flat_map(|row| &row[..size]);
    let matrix: Vec<f64> = block.map(|entry| entry / random.lipschitz).collect();
    play(&Table {
        game: &Bilinear { rows: size, columns: size, matrix: &matrix },
        start: vector_start(args.start, 2 * size, rng),
        equilibria: vec![vec![0.0; 2 * size]],
        learning_rate: 0.25 / spectral_norm(size, &matrix),
        warnings: Vec::new(),
    })
}

fn seat_quadratic(
    args: &Play,
    rng: &mut ChaCha8Rng,
    play: impl FnOnce(&Table<'_>) -> Result<(), PlayError>,
) -> Result<(), PlayError> {
    let size = usize::from(args.size);
    let random = RandomQuadratic::sample([size, size], args.condition, rng);
    play(&Table {
        game: &random.game(),
        start: vector_start(args.start, 2 * size, rng),
        equilibria: vec![random.equilibrium.clone()],
        learning_rate: 0.25 / random.lipschitz,
        warnings: Vec::new(),
    })
}
