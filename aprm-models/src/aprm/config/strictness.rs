//! How strict an oracle is.

use serde::{Deserialize, Serialize};

use crate::oracle::Leniency;

/// What the oracle lets pass, as [`Leniency`] has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// What does no harm to the value.
    #[default]
    Default,
    /// Only the steps of the solution.
    Strict,
    /// All that is true.
    Lenient,
}

impl Strictness {
    /// What it lets pass.
    pub fn leniency(self) -> Leniency {
        match self {
            Self::Default => Leniency::default(),
            Self::Strict => Leniency::STRICT,
            Self::Lenient => Leniency::LENIENT,
        }
    }
}
