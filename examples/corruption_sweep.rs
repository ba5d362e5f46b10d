//! What τ does to the corruption game: who converges, and how fast, from none to more than the theory asks for.
//!
//! Prints the table of docs/corruption-game.md; with a path it also draws the figure there.

use aprm::core::dynamics::{Dynamics, UpdateOrder};
use aprm::core::equilibrium::{
    Corruption, CorruptionBoard, LogitGradient, Logits, Regularized, SimplexGame, monotonicity_margin,
};
use aprm::core::game::Game;
use aprm::core::optimizer::{GradientDescent, Host, Ogda, Optimizer};
use aprm::core::reward::{PayoffTable, ZeroSum};
use plotters::prelude::*;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const TAUS: [f64; 10] = [0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4];
const LEARNING_RATE: f64 = 0.1;
const ITERATIONS: usize = 40_000;
const STARTS: u64 = 5;

/// NashConv after every hundredth iteration, the worst of five random starts.
fn worst_nash_conv<G: SimplexGame<Scalar = f64>, O: Optimizer<Host<f64>>>(
    game: &Regularized<'_, G>,
    new: impl Fn(usize) -> O,
) -> Vec<f64> {
    let game = Logits { game, gradient: LogitGradient::Natural };
    let [first, second] = game.dimensions();
    let mut worst = vec![0.0_f64; ITERATIONS / 100];
    for seed in 0..STARTS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut logits: Vec<f64> = (0..first + second).map(|_| rng.random_range(-2.0..2.0)).collect();
        let mut workspace = vec![0.0; game.workspace_len()];
        let mut dynamics = Dynamics {
            order: UpdateOrder::Simultaneous,
            optimizers: [new(first), new(second)],
            pseudo_gradient: vec![0.0; first + second],
            workspace: workspace.clone(),
        };
        for worst in &mut worst {
            for _ in 0..100 {
                dynamics.iterate(&game, LEARNING_RATE, &mut logits);
            }
            let nash_conv = game.nash_conv(&logits, &mut workspace);
            assert!(nash_conv.is_finite());
            *worst = worst.max(nash_conv);
        }
    }
    worst
}

/// The iterations to 1e-8; or that NashConv stays above 0.1 to the end; or where the run ended.
fn summary(history: &[f64]) -> String {
    let last_half = &history[history.len() / 2..];
    match history.iter().position(|&nash_conv| nash_conv < 1e-8) {
        Some(hundreds) => format!("{}", 100 * (hundreds + 1)),
        None if last_half.iter().all(|&nash_conv| nash_conv > 0.1) => "cycles".into(),
        None => format!("({:.0e})", history[history.len() - 1]),
    }
}

fn ogda(dimension: usize) -> Ogda<Vec<f64>, f64> {
    Ogda::new(vec![0.0; dimension])
}

fn descent(_: usize) -> GradientDescent {
    GradientDescent
}

fn main() -> Result<(), Box<dyn core::error::Error>> {
    println!("iterations to NashConv < 1e-8, or (NashConv after {ITERATIONS}): worst of {STARTS} random starts");
    println!("{:>6} {:>8} {:>22} {:>22}", "", "", "general-sum", "zero-sum");
    println!("{:>6} {:>8} {:>11} {:>10} {:>11} {:>10}", "τ", "margin", "OGDA", "GDA", "OGDA", "GDA");
    let mut curves = Vec::new();
    for tau in TAUS {
        let board = CorruptionBoard::ARITHMETIC;
        let general = Corruption { board, reward: PayoffTable::default(), gold_share: 0.5 };
        let zero_sum = Corruption { board, reward: ZeroSum::new(), gold_share: 0.5 };
        let general = Regularized::new(general, [tau; 2], [0.0; 2], None)?;
        let zero_sum = Regularized::new(zero_sum, [tau; 2], [0.0; 2], None)?;
        let histories = [
            worst_nash_conv(&general, ogda),
            worst_nash_conv(&general, descent),
            worst_nash_conv(&zero_sum, ogda),
            worst_nash_conv(&zero_sum, descent),
        ];
        let [a, b, c, d] = [0, 1, 2, 3].map(|i: usize| summary(&histories[i]));
        println!("{tau:>6} {:>8.3} {a:>11} {b:>10} {c:>11} {d:>10}", monotonicity_margin(&general));
        curves.push((tau, histories));
    }
    if let Some(path) = std::env::args().nth(1) {
        draw(&path, &curves)?;
    }
    Ok(())
}

/// General-sum OGDA on the left, GDA on the right, one curve for each τ.
fn draw(path: &str, curves: &[(f64, [Vec<f64>; 4])]) -> Result<(), Box<dyn core::error::Error>> {
    let area = SVGBackend::new(path, (1100, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    for (i, (panel, name)) in area.split_evenly((1, 2)).iter().zip(["OGDA", "GDA"]).enumerate() {
        let mut chart = ChartBuilder::on(panel)
            .caption(format!("general-sum corruption game, {name}: NashConv"), ("sans-serif", 17))
            .margin(10)
            .x_label_area_size(34)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..ITERATIONS as f64, (1e-16..1.0).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("iteration")
            .x_label_formatter(&|x| format!("{x}"))
            .y_label_formatter(&|y| format!("{y:.0e}"))
            .light_line_style(WHITE)
            .draw()?;
        for (k, (tau, histories)) in curves.iter().enumerate().filter(|(k, _)| k % 2 == 0 || *k == 9) {
            let colour = HSLColor(0.72 * k as f64 / 9.0, 0.9, 0.4);
            let points = histories[i].iter().enumerate().map(|(t, &n)| (100.0 * (t + 1) as f64, n.max(1e-16)));
            chart
                .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
                .label(format!("τ = {tau}"))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    }
    area.present()?;
    Ok(())
}
