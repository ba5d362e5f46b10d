//! Games that people bring: a bimatrix game in a JSON file.

use std::fs;
use std::path::Path;

use aprm_core::equilibrium::Bimatrix;
use serde::Deserialize;

use super::error::PlayError;

/// A bimatrix game with its regularisers, checked and laid out row by row.
#[derive(Debug)]
pub(crate) struct GameFile {
    rows: usize,
    columns: usize,
    a: Vec<f64>,
    b: Vec<f64>,
    pub(crate) tau: [f64; 2],
    pub(crate) entropy_coef: [f64; 2],
    pub(crate) references: Option<Vec<f64>>,
}

impl GameFile {
    pub(crate) fn bimatrix(&self) -> Bimatrix<'_, f64> {
        Bimatrix { rows: self.rows, columns: self.columns, row_payoff: &self.a, column_payoff: &self.b }
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

/// Reads and checks a game file.
pub(crate) fn read(path: &Path) -> Result<GameFile, PlayError> {
    let text = fs::read(path).map_err(|source| PlayError::Read { path: path.into(), source })?;
    let written: Written =
        serde_json::from_slice(&text).map_err(|source| PlayError::Parse { path: path.into(), source })?;
    check(written).map_err(|problem| PlayError::Game { path: path.into(), problem })
}

fn check(Written { a, b, tau, entropy_coef, references }: Written) -> Result<GameFile, String> {
    let (rows, columns) = (a.len(), a.first().map_or(0, Vec::len));
    if rows == 0 || columns == 0 {
        return Err("`a` has no entries".into());
    }
    if b.len() != rows {
        return Err(format!("`a` has {rows} rows, `b` has {}", b.len()));
    }
    for (name, matrix) in [("a", &a), ("b", &b)] {
        for (i, row) in matrix.iter().enumerate() {
            if row.len() != columns {
                return Err(format!("`{name}`[{i}] has {} entries, `a`[0] has {columns}", row.len()));
            }
            if let Some(j) = row.iter().position(|payoff| !payoff.is_finite()) {
                return Err(format!("`{name}`[{i}][{j}] is not finite"));
            }
        }
    }
    Ok(GameFile {
        rows,
        columns,
        a: a.concat(),
        b: b.concat(),
        tau: coefficient("tau", tau)?,
        entropy_coef: coefficient("entropy_coef", entropy_coef)?,
        references: references.map(|given| distributions(given, [rows, columns])).transpose()?,
    })
}

fn coefficient(name: &str, value: PerPlayer) -> Result<[f64; 2], String> {
    let values = match value {
        PerPlayer::Both(value) => [value; 2],
        PerPlayer::Each(values) => values,
    };
    match values.iter().all(|value| value.is_finite() && *value >= 0.0) {
        true => Ok(values),
        false => Err(format!("`{name}` must be finite and not negative")),
    }
}

fn distributions(references: [Vec<f64>; 2], choices: [usize; 2]) -> Result<Vec<f64>, String> {
    for (player, (reference, choices)) in references.iter().zip(choices).enumerate() {
        if reference.len() != choices {
            return Err(format!("`references`[{player}] has {} entries for {choices} choices", reference.len()));
        }
        if let Some(i) = reference.iter().position(|p| !(p.is_finite() && *p > 0.0)) {
            return Err(format!("`references`[{player}][{i}] must be a positive probability"));
        }
        let total: f64 = reference.iter().sum();
        if (total - 1.0).abs() > 1e-6 {
            return Err(format!("`references`[{player}] sums to {total}, not to 1"));
        }
    }
    Ok(references.concat())
}
