use std::fmt;

use super::expression::SIGNS;
use super::{Expression, ExpressionError, Rational};

/// The characters that may stand in front of an equals sign as arithmetic.
const ARITHMETIC: &str = "0123456789.,$%+-−–*/xX×·÷() ";
/// The most bytes of arithmetic that are read on the left of an equals sign.
const REACH: usize = 200;

/// Sides that are said to be equal: `16*2=32`, or a chain such as `3*4+1=12+1=13`.
///
/// It has two sides at least.
///
/// ```
/// use aprm_models::oracle::{Equation, Truth};
///
/// let equation = Equation::parse("3*4+1=12+1=13")?;
/// assert_eq!((equation.truth(), equation.to_string().as_str()), (Truth::Exact, "3*4+1=12+1=13"));
/// assert_eq!(Equation::parse("100/3=33.33")?.truth(), Truth::Rounded);
/// assert_eq!(Equation::parse("100/3=33.4")?.truth(), Truth::False);
/// # Ok::<_, aprm_models::oracle::ExpressionError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Equation {
    sides: Vec<Expression>,
}

/// Whether an equation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// All sides have one value.
    Exact,
    /// All sides are equal, up to half of the last decimal place that the side behind is written with.
    Rounded,
    /// Two sides differ.
    False,
    /// A side has no value, or one that 128 bits do not hold.
    Unknown,
}

impl Equation {
    /// Reads a text that is an equation from its beginning to its end.
    ///
    /// # Errors
    /// If a side is no arithmetic, or there is only one.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let mut at = 0;
        let mut sides = Vec::new();
        for side in text.split('=') {
            sides.push(Expression::parse(side).map_err(|error| error.behind(at))?);
            at += side.len() + 1;
        }
        let expected = ExpressionError::Expected { at: text.len(), expected: "an equals sign" };
        if sides.len() < 2 { Err(expected) } else { Ok(Self { sides }) }
    }

    /// Its sides, from left to right.
    pub fn sides(&self) -> &[Expression] {
        &self.sides
    }

    /// The value of its last side, which is what it says comes out.
    pub fn result(&self) -> Option<Rational> {
        self.sides.last()?.value()
    }

    /// Whether it holds: each side is compared with the one before it.
    pub fn truth(&self) -> Truth {
        let mut truth = Truth::Exact;
        for pair in self.sides.windows(2) {
            match compare(&pair[0], &pair[1]) {
                Truth::Exact => {}
                Truth::Rounded if truth == Truth::Exact => truth = Truth::Rounded,
                Truth::Rounded => {}
                Truth::Unknown => truth = Truth::Unknown,
                Truth::False => return Truth::False,
            }
        }
        truth
    }
}

fn compare(left: &Expression, right: &Expression) -> Truth {
    let (Some(left_value), Some(right_value)) = (left.value(), right.value()) else { return Truth::Unknown };
    if left_value == right_value {
        return Truth::Exact;
    }
    // Only a side that is one number with decimals can be a rounded one.
    let places = match right {
        Expression::Number(number) => number.decimals().filter(|places| *places > 0),
        _ => None,
    };
    let Some(places) = places else { return Truth::False };
    let scale = 10_i128.checked_pow(places).and_then(|scale| scale.checked_mul(2)).map(Rational::integer);
    let scaled = scale.and_then(|scale| left_value.checked_sub(right_value)?.magnitude()?.checked_mul(scale));
    match scaled {
        Some(scaled) if scaled.numerator() <= scaled.denominator() => Truth::Rounded,
        Some(_) => Truth::False,
        None => Truth::Unknown,
    }
}

impl fmt::Display for Equation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sides.iter().enumerate().try_for_each(|(at, side)| {
            f.write_str(if at > 0 { "=" } else { "" })?;
            write!(f, "{side}")
        })
    }
}

/// The contents of a step's calculator annotations: `48/2=24` of `48/2 = <<48/2=24>>24 clips`.
///
/// ```
/// use aprm_models::oracle::annotations;
///
/// assert_eq!(annotations("48/2 = <<48/2=24>>24 clips").collect::<Vec<_>>(), ["48/2=24"]);
/// ```
pub fn annotations(step: &str) -> impl Iterator<Item = &str> {
    step.split("<<").skip(1).filter_map(|rest| rest.split_once(">>").map(|(annotation, _)| annotation))
}

/// A step without its calculator annotations, the text around them untouched.
///
/// ```
/// use aprm_models::oracle::without_annotations;
///
/// assert_eq!(without_annotations("48/2 = <<48/2=24>>24 clips"), "48/2 = 24 clips");
/// ```
pub fn without_annotations(step: &str) -> String {
    let mut pieces = step.split("<<");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once(">>") {
            Some((_, rest)) => text.push_str(rest),
            None => text.extend(["<<", piece]),
        }
    }
    text
}

