//! What the processor can do.

use std::hint::black_box;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};

/// Multiplications with additions that never leave the registers, and wait for nothing.
struct Fused(usize);

impl WithSimd for Fused {
    type Output = usize;

    /// How many operations that were.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let x = simd.splat_f32s(black_box(0.5));
        let mut sums = [x; 12];
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(*sum, x, x);
            }
        }
        black_box(sums.map(|sum| simd.reduce_sum_f32s(sum)));
        2 * self.0 * sums.len() * S::F32_LANES
    }
}

/// Operations per second of a core in `f32`, the most of some runs.
pub(crate) fn flop_per_second() -> f64 {
    let run = || {
        let begin = Instant::now();
        Arch::new().dispatch(Fused(1 << 16)) as f64 / begin.elapsed().as_secs_f64()
    };
    (0..100).map(|_| run()).fold(0.0, f64::max)
}
