//! Element by element, and the norm.

use aprm_core::optimizer::AdamMoments;

use crate::Number;

/// `x_i ← value`.
pub fn fill<N: Number>(len: usize, value: N, x: &mut [N]) {
    for x in &mut x[..len] {
        *x = value;
    }
}

/// `y_i ← x_i`.
pub fn copy<N: Number>(len: usize, x: &[N], y: &mut [N]) {
    y[..len].copy_from_slice(&x[..len]);
}

/// `y_i ← α x_i + y_i`.
pub fn axpy<N: Number>(len: usize, alpha: N, x: &[N], y: &mut [N]) {
    for i in 0..len {
        y[i] = alpha * x[i] + y[i];
    }
}

/// `x_i ← α x_i`.
pub fn scale<N: Number>(len: usize, alpha: N, x: &mut [N]) {
    for x in &mut x[..len] {
        *x = alpha * *x;
    }
}

/// `total ← total + Σ_i x_i²`.
pub fn sum_of_squares<N: Number>(len: usize, x: &[N], total: &mut [N]) {
    total[0] = total[0].plus(x[..len].iter().map(|&x| x * x));
}

/// `x_i ← x_i min(1, max_norm / √squared_norm)`, and `x_i` where the norm is not finite.
pub fn clip<N: Number>(len: usize, max_norm: N, squared_norm: &[N], x: &mut [N]) {
    let norm = squared_norm[0].sqrt();
    if norm.value().is_finite() && norm.value() > max_norm.value() {
        scale(len, max_norm / norm, x);
    }
}

/// `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`, `r ← (m / c₁) / (√(v / c₂) + ε)`.
pub fn adam_direction<N: Number>(
    len: usize,
    moments: AdamMoments<N>,
    gradient: &[N],
    first_moment: &mut [N],
    second_moment: &mut [N],
    direction: &mut [N],
) {
    let AdamMoments { beta1, beta2, first_correction, second_correction, epsilon } = moments;
    let one = N::exactly(1.0);
    for i in 0..len {
        let g = gradient[i];
        first_moment[i] = beta1 * first_moment[i] + (one - beta1) * g;
        second_moment[i] = beta2 * second_moment[i] + (one - beta2) * g * g;
        direction[i] = (first_moment[i] / first_correction) / ((second_moment[i] / second_correction).sqrt() + epsilon);
    }
}
