//! Games that people bring: a bimatrix game in JSON.
//!
//! ```json
//! {"a": [[2, -1], [-1, 1]], "b": [[-2, 1], [1, -1]],
//!  "tau": 0.1, "entropy_coef": [0.0, 0.05], "references": [[0.5, 0.5], [0.4, 0.6]]}
//! ```
//!
//! | key | holds | without it |
//! |---|---|---|
//! | `a`, `b` | what the first and the second player get, row by row | refused |
//! | `tau` | τ, one number or one for each player | 0 |
//! | `entropy_coef` | c_H, one number or one for each player | 0 |
//! | `references` | one reference distribution for each player | uniform |
//!
//! No payoff or coefficient exceeds [`MAGNITUDE`], and no coefficient lies between zero and its inverse: within these
//! bounds neither squares of payoffs nor payoffs divided by a coefficient leave the range of `f64`.

use core::fmt;

use aprm_core::equilibrium::{Bimatrix, Regularized};
use serde::Deserialize;

/// The largest payoff and coefficient that a game may have.
pub const MAGNITUDE: f64 = 1e100;

/// Whether a τ or c_H is zero or between 1 / [`MAGNITUDE`] and [`MAGNITUDE`].
pub fn is_coefficient(value: f64) -> bool {
    value == 0.0 || (MAGNITUDE.recip()..=MAGNITUDE).contains(&value)
}

/// A bimatrix game with its regularisers, checked and laid out row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct GameFile {
    rows: usize,
    columns: usize,
    a: Vec<f64>,
    b: Vec<f64>,
    tau: [f64; 2],
    entropy_coef: [f64; 2],
    references: Option<Vec<f64>>,
}

impl GameFile {
    /// Reads and checks a game.
    ///
    /// # Errors
    /// [`GameFileError`], with line and column if the text is at fault.
    ///
    /// # Examples
    /// ```
    /// use aprm::game_file::{GameFile, GameFileError};
    ///
    /// let pennies = GameFile::parse(br#"{"a": [[1, -1], [-1, 1]], "b": [[-1, 1], [1, -1]]}"#).unwrap();
    /// assert_eq!(pennies.game().game().rows, 2);
    /// assert_eq!(GameFile::parse(br#"{"a": [[]], "b": []}"#), Err(GameFileError::Empty));
    /// ```
    pub fn parse(json: &[u8]) -> Result<Self, GameFileError> {
        let Written { a, b, tau, entropy_coef, references } = serde_json::from_slice(json)?;
        let (rows, columns) = (a.len(), a.first().map_or(0, Vec::len));
        if rows == 0 || columns == 0 {
            return Err(GameFileError::Empty);
        }
        if b.len() != rows {
            return Err(GameFileError::Rows { a: rows, b: b.len() });
        }
        Ok(Self {
            rows,
            columns,
            a: payoffs(Key::A, &a, columns)?,
            b: payoffs(Key::B, &b, columns)?,
            tau: coefficients(Key::Tau, tau)?,
            entropy_coef: coefficients(Key::EntropyCoef, entropy_coef)?,
            references: references.map(|given| distributions(given, [rows, columns])).transpose()?,
        })
    }

    /// The game that was read.
    pub fn game(&self) -> Regularized<'_, Bimatrix<'_, f64>> {
        let bimatrix = Bimatrix { rows: self.rows, columns: self.columns, row_payoff: &self.a, column_payoff: &self.b };
        Regularized::new(bimatrix, self.tau, self.entropy_coef, self.references.as_deref())
            .expect("references were checked when they were read")
    }
}

/// The keys of a game file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is explained where the format is")]
pub enum Key {
    A,
    B,
    Tau,
    EntropyCoef,
    References,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "`a`",
            Self::B => "`b`",
            Self::Tau => "`tau`",
            Self::EntropyCoef => "`entropy_coef`",
            Self::References => "`references`",
        })
    }
}

