//! Labels from a solver's continuations.

use serde::{Deserialize, Serialize};

/// How much a solver writes to label steps by Monte Carlo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Labelling {
    /// Problems, of each of which it writes one solution.
    pub problems: usize,
    /// Continuations of each prefix of it.
    pub continuations: usize,
}

impl Default for Labelling {
    fn default() -> Self {
        Self { problems: 1000, continuations: 8 }
    }
}
