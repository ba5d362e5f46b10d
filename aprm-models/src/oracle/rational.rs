use std::fmt;

/// An exact fraction of 128-bit integers, in lowest terms, its denominator positive.
///
/// What does not fit is none, never rounded and never a panic.
///
/// ```
/// use aprm_models::oracle::Rational;
///
/// let fifth = Rational::new(2, 10).unwrap();
/// assert_eq!(fifth.checked_mul(Rational::integer(50)), Some(Rational::integer(10)));
/// assert_eq!(fifth.checked_div(Rational::integer(0)), None);
/// assert_eq!(fifth.to_string(), "0.2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rational {
    numerator: i128,
    denominator: i128,
}

impl Rational {
    /// A fraction; none over zero, or where a sign does not fit.
    pub fn new(numerator: i128, denominator: i128) -> Option<Self> {
        let divisor = i128::try_from(greatest_common_divisor(numerator.unsigned_abs(), denominator.unsigned_abs()));
        let divisor = divisor.ok()?.checked_mul(denominator.signum())?;
        Some(Self { numerator: numerator.checked_div(divisor)?, denominator: denominator.checked_div(divisor)? })
    }

    /// A whole number.
    pub const fn integer(number: i128) -> Self {
        Self { numerator: number, denominator: 1 }
    }

    /// Its numerator, which carries the sign.
    pub fn numerator(self) -> i128 {
        self.numerator
    }

    /// Its denominator, above zero.
    pub fn denominator(self) -> i128 {
        self.denominator
    }

    /// `self + other`.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let shared = greatest_common_divisor(self.denominator.unsigned_abs(), other.denominator.unsigned_abs());
        let shared = i128::try_from(shared).ok()?;
        let (left, right) = (other.denominator / shared, self.denominator / shared);
        let numerator = self.numerator.checked_mul(left)?.checked_add(other.numerator.checked_mul(right)?)?;
        Self::new(numerator, self.denominator.checked_mul(left)?)
    }

    /// `-self`.
    pub fn checked_neg(self) -> Option<Self> {
        Some(Self { numerator: self.numerator.checked_neg()?, ..self })
    }

    /// `self - other`.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(other.checked_neg()?)
    }

    /// `self · other`.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let (left, right) =
            (Self::new(self.numerator, other.denominator)?, Self::new(other.numerator, self.denominator)?);
        let numerator = left.numerator.checked_mul(right.numerator)?;
        Some(Self { numerator, denominator: left.denominator.checked_mul(right.denominator)? })
    }

    /// `1 / self`; none of zero.
    pub fn reciprocal(self) -> Option<Self> {
        Self::new(self.denominator, self.numerator)
    }

    /// `self / other`; none by zero.
    pub fn checked_div(self, other: Self) -> Option<Self> {
        self.checked_mul(other.reciprocal()?)
    }

    /// Its magnitude.
    pub fn magnitude(self) -> Option<Self> {
        Some(Self { numerator: self.numerator.checked_abs()?, ..self })
    }

    /// The digits that it has behind the decimal point; none if they do not end.
    pub fn decimals(self) -> Option<u32> {
        let (mut rest, mut twos, mut fives) = (self.denominator, 0, 0);
        while rest % 2 == 0 {
            (rest, twos) = (rest / 2, twos + 1);
        }
        while rest % 5 == 0 {
            (rest, fives) = (rest / 5, fives + 1);
        }
        (rest == 1).then_some(twos.max(fives))
    }

    /// The digits of a decimal number without its point.
    fn scaled(self, decimals: u32) -> Option<u128> {
        let scale = 10_i128.checked_pow(decimals)? / self.denominator;
        self.numerator.unsigned_abs().checked_mul(scale.unsigned_abs())
    }
}

/// As a decimal number if it ends, or else as a fraction.
impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { numerator, denominator } = self;
        let digits = self.decimals().and_then(|decimals| Some((decimals as usize, self.scaled(decimals)?)));
        match digits {
            Some((0, _)) => write!(f, "{numerator}"),
            Some((decimals, digits)) => {
                let digits = format!("{digits:0>width$}", width = decimals + 1);
                let (whole, rest) = digits.split_at(digits.len() - decimals);
                write!(f, "{}{whole}.{rest}", if *numerator < 0 { "-" } else { "" })
            }
            None => write!(f, "{numerator}/{denominator}"),
        }
    }
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
