use std::fmt;

use super::Operator;

/// What numbers stay below in magnitude: they have 18 digits at most.
pub(super) const BOUND: u64 = 10_u64.pow(18);

/// A line of a solution: a name, one operation, its result, and in worded problems the unit.
///
/// ```text
/// c=16*2=32
/// Ann: 16*2=32 pens
/// ```
///
/// Numbers are written in one way only (no leading zeros, no `+`, no `-0`), with 18 digits at most, and no space is
/// optional, so a step has one text and a text one step.
///
/// ```
/// use aprm_models::arithmetic::Step;
///
/// let step = Step::parse("Ann: 16*2=32 pens").unwrap();
/// assert_eq!((step.name, step.left, step.right, step.result, step.unit), ("Ann", 16, 2, 32, Some("pens")));
/// assert_eq!(step.to_string(), "Ann: 16*2=32 pens");
/// assert_eq!(Step::parse("Ann: 16*2=032 pens"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step<'a> {
    /// The quantity that is computed.
    pub name: &'a str,
    /// The first operand.
    pub left: i64,
    /// What is done.
    pub operator: Operator,
    /// The second operand.
    pub right: i64,
    /// What is said to come out.
    pub result: i64,
    /// The unit of the result; none in problems without words.
    pub unit: Option<&'a str>,
}

impl<'a> Step<'a> {
    /// Reads a line; none if it is not written as a step is.
    pub fn parse(line: &'a str) -> Option<Self> {
        let (name, equation, unit) = match line.split_once(": ") {
            Some((name, rest)) => {
                let (equation, unit) = rest.split_once(' ')?;
                let named = name.starts_with(|c: char| c.is_ascii_uppercase()) && is_lowercase(&name[1..]);
                (named && is_lowercase(unit)).then_some((name, equation, Some(unit)))?
            }
            None => {
                let (name, equation) = line.split_once('=')?;
                (name.len() == 1 && is_lowercase(name)).then_some((name, equation, None))?
            }
        };
        let (left, rest) = leading_number(equation)?;
        let operator = Operator::from_symbol(rest.chars().next()?)?;
        let (right, rest) = leading_number(&rest[1..])?;
        let (result, rest) = leading_number(rest.strip_prefix('=')?)?;
        rest.is_empty().then_some(Self { name, left, operator, right, result, unit })
    }

    /// What the operation gives; none where it has no whole value.
    pub fn value(&self) -> Option<i64> {
        self.operator.apply(self.left, self.right)
    }

    /// Whether its numbers are short enough to be read back.
    pub(super) fn is_in_bounds(&self) -> bool {
        [self.left, self.right, self.result].iter().all(|number| number.unsigned_abs() < BOUND)
    }

    /// Whether the result is what the operation gives.
    pub fn is_true(&self) -> bool {
        self.value() == Some(self.result)
    }

    /// Whether both do the same to the same numbers, in any order where the order makes no difference.
    pub fn same_operation(&self, other: &Self) -> bool {
        let here = (self.left, self.right);
        self.operator == other.operator
            && (here == (other.left, other.right)
                || self.operator.is_commutative() && here == (other.right, other.left))
    }
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, left, operator, right, result, unit } = self;
        match unit {
            Some(unit) => write!(f, "{name}: {left}{operator}{right}={result} {unit}"),
            None => write!(f, "{name}={left}{operator}{right}={result}"),
        }
    }
}

fn is_lowercase(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// The number that the text begins with, and what follows it.
pub(super) fn leading_number(text: &str) -> Option<(i64, &str)> {
    let digits_from = usize::from(text.starts_with('-'));
    let digits = text[digits_from..].bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits_from + digits);
    let canonical = match &number.as_bytes()[digits_from..] {
        [] => false,
        [b'0'] => digits_from == 0,
        [first, ..] => *first != b'0' && digits <= 18,
    };
    canonical.then(|| number.parse().ok()).flatten().map(|number| (number, rest))
}
