//! What a game prints and the table it writes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use super::choice::Table;
use super::error::PlayError;
use super::trajectory::{Point, Trajectory};
use crate::output::tell;

/// Prints trajectories as tables or as JSON lines.
pub(crate) struct Report<'a> {
    game: &'a str,
    first_dimension: usize,
    learning_rate: f64,
    json: bool,
}

#[derive(Serialize)]
struct Iteration<'a> {
    game: &'a str,
    optimizer: &'a str,
    iteration: usize,
    nash_conv: f64,
    distance: Option<f64>,
}

#[derive(Serialize)]
struct End<'a> {
    game: &'a str,
    optimizer: &'a str,
    learning_rate: f64,
    iterations: usize,
    nash_conv: f64,
    distance: Option<f64>,
    profile: [&'a [f64]; 2],
}

impl<'a> Report<'a> {
    pub(crate) fn new(game: &'a str, table: &Table<'_>, learning_rate: f64, json: bool) -> Self {
        Self { game, first_dimension: table.game.dimensions()[0], learning_rate, json }
    }

    pub(crate) fn print(&self, trajectory: &Trajectory) -> io::Result<()> {
        let mut out = BufWriter::new(io::stdout().lock());
        let printed = if self.json { self.json(&mut out, trajectory) } else { self.table(&mut out, trajectory) };
        quiet_when_closed(printed.and_then(|()| out.flush()))
    }

    fn json(&self, out: &mut impl Write, trajectory: &Trajectory) -> io::Result<()> {
        let optimizer = &trajectory.rule.name();
        for (iteration, &Point { nash_conv, distance }) in trajectory.points.iter().enumerate() {
            serde_json::to_writer(
                &mut *out,
                &Iteration { game: self.game, optimizer, iteration, nash_conv, distance },
            )?;
            writeln!(out)?;
        }
        let Point { nash_conv, distance } = trajectory.last();
        let (first, second) = trajectory.strategies.split_at(self.first_dimension);
        let end = End {
            game: self.game,
            optimizer,
            learning_rate: self.learning_rate,
            iterations: trajectory.points.len() - 1,
            nash_conv,
            distance,
            profile: [first, second],
        };
        serde_json::to_writer(&mut *out, &end)?;
        writeln!(out)
    }

    /// The start, the iterations 1, 2, 5, 10, 20, 50, ... and the end.
    fn table(&self, out: &mut impl Write, trajectory: &Trajectory) -> io::Result<()> {
        writeln!(out, "{} by {}, learning rate {:.4}", self.game, trajectory.rule.name(), self.learning_rate)?;
        writeln!(out, "{:>10}  {:>12}  {:>12}", "iteration", "NashConv", "distance")?;
        let last = trajectory.points.len() - 1;
        for (iteration, &Point { nash_conv, distance }) in trajectory.points.iter().enumerate() {
            if iteration == 0 || iteration == last || is_round(iteration) {
                let distance = distance.map_or_else(|| "unknown".into(), |distance| format!("{distance:.4e}"));
                writeln!(out, "{iteration:>10}  {nash_conv:>12.4e}  {distance:>12}")?;
            }
        }
        if trajectory.strategies.len() <= 16 {
            let (first, second) = trajectory.strategies.split_at(self.first_dimension);
            writeln!(out, "profile {} | {}", spaced(first), spaced(second))?;
        }
        writeln!(out)
    }

    /// Writes every point of every trajectory.
    pub(crate) fn write_csv(&self, path: &Path, trajectories: &[Trajectory]) -> Result<(), PlayError> {
        let write = || -> io::Result<()> {
            let mut out = BufWriter::new(File::create(path)?);
            writeln!(out, "game,optimizer,iteration,nash_conv,distance")?;
            for trajectory in trajectories {
                let optimizer = trajectory.rule.name();
                for (iteration, Point { nash_conv, distance }) in trajectory.points.iter().enumerate() {
                    let distance = distance.map_or_else(String::new, |distance| distance.to_string());
                    writeln!(out, "{},{optimizer},{iteration},{nash_conv},{distance}", quoted(self.game))?;
                }
            }
            out.flush()
        };
        write().map_err(|source| PlayError::Write { path: path.into(), source })
    }

    /// Says where the files are, on standard error, so that standard output stays data.
    pub(crate) fn print_paths(&self, out: &Path) -> io::Result<()> {
        if !self.json {
            tell(&format!(
                "wrote {} and {}",
                out.join("trajectory.csv").display(),
                out.join("trajectory.svg").display()
            ));
        }
        Ok(())
    }
}

/// A reader that has seen enough, as `head`, is no failure.
fn quiet_when_closed(printed: io::Result<()>) -> io::Result<()> {
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

fn is_round(iteration: usize) -> bool {
    let mut leading = iteration;
    while leading >= 10 && leading.is_multiple_of(10) {
        leading /= 10;
    }
    matches!(leading, 1 | 2 | 5)
}

fn spaced(numbers: &[f64]) -> String {
    let short = |number: &f64| if number.abs() < 1e6 { format!("{number:.6}") } else { format!("{number:.4e}") };
    numbers.iter().map(short).collect::<Vec<_>>().join(" ")
}

/// The name of a game file may hold a comma.
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}
