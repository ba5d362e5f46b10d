use std::fmt;

use super::Rational;

/// What a number may begin with.
pub(super) const SIGNS: [char; 4] = ['+', '-', '−', '–'];
/// How deep brackets and signs may nest.
const DEPTH: usize = 64;

/// Arithmetic as it is written in steps: `+ - * /`, brackets, decimals.
///
/// `x`, `×` and `·` multiply, `÷` and `//` divide, a dash subtracts; `1,200` has thousands, `$5` is 5, `20%` is 0.2.
/// Anything else is no arithmetic: there are no powers, exponents or implied products.
///
/// ```
/// use aprm_models::oracle::Expression;
///
/// let expression = Expression::parse("($1,200 - 200) × 20%")?;
/// assert_eq!(expression.value().unwrap().to_string(), "200");
/// assert_eq!(expression.to_string(), "(1200-200)*0.2");
/// # Ok::<_, aprm_models::oracle::ExpressionError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expression {
    /// A number as it is written, which has no sign.
    Number(Rational),
    /// `-x`.
    Negative(Box<Expression>),
    /// Terms, each with whether it is subtracted; the first is not.
    Sum(Vec<(bool, Expression)>),
    /// Factors, each with whether it divides; the first does not.
    Product(Vec<(bool, Expression)>),
}

/// Why a text is no arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ExpressionError {
    /// Something else is expected.
    #[error("byte {at}: expected {expected}")]
    Expected {
        /// Where, in bytes.
        at: usize,
        /// What.
        expected: &'static str,
    },
    /// A number has too many digits.
    #[error("byte {at}: the number does not fit into 128 bits")]
    TooLarge {
        /// Where, in bytes.
        at: usize,
    },
    /// Brackets nest too deeply.
    #[error("byte {at}: brackets and signs nest more than {DEPTH} deep")]
    TooDeep {
        /// Where, in bytes.
        at: usize,
    },
}

impl ExpressionError {
    /// The same error of a text that begins at byte `offset` of a longer one.
    pub(super) fn behind(self, offset: usize) -> Self {
        match self {
            Self::Expected { at, expected } => Self::Expected { at: offset + at, expected },
            Self::TooLarge { at } => Self::TooLarge { at: offset + at },
            Self::TooDeep { at } => Self::TooDeep { at: offset + at },
        }
    }
}

impl Expression {
    /// Reads a text that is arithmetic from its beginning to its end.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let (expression, end) = Self::parse_prefix(text)?;
        match text[end..].trim_start() {
            "" => Ok(expression),
            _ => Err(ExpressionError::Expected { at: end, expected: "an operator or the end" }),
        }
    }

    /// Reads the longest arithmetic that a text begins with, and says at which byte it ends.
    ///
    /// # Errors
    /// If the text does not begin with arithmetic.
    pub fn parse_prefix(text: &str) -> Result<(Self, usize), ExpressionError> {
        let mut parser = Parser { text, at: 0 };
        let expression = parser.sum(DEPTH)?;
        Ok((expression, parser.at))
    }

    /// Its exact value; none after a division by zero, or where 128 bits do not suffice.
    pub fn value(&self) -> Option<Rational> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Negative(expression) => expression.value()?.checked_neg(),
            Self::Sum(terms) => terms.iter().try_fold(Rational::integer(0), |sum, (subtracted, term)| {
                let term = term.value()?;
                if *subtracted { sum.checked_sub(term) } else { sum.checked_add(term) }
            }),
            Self::Product(factors) => factors.iter().try_fold(Rational::integer(1), |product, (divides, factor)| {
                let factor = factor.value()?;
                if *divides { product.checked_div(factor) } else { product.checked_mul(factor) }
            }),
        }
    }
}

