//! `aprm play`: exact games, NashConv per iteration.

mod choice;
mod error;
mod plot;
mod report;
mod trajectory;

use std::fs;
use std::path::{Path, PathBuf};

use aprm::game_file::{self, GameFile};
use aprm_core::dynamics::UpdateOrder;
use aprm_core::reward::PayoffTable;
use clap::{Args, ValueEnum};

use crate::output::tell;
use choice::Table;
pub(crate) use error::PlayError;
use report::Report;
use trajectory::{Rule, Trajectory};

const GOLD_SHARE: f64 = 0.5;
const SIZE: u16 = 4;
const CONDITION: f64 = 10.0;

/// Play an exact game and watch NashConv and the distance to the equilibrium.
///
/// Both are printed, written to DIR/trajectory.csv and plotted to DIR/trajectory.svg.
/// NashConv is that of the regularised utilities; it is zero at an equilibrium alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aprm play matching-pennies --optimizer ogda
  aprm play matching-pennies --compare
  aprm play corruption --tau 0.05 --entropy-coef 0.01 --compare gda,ogda
  aprm play quadratic --size 16 --condition 100 --iterations 5000
  aprm play --game-file game.json --json | tail -n 1

A game file holds what each player gets, row by row, and may hold regularisers, each one number or
one for each player:
  {\"a\": [[2, -1], [-1, 1]], \"b\": [[-2, 1], [1, -1]],
   \"tau\": 0.1, \"entropy_coef\": [0.0, 0.05], \"references\": [[0.5, 0.5], [0.4, 0.6]]}")]
pub(crate) struct Play {
    /// The game; instead of it --game-file may be given.
    #[arg(value_enum, required_unless_present = "game_file", conflicts_with = "game_file")]
    game: Option<GameName>,

    /// Read a bimatrix game from a JSON file.
    #[arg(long, value_name = "FILE")]
    game_file: Option<PathBuf>,

    /// The update rule.
    #[arg(long, value_enum, default_value_t = Rule::Ogda)]
    optimizer: Rule,

    /// Overlay several update rules, separated by commas; all of them if none is named.
    #[arg(long, value_enum, value_name = "RULE,..", value_delimiter = ',', num_args = 0.., conflicts_with = "optimizer")]
    compare: Option<Vec<Rule>>,

    /// Iterations to play.
    #[arg(long, default_value_t = 2000)]
    iterations: u64,

    /// The learning rate; by default a quarter of the inverse of the game's scale.
    #[arg(long, value_name = "ETA", value_parser = positive)]
    learning_rate: Option<f64>,

    /// Whether the players move at once or in turn.
    #[arg(long, value_enum, default_value_t = Order::Simultaneous)]
    update_order: Order,

    /// What the rule moves, in games over probabilities [default: natural-logits where both players
    /// are regularised, else probabilities].
    #[arg(long, value_enum)]
    coordinates: Option<Coordinates>,

    /// KL coefficient of both players, to a uniform reference.
    #[arg(long, default_value_t = 0.0, value_parser = coefficient, conflicts_with = "game_file")]
    tau: f64,

    /// Entropy coefficient of both players.
    #[arg(long, default_value_t = 0.0, value_parser = coefficient, conflicts_with = "game_file")]
    entropy_coef: f64,

