use core::fmt::Debug;
use core::iter::{Sum, once};
use core::ops::{Add, Div, Mul, Neg, Sub};

use aprm_core::scalar::Scalar;

/// What the formulas of the kernels are written in: `f64`, `f32`, or [`Bounded`](crate::Bounded), which also carries how far
/// a device may be off.
///
/// Sums are taken with [`Iterator::sum`], never with a loop of additions, since a bound must hold for every order.
pub trait Number:
    Copy
    + Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Sum
{
    /// A number that is known exactly.
    fn exactly(value: f64) -> Self;

    /// The number without its bound.
    fn value(self) -> f64;

    /// `e^self`.
    fn exp(self) -> Self;

    /// Natural logarithm.
    fn ln(self) -> Self;

    /// Square root.
    fn sqrt(self) -> Self;

    /// `self + Σ terms`, in one sum.
    fn plus(self, terms: impl Iterator<Item = Self>) -> Self {
        once(self).chain(terms).sum()
    }

    /// Whether this is a logit of probability zero.
    fn is_masked(self) -> bool {
        self.value() == f64::NEG_INFINITY
    }
}

macro_rules! scalars_are_numbers {
    ($($scalar:ty)*) => {
        $(impl Number for $scalar {
            fn exactly(value: f64) -> Self {
                Scalar::of(value)
            }
            fn value(self) -> f64 {
                self.widen()
            }
            fn exp(self) -> Self {
                Scalar::exp(self)
            }
            fn ln(self) -> Self {
                Scalar::ln(self)
            }
            fn sqrt(self) -> Self {
                Scalar::sqrt(self)
            }
        })*
    };
}

scalars_are_numbers!(f32 f64);
