use std::fmt;

use serde::{Deserialize, Serialize};

/// What a step does with two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// `x+y`.
    Add,
    /// `x-y`.
    Subtract,
    /// `x*y`.
    Multiply,
    /// `x/y`, which has a value only where it is whole.
    Divide,
    /// `x%y`: what is left of `x`, from zero to below `|y|`.
    Remainder,
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Add, Self::Subtract, Self::Multiply, Self::Divide, Self::Remainder];

    /// How it is written.
    pub fn symbol(self) -> char {
        match self {
            Self::Add => '+',
            Self::Subtract => '-',
            Self::Multiply => '*',
            Self::Divide => '/',
            Self::Remainder => '%',
        }
    }

    /// The operator that is written so.
    pub fn from_symbol(symbol: char) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.symbol() == symbol)
    }

    /// Whether the order of its operands makes no difference.
    pub fn is_commutative(self) -> bool {
        matches!(self, Self::Add | Self::Multiply)
    }

    /// The exact result; none if it is not whole, not defined, or beyond 64 bits.
    ///
    /// ```
    /// use aprm_models::arithmetic::Operator::{Divide, Remainder};
    ///
    /// assert_eq!(Divide.apply(48, 2), Some(24));
    /// assert_eq!(Divide.apply(48, 5), None);
    /// assert_eq!(Remainder.apply(48, 5), Some(3));
    /// ```
    pub fn apply(self, left: i64, right: i64) -> Option<i64> {
        match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide => (left.checked_rem(right)? == 0).then(|| left.checked_div(right)).flatten(),
            Self::Remainder => left.checked_rem_euclid(right),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.symbol())
    }
}
