//! One rule's way through a game.

use aprm_core::dynamics::{Dynamics, UpdateOrder};
use aprm_core::optimizer::{Adam, Extragradient, GradientDescent, Host, Ogda, OptimisticAdam, Optimizer};
use clap::ValueEnum;

use super::choice::Table;

/// The update rules to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rule {
    /// Gradient descent-ascent.
    Gda,
    /// Optimistic gradient descent-ascent.
    Ogda,
    /// Two gradients per iteration.
    Extragradient,
    Adam,
    OptimisticAdam,
}

impl Rule {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn optimizer(self, dimension: usize) -> Box<dyn Optimizer<Host<f64>>> {
        let zeros = || vec![0.0; dimension];
        match self {
            Self::Gda => Box::new(GradientDescent),
            Self::Ogda => Box::new(Ogda::new(zeros())),
            Self::Extragradient => Box::new(Extragradient::new(zeros())),
            Self::Adam => Box::new(Adam::new(zeros(), zeros(), zeros())),
            Self::OptimisticAdam => Box::new(OptimisticAdam::new(zeros(), zeros(), zeros(), zeros())),
        }
    }
}

/// Where a profile stands after so many iterations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) nash_conv: f64,
    /// The Euclidean distance from the nearest known equilibrium.
    pub(crate) distance: Option<f64>,
}

/// A rule's way: the start, and the point after each iteration.
#[derive(Debug)]
pub(crate) struct Trajectory {
    pub(crate) rule: Rule,
    pub(crate) points: Vec<Point>,
    /// The strategies at the end.
    pub(crate) strategies: Vec<f64>,
}

/// A profile on its way through a game.
struct Walk<'a> {
    table: &'a Table<'a>,
    learning_rate: f64,
    dynamics: Dynamics<Box<dyn Optimizer<Host<f64>>>, Vec<f64>>,
    profile: Vec<f64>,
    strategies: Vec<f64>,
    workspace: Vec<f64>,
}

impl<'a> Walk<'a> {
    fn new(table: &'a Table<'a>, rule: Rule, order: UpdateOrder, learning_rate: f64) -> Self {
        let dimension = table.start.len();
        let workspace = vec![0.0; table.game.workspace_len()];
        let dynamics = Dynamics {
            order,
            optimizers: table.game.dimensions().map(|dimension| rule.optimizer(dimension)),
            pseudo_gradient: vec![0.0; dimension],
            workspace: workspace.clone(),
        };
        let mut profile = table.start.clone();
        table.game.project(&mut profile);
        Self { table, learning_rate, dynamics, profile, strategies: vec![0.0; dimension], workspace }
    }

    fn advance(&mut self) {
        self.dynamics.iterate(self.table.game, self.learning_rate, &mut self.profile);
    }

    fn look(&mut self) -> Point {
        let nash_conv = self.table.game.nash_conv(&self.profile, &mut self.workspace);
        self.table.game.strategies(&self.profile, &mut self.strategies);
        let distances = self.table.equilibria.iter().map(|equilibrium| {
            let squares = equilibrium.iter().zip(&self.strategies).map(|(a, b)| (a - b) * (a - b));
            squares.sum::<f64>().sqrt()
        });
        Point { nash_conv, distance: distances.reduce(f64::min) }
    }
}

impl Trajectory {
    /// Plays so many iterations, fewer if the profile leaves the finite numbers.
    pub(crate) fn play(table: &Table<'_>, rule: Rule, order: UpdateOrder, learning_rate: f64, iterations: u64) -> Self {
        let mut walk = Walk::new(table, rule, order, learning_rate);
        let mut points = vec![walk.look()];
        for _ in 0..iterations {
            walk.advance();
            points.push(walk.look());
            if !points[points.len() - 1].nash_conv.is_finite() {
                break;
            }
        }
        Self { rule, points, strategies: walk.strategies }
    }

    /// The strategies to which the rule converges: those after twice as many iterations as NashConv takes to fall to
    /// `tolerance`, if it does, which at a linear rate squares what is left.
    pub(crate) fn solve(
        table: &Table<'_>,
        rule: Rule,
        learning_rate: f64,
        iterations: u64,
        tolerance: f64,
    ) -> Option<Vec<f64>> {
        let mut walk = Walk::new(table, rule, UpdateOrder::Simultaneous, learning_rate);
        let reached = (0..iterations).position(|_| {
            walk.advance();
            walk.look().nash_conv <= tolerance
        })?;
        (0..=reached).for_each(|_| walk.advance());
        walk.look();
        Some(walk.strategies)
    }

    pub(crate) fn last(&self) -> Point {
        self.points[self.points.len() - 1]
    }

    pub(crate) fn has_diverged(&self) -> bool {
        !self.last().nash_conv.is_finite()
    }
}
