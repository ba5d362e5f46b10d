//! The one place where floating-point functions come from.

mod exp;

use core::fmt::{Debug, Display, LowerExp};
use core::iter::Sum;

use num_traits::float::FloatCore;
use num_traits::{FromPrimitive, NumAssign};

/// A real number: `f32` or `f64`.
///
/// The transcendental functions are libm's on every target and under every feature, since the standard library's may
/// differ in the last bits between platforms, and even between two calls of one program under an interpreter.
/// Equal inputs therefore give equal bits everywhere.
///
/// `FloatCore`'s `min` and `max` drop a NaN operand; code that must not hide one checks `is_finite` first.
pub trait Scalar:
    FloatCore + NumAssign + FromPrimitive + Sum + Debug + Display + LowerExp + Default + Send + Sync + 'static
{
    /// `e^self`.
    fn exp(self) -> Self;
    /// `e^self - 1`, accurate near zero.
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// `ln(1 + self)`, accurate near zero.
    fn ln_1p(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Cosine of an angle in radians.
    fn cos(self) -> Self;
    /// `self` to a real power.
    fn powf(self, exponent: Self) -> Self;

    /// The nearest value of this type to an `f64` constant.
    fn of(value: f64) -> Self {
        Self::from_f64(value).expect("every f64 has a nearest f32 and f64")
    }

    /// The same number as an `f64`, in which long sums are taken whatever the type of their terms.
    fn widen(self) -> f64 {
        self.to_f64().expect("every f32 and f64 is an f64")
    }

    /// The nearest value of this type to a count.
    fn of_usize(value: usize) -> Self {
        Self::from_usize(value).expect("every usize has a nearest f32 and f64")
    }
}

impl Scalar for f32 {
    #[inline]
    fn exp(self) -> Self {
        exp::f32::exp(self)
    }
    #[inline]
    fn exp_m1(self) -> Self {
        exp::f32::exp_m1(self)
    }
    fn ln(self) -> Self {
        libm::logf(self)
    }
    fn ln_1p(self) -> Self {
        libm::log1pf(self)
    }
    fn sqrt(self) -> Self {
        libm::sqrtf(self)
    }
    fn tanh(self) -> Self {
        libm::tanhf(self)
    }
    fn cos(self) -> Self {
        libm::cosf(self)
    }
    fn powf(self, exponent: Self) -> Self {
        libm::powf(self, exponent)
    }
}

impl Scalar for f64 {
    #[inline]
    fn exp(self) -> Self {
        exp::f64::exp(self)
    }
    #[inline]
    fn exp_m1(self) -> Self {
        exp::f64::exp_m1(self)
    }
    fn ln(self) -> Self {
        libm::log(self)
    }
    fn ln_1p(self) -> Self {
        libm::log1p(self)
    }
    fn sqrt(self) -> Self {
        libm::sqrt(self)
    }
    fn tanh(self) -> Self {
        libm::tanh(self)
    }
    fn cos(self) -> Self {
        libm::cos(self)
    }
    fn powf(self, exponent: Self) -> Self {
        libm::pow(self, exponent)
    }
}
