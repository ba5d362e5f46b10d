//! `out = max(x, 0)`.

use crate::Number;

/// `x_i ← max(x_i, 0)`.
pub fn forward<N: Number>(len: usize, x: &mut [N]) {
    for x in &mut x[..len] {
        if x.value() < 0.0 {
            *x = N::exactly(0.0);
        }
    }
}

/// `grad_i ← grad_i · 1[out_i > 0]`; where the unit is off, `out_i` is the zero that it is multiplied by, or NaN.
pub fn backward<N: Number>(len: usize, out: &[N], grad: &mut [N]) {
    for (grad, &out) in grad[..len].iter_mut().zip(out) {
        let slope = if out.value() > 0.0 { N::exactly(1.0) } else { out };
        *grad = *grad * slope;
    }
}
