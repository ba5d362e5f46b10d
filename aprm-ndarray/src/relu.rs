//! Rectified linear unit, in place.

use aprm_core::scalar::Scalar;

use crate::threads::{self, Rows};

/// Entries that one thread takes at least.
const GRAIN: usize = 1 << 15;

pub(crate) fn forward<T: Scalar>(x: &mut [T]) {
    threads::for_each_range(
        x.len(),
        GRAIN,
        Rows::new(x, 1),
        #[inline(always)]
        |_, x| {
            for x in x.entries {
                // Not `max`, which would hide NaN.
                *x = if *x < T::zero() { T::zero() } else { *x };
            }
        },
    );
}

pub(crate) fn backward<T: Scalar>(out: &[T], grad: &mut [T]) {
    threads::for_each_range(
        out.len(),
        GRAIN,
        Rows::new(grad, 1),
        #[inline(always)]
        |range, grad| {
            for (grad, &out) in grad.entries.iter_mut().zip(&out[range]) {
                // Where the unit is off, `out` is the zero to multiply by, or NaN.
                *grad *= if out > T::zero() { T::one() } else { out };
            }
        },
    );
}
