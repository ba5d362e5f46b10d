use std::fmt;

use serde::{Deserialize, Serialize};

/// In which way a step is wrong.
///
/// Where two kinds would fit, the one that stands first here is meant: 32 written for 33 is
/// [`OffByALittle`](Self::OffByALittle) although one digit differs, and 42 for 32 is [`Carry`](Self::Carry).
/// In the examples the gold step is `d=32-16=16` of `a=16;b=2;c=a*b;d=c-a;e=d+b?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The result has the wrong sign: `d=32-16=-16`.
    Sign,
    /// The result is off by one or two: `d=32-16=17`.
    OffByALittle,
    /// The result is off by a power of ten, as by a lost carry: `d=32-16=26`.
    Carry,
    /// One digit of the result is another: `d=32-16=19`.
    Digit,
    /// The result is wrong in any other way: `d=32-16=41`.
    WrongResult,
    /// The operands have changed places, with their result or with the gold one: `d=16-32=-16`, `d=16-32=16`.
    SwappedOperands,
    /// Another operation, whose result is right: `d=32+16=48`.
    WrongOperation,
    /// Another operation is written, the result is that of the right one: `d=32+16=16`.
    WrongOperator,
    /// Another number of the problem or of an earlier step; its result is right: `d=32-2=30`.
    WrongOperand,
    /// A number from nowhere; its result is right: `d=32-13=19`.
    ForeignOperand,
    /// The step after this one, whose operands are not computed yet, with the right numbers: `e=16+2=18`.
    SkippedStep,
    /// An earlier step once more: `c=16*2=32`.
    DoubledStep,
    /// The right operation and result under the name of another quantity: `e=32-16=16`.
    WrongName,
    /// The right step in another unit, in worded problems: `Ann: 16*2=32 cups`.
    UnitSlip,
    /// True arithmetic on numbers that are there, which the question does not need: `f=16+2=18`.
    Irrelevant,
    /// Several of these at once, or none of them.
    Other,
}

impl ErrorKind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Sign,
        Self::OffByALittle,
        Self::Carry,
        Self::Digit,
        Self::WrongResult,
        Self::SwappedOperands,
        Self::WrongOperation,
        Self::WrongOperator,
        Self::WrongOperand,
        Self::ForeignOperand,
        Self::SkippedStep,
        Self::DoubledStep,
        Self::WrongName,
        Self::UnitSlip,
        Self::Irrelevant,
        Self::Other,
    ];

    /// Its name, as in a table or a legend.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::OffByALittle => "off by a little",
            Self::Carry => "carry",
            Self::Digit => "digit",
            Self::WrongResult => "wrong result",
            Self::SwappedOperands => "swapped operands",
            Self::WrongOperation => "wrong operation",
            Self::WrongOperator => "wrong operator",
            Self::WrongOperand => "wrong operand",
            Self::ForeignOperand => "foreign operand",
            Self::SkippedStep => "skipped step",
            Self::DoubledStep => "doubled step",
            Self::WrongName => "wrong name",
            Self::UnitSlip => "unit slip",
            Self::Irrelevant => "irrelevant",
            Self::Other => "other",
        }
    }

    /// The kind of a [`name`](Self::name).
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// In which way `result` is wrong where `gold` is right; none if they are equal.
    ///
    /// ```
    /// use aprm_models::arithmetic::ErrorKind;
    ///
    /// assert_eq!(ErrorKind::of_result(32, 42), Some(ErrorKind::Carry));
    /// assert_eq!(ErrorKind::of_result(32, 35), Some(ErrorKind::Digit));
    /// ```
    pub fn of_result(gold: i64, result: i64) -> Option<Self> {
        let difference = gold.abs_diff(result);
        Some(match difference {
            0 => return None,
            _ if gold.checked_neg() == Some(result) => Self::Sign,
            1 | 2 => Self::OffByALittle,
            _ if is_carry(difference) => Self::Carry,
            _ if gold.signum() == result.signum() && one_digit_differs(gold, result) => Self::Digit,
            _ => Self::WrongResult,
        })
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether it is 10, 100, 1000 and so on.
fn is_carry(mut difference: u64) -> bool {
    while difference >= 100 && difference.is_multiple_of(10) {
        difference /= 10;
    }
    difference == 10
}

fn one_digit_differs(one: i64, other: i64) -> bool {
    let (one, other) = (one.unsigned_abs().to_string(), other.unsigned_abs().to_string());
    one.len() == other.len() && one.bytes().zip(other.bytes()).filter(|(a, b)| a != b).count() == 1
}