/// The equations of a sentence, in their order; none in the place of one that is not wholly arithmetic.
///
/// Arithmetic in front of an equals sign has to stand on its own: nothing is read of `y-5=10` or `3 pens * 2 = 6`,
/// since what remains without the letters would say something else.
///
/// ```
/// use aprm_models::oracle::equations;
///
/// let found = equations("Ann has 48 / 2 = 24 clips in May, so 24+48=72 in all.");
/// let found: Vec<_> = found.iter().flatten().map(ToString::to_string).collect();
/// assert_eq!(found, ["48/2=24", "24+48=72"]);
/// assert_eq!(equations("y-5=10"), [None]);
/// ```
pub fn equations(text: &str) -> Vec<Option<Equation>> {
    let whole = |(sides, written): (Vec<Option<Expression>>, &str)| {
        let sides: Option<Vec<Expression>> = sides.into_iter().collect();
        sides.map(|sides| Equation { sides: percent_as_unit(sides, written) })
    };
    chains(text).into_iter().map(whole).collect()
}

/// What is said to be equal in a sentence, as far as it is arithmetic: the sides of a chain that stand next to each
/// other, whatever the other sides are.
///
/// ```
/// use aprm_models::oracle::partial_equations;
///
/// let found = partial_equations("Cost = 5 * 3 = 15 = the price of y - 5 = 10.");
/// assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["5*3=15"]);
/// ```
pub fn partial_equations(text: &str) -> Vec<Equation> {
    let mut found = Vec::new();
    for (sides, written) in chains(text) {
        let mut groups = sides.split(Option::is_none).peekable();
        while let Some(group) = groups.next() {
            let is_last = groups.peek().is_none();
            let sides: Vec<Expression> = group.iter().flatten().cloned().collect();
            if sides.len() > 1 {
                found.push(Equation { sides: percent_as_unit(sides, if is_last { written } else { "" }) });
            }
        }
    }
    found
}

/// All that equals signs stand between, none in the place of what is not wholly arithmetic, and how it is written from
/// the first equals sign on.
fn chains(text: &str) -> Vec<(Vec<Option<Expression>>, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(sign) = text[from..].find('=').map(|at| from + at) {
        let mut sides = vec![left_side(&text[..sign])];
        let mut end = sign;
        // A chain goes on as long as nothing but spaces stands before the next equals sign.
        while text[end..].starts_with('=') {
            end += 1;
            let Some((side, length)) = right_side(&text[end..]) else {
                sides.push(None);
                break;
            };
            sides.push(side);
            end += length;
            let spaces = text[end..].len() - text[end..].trim_start_matches(' ').len();
            if text[end + spaces..].starts_with('=') {
                end += spaces;
            }
        }
        found.push((sides, &text[sign..end]));
        from = end;
    }
    found
}

/// Reads the `50%` of `100-50=50%` as 50, if the equation holds with it, and only then.
fn percent_as_unit(mut sides: Vec<Expression>, text: &str) -> Vec<Expression> {
    if let [.., left, Expression::Number(right)] = &mut sides[..] {
        let without = right.checked_mul(Rational::integer(100));
        if text.ends_with('%') && without.is_some() && left.value() == without {
            *right = without.unwrap_or(*right);
        }
    }
    sides
}

/// The arithmetic that a text ends with, if it stands on its own.
fn left_side(text: &str) -> Option<Expression> {
    let run = text.char_indices().rev().take_while(|(_, character)| ARITHMETIC.contains(*character));
    let start = run.take(REACH).last().map_or(text.len(), |(at, _)| at);
    let (before, run) = text.split_at(start);
    // What ends a sentence or clause is no part of the arithmetic behind it, but a decimal point is.
    let clause = run.rfind(". ").or_else(|| run.rfind(", ")).map_or(run, |at| &run[at + 1..]);
    let trimmed = clause.trim_start_matches([',', ' ']);
    let after_word = !before.is_empty() && clause.len() == run.len();
    let stands_alone = trimmed.len() < run.len() || before.is_empty() || before.ends_with(char::is_whitespace);
    let expression = Expression::parse(trimmed).ok().filter(|_| stands_alone)?;
    // A number or sign behind a word may be the rest of "Ann's 8 + Bob's 5 = 13" or "25 pens - 5 = 20".
    let is_rest = trimmed.starts_with(SIGNS) || matches!(expression, Expression::Number(_));
    (!after_word || !is_rest).then_some(expression)
}

/// The arithmetic that a text begins with, and its length; the inner none is arithmetic that goes on in a way that
/// cannot be read, as in `15*y`, `1 1/2`, `66(2)` or `2y`.
fn right_side(text: &str) -> Option<(Option<Expression>, usize)> {
    let (side, length) = Expression::parse_prefix(text).ok()?;
    let (adjacent, rest) = (&text[length..], text[length..].trim_start());
    let goes_on = adjacent.starts_with(|next: char| next.is_alphanumeric() || matches!(next, '(' | '^' | ':'))
        || rest.starts_with(|next: char| next.is_ascii_digit() || "+-−–*×·÷".contains(next))
        || rest.strip_prefix('/').is_some_and(|per| !per.starts_with(char::is_alphabetic));
    Some(((!goes_on).then_some(side), length))
}
