use core::iter::Sum;
use core::marker::PhantomData;
use core::ops::{Add, Div, Mul, Neg, Sub};

use aprm_core::scalar::Scalar;

use crate::Number;

/// A number, and how far from it a device that computes in `T` may end up.
///
/// This is a running error analysis: with `ε` the distance from 1 to the next `T` and `δ` the bound of an operand,
///
/// ```text
/// a ± b    δ_a + δ_b + ε |a ± b|
/// a b      δ_a |b| + δ_b |a| + δ_a δ_b + ε |a b|
/// a / b    (δ_a + δ_b |a / b|) / (|b| − δ_b) + 3 ε |a / b|
/// √a       √(a + δ_a) − √(a − δ_a) + 3 ε √a
/// e^a      e^a (e^δ_a − 1 + (3 + 2 |a|) ε)
/// ln a     δ_a / (a − δ_a) + 3 ε |ln a| + 4 ε
/// Σ_n a    Σ δ + n ε Σ |a|, in whatever order
/// ```
///
/// and the smallest normal `T` on top of each, for devices that flush what is smaller.
/// The coefficients of ε are what WGSL grants a GPU; a CPU rounds to half an ε and stays well within.
/// Infinities and NaN are exact.
///
/// # Reference
/// Higham 2002, "Accuracy and Stability of Numerical Algorithms", sections 3.3 and 4.2;
/// W3C, "WebGPU Shading Language", section 15.7.4.
#[derive(Clone, Copy, Debug)]
pub struct Bounded<T> {
    value: f64,
    error: f64,
    device: PhantomData<T>,
}

/// Bounds are multiplied by this: one half is the reference's own, the other pays for formulas that are equal on paper
/// and grouped otherwise, as an online softmax is.
const SLACK: f64 = 4.0;

impl<T: Scalar> Bounded<T> {
    /// `value`, off by `error` so far and by `roundings` times ε of itself now.
    fn new(value: f64, error: f64, roundings: f64) -> Self {
        if !value.is_finite() {
            return Self::exactly(value);
        }
        let error = error + roundings * T::epsilon().widen() * value.abs() + T::min_positive_value().widen();
        assert!((0.0..f64::INFINITY).contains(&error), "no bound is left of {value}: the inputs are too hard");
        Self { value, error, device: PhantomData }
    }

    /// The largest distance between this number and what a device computes.
    pub fn tolerance(self) -> f64 {
        SLACK * self.error
    }

    /// Whether a device may give `actual`: within the tolerance, the same infinity, or NaN for NaN.
    pub fn admits(self, actual: f64) -> bool {
        actual == self.value
            || self.value.is_nan() && actual.is_nan()
            || (actual - self.value).abs() <= self.tolerance()
    }
}

impl<T: Scalar> Number for Bounded<T> {
    fn exactly(value: f64) -> Self {
        Self { value, error: 0.0, device: PhantomData }
    }

    fn value(self) -> f64 {
        self.value
    }

    fn exp(self) -> Self {
        if self.is_masked() {
            return Self::exactly(0.0);
        }
        let value = Scalar::exp(self.value);
        Self::new(value, value * Scalar::exp_m1(self.error), 3.0 + 2.0 * self.value.abs())
    }

    fn ln(self) -> Self {
        let absolute = 4.0 * T::epsilon().widen();
        Self::new(Scalar::ln(self.value), self.error / (self.value - self.error) + absolute, 3.0)
    }

    fn sqrt(self) -> Self {
        let low = Scalar::sqrt((self.value - self.error).max(0.0));
        Self::new(Scalar::sqrt(self.value), Scalar::sqrt(self.value + self.error) - low, 3.0)
    }
}

impl<T: Scalar> Add for Bounded<T> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.value + other.value, self.error + other.error, 1.0)
    }
}

impl<T: Scalar> Sub for Bounded<T> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl<T: Scalar> Neg for Bounded<T> {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, ..self }
    }
}

impl<T: Scalar> Mul for Bounded<T> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let cross = self.error * other.value.abs() + other.error * self.value.abs();
        Self::new(self.value * other.value, cross + self.error * other.error, 1.0)
    }
}

impl<T: Scalar> Div for Bounded<T> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self::new(value, (self.error + other.error * value.abs()) / (other.value.abs() - other.error), 3.0)
    }
}

impl<T: Scalar> Sum for Bounded<T> {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        let (mut count, mut value, mut magnitude, mut error) = (0.0, 0.0, 0.0, 0.0);
        for term in terms {
            count += 1.0;
            value += term.value;
            magnitude += term.value.abs();
            error += term.error;
        }
        Self::new(value, error + count * T::epsilon().widen() * magnitude, 0.0)
    }
}
