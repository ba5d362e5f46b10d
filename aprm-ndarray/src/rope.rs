//! Rotary position embedding.

use aprm_core::backend::RopeDims;
use aprm_core::scalar::Scalar;

use crate::threads::{self, Rows};

pub(crate) fn forward<T: Scalar>(dims: RopeDims, positions: &[u32], cos: &[T], sin: &[T], x: &mut [T]) {
    rotate(dims, positions, cos, sin, T::one(), x);
}

pub(crate) fn backward<T: Scalar>(dims: RopeDims, positions: &[u32], cos: &[T], sin: &[T], grad_x: &mut [T]) {
    rotate(dims, positions, cos, sin, -T::one(), grad_x);
}

/// Rotates by the angle, or by its negative where `sign` is −1.
fn rotate<T: Scalar>(dims: RopeDims, positions: &[u32], cos: &[T], sin: &[T], sign: T, x: &mut [T]) {
    let RopeDims { rows, stride, heads, head_dim } = dims;
    let half = head_dim / 2;
    threads::for_each_range(
        rows,
        64,
        Rows::new(x, stride),
        #[inline(always)]
        |range, x| {
            for (x, &position) in x.iter().zip(&positions[range]) {
                let angle = position as usize * half;
                let (cos, sin) = (&cos[angle..][..half], &sin[angle..][..half]);
                for head in x[..heads * head_dim].chunks_exact_mut(head_dim) {
                    let (a, b) = head.split_at_mut(half);
                    for ((a, b), (&cos, &sin)) in a.iter_mut().zip(b).zip(cos.iter().zip(sin)) {
                        let sin = sign * sin;
                        (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                    }
                }
            }
        },
    );
}
