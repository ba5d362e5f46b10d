//! The exponential against a reference of twice the precision, its bits, and its edges.

use aprm_core::scalar::Scalar;
use proptest::prelude::*;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// What `exp` and `exp_m1` may be wrong by, in units in the last place.
const BOUNDS: [f64; 2] = [0.78, 1.21];

/// A number in two parts, with about 100 significant bits.
#[derive(Clone, Copy)]
struct Double(f64, f64);

impl Double {
    fn sum(a: f64, b: f64) -> Self {
        let sum = a + b;
        let of_b = sum - a;
        Self(sum, (a - (sum - of_b)) + (b - of_b))
    }

    fn plus(self, other: Self) -> Self {
        let (heads, tails) = (Self::sum(self.0, other.0), Self::sum(self.1, other.1));
        let sum = Self::sum(heads.0, heads.1 + tails.0);
        Self::sum(sum.0, sum.1 + tails.1)
    }

    fn times(self, other: Self) -> Self {
        let product = self.0 * other.0;
        let rest = self.0.mul_add(other.0, -product);
        Self::sum(product, rest + (self.0 * other.1 + self.1 * other.0))
    }

    fn divided_by(self, other: Self) -> Self {
        let quotient = self.0 / other.0;
        let rest = (-quotient).mul_add(other.0, self.0) + (self.1 - quotient * other.1);
        Self::sum(quotient, rest / other.0)
    }
}

/// `[e^x, e^x − 1]`: the Taylor series at `|x| 2^−k < 1/32`, then k times `m ← 2 m + m²`; below zero `e^x = 1 / e^−x`.
fn exact(x: f64) -> [Double; 2] {
    const ONE: Double = Double(1.0, 0.0);
    if x < -1.0 {
        let exp = ONE.divided_by(exact(-x)[0]);
        return [exp, exp.plus(Double(-1.0, 0.0))];
    }
    let halvings = (0..).find(|&k| x.abs() * 0.5_f64.powi(k) < 1.0 / 32.0).expect("x is finite");
    let r = Double(x * 0.5_f64.powi(halvings), 0.0);
    let term = |sum: Double, k: i32| ONE.plus(sum.times(r).divided_by(Double(f64::from(k), 0.0)));
    let series = (2..20).rev().fold(ONE, term).times(r);
    let exp_m1 = (0..halvings).fold(series, |m, _| m.plus(m).plus(m.times(m)));
    [exp_m1.plus(ONE), exp_m1]
}

/// Distance from an exact value, in units in the last place of a type with so many digits and this least normal number.
fn ulps(actual: f64, Double(head, tail): Double, digits: u32, least: f64) -> f64 {
    let binade = f64::from_bits(head.abs().max(least).to_bits() & f64::INFINITY.to_bits());
    ((actual - head) - tail).abs() / (binade * 0.5_f64.powi(digits as i32 - 1))
}

fn errors_f64(x: f64) -> [f64; 2] {
    let [exp, exp_m1] = exact(x);
    let ulps = |actual, exact| ulps(actual, exact, f64::MANTISSA_DIGITS, f64::MIN_POSITIVE);
    [ulps(Scalar::exp(x), exp), ulps(Scalar::exp_m1(x), exp_m1)]
}

/// An `f64` function is exact enough to judge one in `f32`, and fast enough to do it for all arguments.
fn errors_f32(x: f32) -> [f64; 2] {
    let wide = f64::from(x);
    let ulps = |actual: f32, exact: f64| {
        ulps(f64::from(actual), Double(exact, 0.0), f32::MANTISSA_DIGITS, f64::from(f32::MIN_POSITIVE))
    };
    [ulps(Scalar::exp(x), wide.exp()), ulps(Scalar::exp_m1(x), wide.exp_m1())]
}

fn larger(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    assert!(!b[0].is_nan() && !b[1].is_nan());
    [a[0].max(b[0]), a[1].max(b[1])]
}

/// The largest errors among every `stride`-th `f32` whose exponential is finite; asserts that neither function falls.
fn worst_f32(stride: usize) -> [f64; 2] {
    let mut worst = [0.0; 2];
    for sign in [1.0, -1.0] {
        let mut last = [1.0, 0.0];
        for bits in (0..=f32::INFINITY.to_bits()).step_by(stride) {
            let x = sign * f32::from_bits(bits);
            let values = [Scalar::exp(x), Scalar::exp_m1(x)];
            assert!((0..2).all(|i| sign * values[i] >= sign * last[i]), "at {x:e}: {values:?} after {last:?}");
            last = values;
            if values[0] == f32::INFINITY {
                // Half a unit beyond the largest number.
                assert!(f64::from(x).exp() >= f64::from(f32::MAX) * (1.0 + 0.5_f64.powi(25)));
            } else {
                worst = larger(worst, errors_f32(x));
            }
        }
    }
    worst
}

fn is_within_bounds(errors: [f64; 2]) -> bool {
    errors[0] <= BOUNDS[0] && errors[1] <= BOUNDS[1]
}

#[test]
fn exp_in_f32_is_monotone_and_within_its_bound() {
    let worst = worst_f32(2003);
    assert!(is_within_bounds(worst), "{worst:?}");
}

