//! The host's vector operations against their definitions.

use core::convert::Infallible;

use aprm_core::optimizer::{Host, VectorSpace, clip_by_global_norm};
use proptest::prelude::*;

fn pair() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (0..20_usize).prop_flat_map(|n| (prop::collection::vec(-10.0..10.0, n), prop::collection::vec(-10.0..10.0, n)))
}

/// The host with its own `ogda_update` left out.
struct Defaults(Host<f64>);

impl VectorSpace for Defaults {
    type Scalar = f64;
    type Vector = [f64];
    type Error = Infallible;
    fn copy(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), Infallible> {
        self.0.copy(x, y)
    }
    fn axpy(&mut self, alpha: f64, x: &[f64], y: &mut [f64]) -> Result<(), Infallible> {
        self.0.axpy(alpha, x, y)
    }
    fn scale(&mut self, alpha: f64, x: &mut [f64]) -> Result<(), Infallible> {
        self.0.scale(alpha, x)
    }
    fn dot(&mut self, x: &[f64], y: &[f64]) -> Result<f64, Infallible> {
        self.0.dot(x, y)
    }
}

proptest! {
    #[test]
    fn ogda_update_in_one_pass_equals_its_default_bit_for_bit(
        (x, y) in pair(), alpha in -3.0..3.0_f64, beta in -3.0..3.0_f64,
    ) {
        let [mut fused, mut default] = [0, 1].map(|_| (y.clone(), x.iter().zip(&y).map(|(x, y)| x * y).collect::<Vec<_>>()));
        let Ok(()) = Host::new().ogda_update([alpha, beta], &x, &mut fused.0, &mut fused.1);
        let Ok(()) = Defaults(Host::new()).ogda_update([alpha, beta], &x, &mut default.0, &mut default.1);
        prop_assert_eq!(fused, default);
    }

    #[test]
    fn axpy_scale_and_dot_are_linear((x, y) in pair(), alpha in -3.0..3.0_f64) {
        let mut host = Host::new();
        let mut z = y.clone();
        let Ok(()) = host.axpy(alpha, &x, &mut z);
        let Ok(xz) = host.dot(&x, &z);
        let (Ok(xx), Ok(xy)) = (host.dot(&x, &x), host.dot(&x, &y));
        prop_assert!((xz - (alpha * xx + xy)).abs() < 1e-9);
        let mut scaled = x.clone();
        let Ok(()) = host.scale(alpha, &mut scaled);
        let Ok(ss) = host.dot(&scaled, &scaled);
        prop_assert!((ss - alpha * alpha * xx).abs() < 1e-9);
    }

    #[test]
    fn clipping_by_global_norm_bounds_the_norm_and_keeps_the_direction((x, y) in pair(), max_norm in 0.1..20.0_f64) {
        let (mut a, mut b) = (x.clone(), y.clone());
        let mut host = Host::new();
        let Ok(norm) = clip_by_global_norm(&mut host, max_norm, &mut [&mut a[..], &mut b[..]]);
        let expected = x.iter().chain(&y).map(|g| g * g).sum::<f64>().sqrt();
        prop_assert!((norm - expected).abs() < 1e-12 * (1.0 + expected));
        let factor = if expected > max_norm { max_norm / expected } else { 1.0 };
        for (clipped, original) in a.iter().chain(&b).zip(x.iter().chain(&y)) {
            prop_assert!((clipped - factor * original).abs() < 1e-12 * (1.0 + original.abs()));
        }
    }
}

#[test]
fn clipping_leaves_gradients_that_are_not_finite_alone() {
    for bad in [f64::NAN, f64::INFINITY] {
        let mut gradient = [1.0, bad];
        let Ok(norm) = clip_by_global_norm(&mut Host::new(), 1.0, &mut [&mut gradient[..]]);
        assert!(!norm.is_finite());
        assert_eq!(gradient[0], 1.0);
    }
}

#[test]
#[should_panic(expected = "vectors of 1 and 2 elements")]
fn unequal_lengths_panic() {
    let Ok(()) = Host::new().axpy(1.0, &[0.0], &mut [0.0, 0.0]);
}

#[test]
#[should_panic(expected = "vectors of 2 and 1 elements")]
fn unequal_lengths_panic_in_one_pass_too() {
    let Ok(()) = Host::new().ogda_update([1.0, 1.0], &[0.0; 2], &mut [0.0; 2], &mut [0.0]);
}
