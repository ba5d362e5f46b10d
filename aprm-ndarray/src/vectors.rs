//! Element by element, and the norm.

use aprm_core::optimizer::AdamMoments;
use aprm_core::scalar::Scalar;

use crate::lanes;
use crate::threads::{self, Rows};

/// Entries that one thread takes at least.
const GRAIN: usize = 1 << 15;

pub(crate) fn fill<T: Scalar>(value: T, x: &mut [T]) {
    threads::for_each_range(x.len(), GRAIN, Rows::new(x, 1), |_, x| x.entries.fill(value));
}

pub(crate) fn copy<T: Scalar>(x: &[T], y: &mut [T]) {
    threads::for_each_range(x.len(), GRAIN, Rows::new(y, 1), |range, y| y.entries.copy_from_slice(&x[range]));
}

pub(crate) fn axpy<T: Scalar>(alpha: T, x: &[T], y: &mut [T]) {
    threads::for_each_range(
        x.len(),
        GRAIN,
        Rows::new(y, 1),
        #[inline(always)]
        |range, y| lanes::axpy(alpha, &x[range], y.entries),
    );
}

pub(crate) fn scale<T: Scalar>(alpha: T, x: &mut [T]) {
    threads::for_each_range(
        x.len(),
        GRAIN,
        Rows::new(x, 1),
        #[inline(always)]
        |_, x| {
            for x in x.entries {
                *x *= alpha;
            }
        },
    );
}

pub(crate) fn sum_of_squares<T: Scalar>(x: &[T], total: &mut T, scratch: &mut Vec<T>) {
    let chunks = x.len().div_ceil(GRAIN);
    let partial = threads::grow(scratch, chunks);
    threads::for_each_range(
        chunks,
        1,
        Rows::new(partial, 1),
        #[inline(always)]
        |range, partial| {
            for (partial, x) in partial.entries.iter_mut().zip(x[range.start * GRAIN..].chunks(GRAIN)) {
                *partial = lanes::dot(x, x);
            }
        },
    );
    *total += partial.iter().copied().sum();
}

pub(crate) fn clip<T: Scalar>(max_norm: T, squared_norm: T, x: &mut [T]) {
    let norm = squared_norm.sqrt();
    if norm.is_finite() && norm > max_norm {
        scale(max_norm / norm, x);
    }
}

pub(crate) fn adam_direction<T: Scalar>(
    moments: AdamMoments<T>,
    gradient: &[T],
    first_moment: &mut [T],
    second_moment: &mut [T],
    direction: &mut [T],
) {
    let AdamMoments { beta1, beta2, first_correction, second_correction, epsilon } = moments;
    let outputs = (Rows::new(first_moment, 1), (Rows::new(second_moment, 1), Rows::new(direction, 1)));
    threads::for_each_range(
        gradient.len(),
        GRAIN,
        outputs,
        #[inline(always)]
        |range, (first_moment, (second_moment, direction))| {
            let moments = first_moment.entries.iter_mut().zip(second_moment.entries);
            for ((&g, (m, v)), direction) in gradient[range].iter().zip(moments).zip(direction.entries) {
                *m = beta1 * *m + (T::one() - beta1) * g;
                *v = beta2 * *v + (T::one() - beta2) * g * g;
                *direction = (*m / first_correction) / (lanes::sqrt(*v / second_correction) + epsilon);
            }
        },
    );
}