/// Why a text is no game.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GameFileError {
    /// It is not JSON, or not of the format's keys and types.
    #[error("{problem}")]
    Json {
        /// Counted from one; zero if the text is empty.
        line: usize,
        /// Counted from one; zero before a line's first byte.
        column: usize,
        /// What the reader found, line and column included.
        problem: String,
    },
    /// A player has no choices.
    #[error("`a` has no entries")]
    Empty,
    /// The payoff matrices differ in height.
    #[error("`a` has {a} rows, `b` has {b}")]
    Rows {
        /// Rows of `a`.
        a: usize,
        /// Rows of `b`.
        b: usize,
    },
    /// A row is not as long as it should be: the first row of `a` decides.
    #[error("{key}[{row}] has {entries} entries for {choices} choices")]
    Entries {
        /// Where it stands.
        key: Key,
        /// The row, or the player whose reference it is.
        row: usize,
        /// How many entries it has.
        entries: usize,
        /// How many it should have.
        choices: usize,
    },
    /// A payoff is beyond [`MAGNITUDE`].
    #[error("{key}[{row}][{column}] must be between -{MAGNITUDE:e} and {MAGNITUDE:e}")]
    Payoff {
        /// Where it stands.
        key: Key,
        /// The first player's choice.
        row: usize,
        /// The second player's choice.
        column: usize,
    },
    /// A coefficient fails [`is_coefficient`].
    #[error("{key} must be 0 or between {:e} and {MAGNITUDE:e}", MAGNITUDE.recip())]
    Coefficient {
        /// Where it stands.
        key: Key,
    },
    /// An entry of a reference is not positive, so that no finite divergence exists.
    #[error("`references`[{player}][{choice}] must be a positive probability")]
    Reference {
        /// Whose reference it is.
        player: usize,
        /// The choice.
        choice: usize,
    },
    /// A reference is no distribution.
    #[error("`references`[{player}] sums to {total}, not to 1")]
    Total {
        /// Whose reference it is.
        player: usize,
        /// What it sums to.
        total: f64,
    },
}

impl From<serde_json::Error> for GameFileError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column(), problem: error.to_string() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    a: Vec<Vec<f64>>,
    b: Vec<Vec<f64>>,
    #[serde(default)]
    tau: PerPlayer,
    #[serde(default)]
    entropy_coef: PerPlayer,
    references: Option<[Vec<f64>; 2]>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "expected a number, or one number for each player")]
enum PerPlayer {
    Both(f64),
    Each([f64; 2]),
}

impl Default for PerPlayer {
    fn default() -> Self {
        Self::Both(0.0)
    }
}

fn payoffs(key: Key, matrix: &[Vec<f64>], columns: usize) -> Result<Vec<f64>, GameFileError> {
    for (row, payoffs) in matrix.iter().enumerate() {
        if payoffs.len() != columns {
            return Err(GameFileError::Entries { key, row, entries: payoffs.len(), choices: columns });
        }
        if let Some(column) = payoffs.iter().position(|payoff| payoff.abs() > MAGNITUDE) {
            return Err(GameFileError::Payoff { key, row, column });
        }
    }
    Ok(matrix.concat())
}

fn coefficients(key: Key, value: PerPlayer) -> Result<[f64; 2], GameFileError> {
    let values = match value {
        PerPlayer::Both(value) => [value; 2],
        PerPlayer::Each(values) => values,
    };
    if values.into_iter().all(is_coefficient) { Ok(values) } else { Err(GameFileError::Coefficient { key }) }
}

fn distributions(references: [Vec<f64>; 2], choices: [usize; 2]) -> Result<Vec<f64>, GameFileError> {
    for (player, (reference, choices)) in references.iter().zip(choices).enumerate() {
        if reference.len() != choices {
            let (key, entries) = (Key::References, reference.len());
            return Err(GameFileError::Entries { key, row: player, entries, choices });
        }
        if let Some(choice) = reference.iter().position(|&probability| probability <= 0.0) {
            return Err(GameFileError::Reference { player, choice });
        }
        let total: f64 = reference.iter().sum();
        if (total - 1.0).abs() > 1e-6 {
            return Err(GameFileError::Total { player, total });
        }
    }
    Ok(references.concat())
}
