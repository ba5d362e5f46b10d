//! Central differences in f64.

const STEP: f64 = 1e-5;

/// Whether `gradient` is that of `f` at `x`, to a relative error of 1e-6 in every coordinate.
///
/// Rounding of `f` alone makes a difference quotient wrong by up to ε |f| / STEP ≈ 2e-11 |f|, hence the absolute term.
pub(crate) fn check(f: impl Fn(&[f64]) -> f64, x: &[f64], gradient: &[f64]) -> Result<(), String> {
    let floor = 1e-10 * (1.0 + f(x).abs());
    for (i, &derivative) in gradient.iter().enumerate() {
        let shifted = |step: f64| {
            let mut x = x.to_vec();
            x[i] += step;
            f(&x)
        };
        let quotient = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
        let error = (quotient - derivative).abs();
        if error.is_nan() || error > 1e-6 * derivative.abs() + floor {
            return Err(format!("coordinate {i}: {derivative} is not {quotient}"));
        }
    }
    Ok(())
}

#[test]
fn a_gradient_wrong_by_a_hundred_thousandth_is_caught() {
    let cube = |x: &[f64]| x[0].powi(3);
    check(cube, &[2.0], &[12.0]).unwrap();
    check(cube, &[2.0], &[12.0 * (1.0 + 1e-5)]).unwrap_err();
    check(cube, &[2.0], &[-12.0]).unwrap_err();
    check(cube, &[2.0], &[f64::NAN]).unwrap_err();
}