/// Minutes, optimised.
#[test]
#[ignore = "all f32 take minutes"]
fn exp_in_f32_is_monotone_and_within_its_bound_everywhere() {
    let worst = worst_f32(1);
    assert!(is_within_bounds(worst), "{worst:?}");
}

#[test]
fn exp_in_f64_is_within_its_bound() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut worst = [0.0; 2];
    for i in 0..300_000 {
        let u = (rng.next_u64() >> 11) as f64 * 0.5_f64.powi(53);
        let x = match i % 3 {
            0 => -708.0 + u * (708.0 + 709.7),
            1 => 4.0 * u - 2.0,
            _ => (u - 0.5) * 0.5_f64.powi(i % 60),
        };
        worst = larger(worst, errors_f64(x));
    }
    assert!(is_within_bounds(worst), "{worst:?}");
    assert!(worst[0] > 0.5 && worst[1] > 0.5, "a correctly rounded function would be news: {worst:?}");
}

/// Negative control: the measure sees an error of one unit, and a reference wrong by a part in 10¹⁷ is not the reference.
#[test]
fn an_error_of_one_ulp_is_caught() {
    for x in [1e-10, 0.3, 1.0, -20.0, 700.0] {
        let [exp, _] = exact(x);
        let next = f64::from_bits(exp.0.to_bits() + 1);
        assert!(ulps(next, exp, f64::MANTISSA_DIGITS, f64::MIN_POSITIVE) >= 0.5);
        assert!(ulps(next, Double(exp.0, 0.0), f64::MANTISSA_DIGITS, f64::MIN_POSITIVE) == 1.0);
    }
    // e to 32 digits.
    let [Double(head, tail), _] = exact(1.0);
    assert_eq!((head, tail), (core::f64::consts::E, 1.445_646_891_729_250_2e-16));
}

macro_rules! edges {
    ($float:ident, $largest:expr, $smallest:expr) => {{
        let exp = <$float as Scalar>::exp;
        let exp_m1 = <$float as Scalar>::exp_m1;
        let next = |x: $float| $float::from_bits(x.to_bits() + 1);
        assert_eq!([exp(0.0), exp(-0.0)], [1.0, 1.0]);
        assert_eq!([exp_m1(0.0).to_bits(), exp_m1(-0.0).to_bits()], [0, (-0.0 as $float).to_bits()]);
        assert_eq!([exp($float::INFINITY), exp($float::MAX)], [$float::INFINITY; 2]);
        assert_eq!([exp_m1($float::INFINITY), exp_m1($float::MAX)], [$float::INFINITY; 2]);
        assert_eq!([exp($float::NEG_INFINITY).to_bits(), exp($float::MIN).to_bits()], [0; 2]);
        assert_eq!([exp_m1($float::NEG_INFINITY), exp_m1($float::MIN)], [-1.0; 2]);
        assert!(exp($float::NAN).is_nan() && exp_m1($float::NAN).is_nan());
        assert!(exp(-$float::NAN).is_nan() && exp_m1(-$float::NAN).is_nan());
        // The last argument on either side whose exponential is neither infinity nor zero.
        assert!(exp($largest).is_finite() && exp_m1($largest).is_finite());
        assert_eq!([exp(next($largest)), exp_m1(next($largest))], [$float::INFINITY; 2]);
        assert_eq!([exp($smallest).to_bits(), exp(next($smallest)).to_bits()], [1, 0]);
        for tiny in [$float::from_bits(1), $float::MIN_POSITIVE, -$float::from_bits(1)] {
            assert_eq!([exp(tiny), exp_m1(tiny)], [1.0, tiny]);
        }
    }};
}

#[test]
fn exp_at_the_edges() {
    edges!(f32, 88.722_83, -103.972_08);
    edges!(f64, 709.782_712_893_384, -745.133_219_101_941_1);
}

/// A hash of the bits of many values: the same in every build and on every machine.
#[test]
fn exp_is_the_same_everywhere() {
    let hash = |bits: &mut dyn Iterator<Item = u64>| {
        bits.fold(0xcbf2_9ce4_8422_2325_u64, |hash, bits| (hash ^ bits).wrapping_mul(0x100_0000_01b3))
    };
    let narrow = (-110_000..=90_000).map(|i| i as f32 / 1000.0);
    let wide = (-760_000..=720_000).map(|i| f64::from(i) / 1000.0);
    let hashes = [
        hash(&mut narrow.clone().map(|x| Scalar::exp(x).to_bits().into())),
        hash(&mut narrow.map(|x| Scalar::exp_m1(x).to_bits().into())),
        hash(&mut wide.clone().map(|x| Scalar::exp(x).to_bits())),
        hash(&mut wide.map(|x| Scalar::exp_m1(x).to_bits())),
    ];
    assert_eq!(
        hashes.map(|hash| format!("{hash:016x}")),
        ["73cfd8a1164d4772", "60e54592fc613b8a", "b213a0803e990467", "9eabc65045346038"]
    );
}

proptest! {
    #[test]
    fn exp_in_f64_does_not_fall(x in -746.0..710.0_f64) {
        let next = if x > 0.0 { f64::from_bits(x.to_bits() + 1) } else { f64::from_bits(x.to_bits() - 1) };
        prop_assert!(Scalar::exp(next) >= Scalar::exp(x));
    }
}