/// With as few brackets as reading it back takes.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |f: &mut fmt::Formatter<'_>, inner: &Self| match inner {
            Self::Sum(_) | Self::Product(_) => write!(f, "({inner})"),
            Self::Number(_) | Self::Negative(_) => write!(f, "{inner}"),
        };
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Negative(inner) => {
                f.write_str("-")?;
                bracketed(f, inner)
            }
            Self::Sum(terms) => terms.iter().enumerate().try_for_each(|(at, (subtracted, term))| {
                f.write_str(if *subtracted {
                    "-"
                } else if at > 0 {
                    "+"
                } else {
                    ""
                })?;
                if matches!(term, Self::Product(_)) { write!(f, "{term}") } else { bracketed(f, term) }
            }),
            Self::Product(factors) => factors.iter().enumerate().try_for_each(|(at, (divides, factor))| {
                f.write_str(if *divides {
                    "/"
                } else if at > 0 {
                    "*"
                } else {
                    ""
                })?;
                bracketed(f, factor)
            }),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn sum(&mut self, depth: usize) -> Result<Expression, ExpressionError> {
        self.chain(
            depth,
            Self::product,
            |symbol| match symbol {
                '+' => Some(false),
                '-' | '−' | '–' => Some(true),
                _ => None,
            },
            Expression::Sum,
        )
    }

    fn product(&mut self, depth: usize) -> Result<Expression, ExpressionError> {
        self.chain(
            depth,
            Self::factor,
            |symbol| match symbol {
                '*' | 'x' | 'X' | '×' | '·' => Some(false),
                '/' | '÷' => Some(true),
                _ => None,
            },
            Expression::Product,
        )
    }

    /// Operands with operators between them; an operator without an operand after it is left alone.
    fn chain(
        &mut self,
        depth: usize,
        operand: fn(&mut Self, usize) -> Result<Expression, ExpressionError>,
        inverse: fn(char) -> Option<bool>,
        join: fn(Vec<(bool, Expression)>) -> Expression,
    ) -> Result<Expression, ExpressionError> {
        let mut operands = vec![(false, operand(self, depth)?)];
        loop {
            let end = self.at;
            self.skip_spaces();
            let Some((symbol, inverse)) = self.peek().and_then(|symbol| Some((symbol, inverse(symbol)?))) else {
                self.at = end;
                break;
            };
            self.at += symbol.len_utf8();
            if symbol == '/' && self.peek() == Some('/') {
                self.at += 1;
            }
            // The x of 2x+1 is no sign: nobody writes 2 x +1 for a product.
            let is_variable = matches!(symbol, 'x' | 'X') && self.text[self.at..].trim_start().starts_with(SIGNS);
            if is_variable {
                self.at = end;
                break;
            }
            match operand(self, depth) {
                Ok(operand) => operands.push((inverse, operand)),
                Err(ExpressionError::Expected { .. }) => {
                    self.at = end;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(if operands.len() == 1 { operands.swap_remove(0).1 } else { join(operands) })
    }

    fn factor(&mut self, depth: usize) -> Result<Expression, ExpressionError> {
        self.skip_spaces();
        let at = self.at;
        let deeper = depth.checked_sub(1).ok_or(ExpressionError::TooDeep { at });
        match self.peek() {
            Some(sign @ ('-' | '−' | '–')) => {
                self.at += sign.len_utf8();
                Ok(Expression::Negative(Box::new(self.factor(deeper?)?)))
            }
            Some('+') => {
                self.at += 1;
                self.factor(deeper?)
            }
            Some('(') => {
                self.at += 1;
                let inner = self.sum(deeper?)?;
                self.skip_spaces();
                if self.peek() != Some(')') {
                    return Err(ExpressionError::Expected { at: self.at, expected: "a closing bracket" });
                }
                self.at += 1;
                Ok(inner)
            }
            _ => self.number().map(Expression::Number),
        }
    }

    fn number(&mut self) -> Result<Rational, ExpressionError> {
        let start = self.at;
        if self.peek() == Some('$') {
            self.at += 1;
            self.skip_spaces();
        }
        let at = self.at;
        let too_large = ExpressionError::TooLarge { at };
        let mut digits = self.digits().to_owned();
        if (1..=3).contains(&digits.len()) {
            while let Some(group) = self.thousands() {
                digits.push_str(&group);
            }
        }
        let mut decimals = 0;
        let rest = &self.text.as_bytes()[self.at..];
        if rest.first() == Some(&b'.') && rest.get(1).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
            let fraction = self.digits();
            decimals = fraction.len();
            digits.push_str(fraction);
        }
        if digits.is_empty() {
            self.at = start;
            return Err(ExpressionError::Expected { at, expected: "a number" });
        }
        let number: i128 = digits.parse().map_err(|_| too_large)?;
        let percent = ["%", " %"].into_iter().find(|percent| self.text[self.at..].starts_with(percent));
        if let Some(percent) = percent {
            self.at += percent.len();
            decimals += 2;
        }
        let scale = u32::try_from(decimals).ok().and_then(|decimals| 10_i128.checked_pow(decimals)).ok_or(too_large)?;
        Rational::new(number, scale).ok_or(too_large)
    }

    fn digits(&mut self) -> &str {
        let start = self.at;
        self.at += self.text.as_bytes()[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        &self.text[start..self.at]
    }

    /// A comma and three digits, not four.
    fn thousands(&mut self) -> Option<String> {
        let rest = &self.text.as_bytes()[self.at..];
        let [b',', group @ ..] = rest.get(..4)? else { return None };
        let complete = group.iter().all(u8::is_ascii_digit) && !rest.get(4).is_some_and(u8::is_ascii_digit);
        complete.then(|| {
            self.at += 4;
            self.text[self.at - 3..self.at].to_owned()
        })
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_spaces(&mut self) {
        self.at += self.text[self.at..].bytes().take_while(|byte| *byte == b' ').count();
    }
}