    /// The generator's payoffs when it fooled, was detected, did not corrupt (corruption game).
    #[arg(long, value_name = "F,D,U", default_value = "1,0,-1", allow_hyphen_values = true,
          value_parser = payoffs, conflicts_with = "zero_sum")]
    payoffs: PayoffTable<f64>,

    /// Pay the generator the negative of what the verifier gets (corruption game).
    #[arg(long)]
    zero_sum: bool,

    /// The share of gold steps among those the verifier sees (corruption game).
    #[arg(long, default_value_t = GOLD_SHARE, value_parser = share)]
    gold_share: f64,

    /// Coordinates of each player (bilinear and quadratic).
    #[arg(long, default_value_t = SIZE, value_parser = clap::value_parser!(u16).range(1..=256))]
    size: u16,

    /// L / μ of the game (quadratic), or the ratio of the payoff matrix's singular values at most (bilinear).
    #[arg(long, default_value_t = CONDITION, value_parser = condition)]
    condition: f64,

    /// Where the players start.
    #[arg(long, value_enum, default_value_t = Start::Skewed)]
    start: Start,

    /// Seed of random games and starts.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Print one JSON object per line instead of a table; the last one of a rule holds the profile.
    #[arg(long)]
    json: bool,

    /// The folder for trajectory.csv and trajectory.svg [default: runs/play-GAME].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GameName {
    /// Two choices each; equilibrium (1/2, 1/2).
    MatchingPennies,
    /// Three choices each; equilibrium (1/3, 1/3, 1/3).
    RockPaperScissors,
    /// xᵀAy over vectors with a random A; equilibrium 0.
    Bilinear,
    /// A random strongly monotone general-sum quadratic game.
    Quadratic,
    /// APRM's game: rewrites of arithmetic steps against a weak verifier.
    Corruption,
    /// Kuhn poker in normal form.
    Kuhn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    Simultaneous,
    Alternating,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Coordinates {
    /// The probabilities themselves, projected back onto the simplex.
    Probabilities,
    /// Logits moved by the gradient with respect to the probabilities (multiplicative weights).
    NaturalLogits,
    /// Logits moved by the gradient through the softmax, as a neural policy's are.
    Logits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Start {
    /// 0.9 on one choice, mirrored for the second player; ones in games over vectors.
    Skewed,
    /// Alike on all choices; ones in games over vectors.
    Uniform,
    /// Drawn with the seed.
    Random,
}

impl Play {
    pub(crate) fn run(&self) -> Result<(), PlayError> {
        let idle = self.idle_flags();
        if !idle.is_empty() {
            return Err(PlayError::Idle { flags: idle.join(", ") });
        }
        let file = self.game_file.as_deref().map(read).transpose()?;
        let name = match (&self.game_file, self.game) {
            (Some(path), _) => path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            (None, game) => {
                game.and_then(|game| game.to_possible_value()).map_or_else(String::new, |v| v.get_name().into())
            }
        };
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(format!("play-{name}")));
        fs::create_dir_all(&out).map_err(|source| PlayError::Write { path: out.clone(), source })?;
        choice::seat(self, file.as_ref(), |table| self.play(&name, &out, table))
    }

    /// Flags that ask for something other than the default and mean nothing in this game.
    fn idle_flags(&self) -> Vec<&'static str> {
        let is_over_vectors = matches!(self.game, Some(GameName::Bilinear | GameName::Quadratic));
        let is_corruption = self.game == Some(GameName::Corruption);
        let flags = [
            ("--coordinates", self.coordinates.is_some() && is_over_vectors),
            ("--tau", self.tau != 0.0 && is_over_vectors),
            ("--entropy-coef", self.entropy_coef != 0.0 && is_over_vectors),
            ("--payoffs", self.payoffs != PayoffTable::default() && !is_corruption),
            ("--zero-sum", self.zero_sum && !is_corruption),
            ("--gold-share", self.gold_share != GOLD_SHARE && !is_corruption),
            ("--size", self.size != SIZE && !is_over_vectors),
            ("--condition", self.condition != CONDITION && !is_over_vectors),
        ];
        flags.into_iter().filter(|(_, is_idle)| *is_idle).map(|(flag, _)| flag).collect()
    }

    /// Plays every rule asked for at a table and reports on them.
    fn play(&self, name: &str, out: &Path, table: &Table<'_>) -> Result<(), PlayError> {
        for warning in &table.warnings {
            tell(&format!("warning: {warning}"));
        }
        let learning_rate = self.learning_rate.unwrap_or(table.learning_rate);
        let rules = match &self.compare {
            None => vec![self.optimizer],
            Some(named) if named.is_empty() => Rule::value_variants().to_vec(),
            Some(named) => named.clone(),
        };
        let order = match self.update_order {
            Order::Simultaneous => UpdateOrder::Simultaneous,
            Order::Alternating => UpdateOrder::Alternating,
        };
        let report = Report::new(name, table, learning_rate, self.json);
        let mut trajectories = Vec::new();
        for rule in rules {
            let trajectory = Trajectory::play(table, rule, order, learning_rate, self.iterations);
            report.print(&trajectory)?;
            trajectories.push(trajectory);
        }
        report.write_csv(&out.join("trajectory.csv"), &trajectories)?;
        plot::draw(&out.join("trajectory.svg"), name, &trajectories)?;
        report.print_paths(out)?;
        match trajectories.iter().find(|trajectory| trajectory.has_diverged()) {
            Some(diverged) if trajectories.len() == 1 => {
                Err(PlayError::Diverged { iteration: diverged.points.len() - 1, learning_rate })
            }
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> Result<GameFile, PlayError> {
    let json = fs::read(path).map_err(|source| PlayError::Read { path: path.into(), source })?;
    GameFile::parse(&json).map_err(|source| PlayError::Game { path: path.into(), source })
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "not a number".to_owned())
}

fn checked(text: &str, is_valid: impl Fn(f64) -> bool, expected: &str) -> Result<f64, String> {
    let value = number(text)?;
    if value.is_finite() && is_valid(value) { Ok(value) } else { Err(format!("must be {expected}")) }
}

fn payoffs(text: &str) -> Result<PayoffTable<f64>, String> {
    let largest = game_file::MAGNITUDE;
    let expected = format!("between -{largest:e} and {largest:e}");
    let payoffs = text.split(',').map(|payoff| checked(payoff, |value| value.abs() <= largest, &expected));
    match payoffs.collect::<Result<Vec<f64>, _>>()?[..] {
        [fooled, detected, uncorrupted] => Ok(PayoffTable { fooled, detected, uncorrupted }),
        _ => Err("must be three numbers, separated by commas".into()),
    }
}

fn positive(text: &str) -> Result<f64, String> {
    checked(text, |value| value > 0.0, "positive and finite")
}

fn coefficient(text: &str) -> Result<f64, String> {
    let largest = game_file::MAGNITUDE;
    checked(text, game_file::is_coefficient, &format!("0 or between {:e} and {largest:e}", largest.recip()))
}

fn share(text: &str) -> Result<f64, String> {
    checked(text, |value| (0.0..=1.0).contains(&value), "between 0 and 1")
}

fn condition(text: &str) -> Result<f64, String> {
    checked(text, |value| (1.0..=1e6).contains(&value), "between 1 and 1e6")
}
