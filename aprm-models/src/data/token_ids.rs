use serde::Deserialize;

use super::Row;
use super::json_lines::{RowProblem, object};

/// A sequence of token ids: `{"ids": [int]}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TokenIds {
    /// The ids; there is at least one.
    pub ids: Vec<u32>,
}

impl Row for TokenIds {
    fn parse(line: &str) -> Result<Self, RowProblem> {
        let row: Self = object(line)?;
        if row.ids.is_empty() { Err(RowProblem::NoIds) } else { Ok(row) }
    }
}
