//! A tile of a product, summed in registers.

use std::ops::Range;

use pulp::Simd;

use crate::real::Real;

/// Registers in a row of a tile.
pub(crate) const VECTORS: usize = 2;

/// R rows of a tile.
pub(crate) type Tile<T, S, const R: usize, const V: usize> = [[<T as Real>::Lanes<S>; V]; R];

/// A tile to begin with.
#[inline(always)]
pub(crate) fn zeros<T: Real, S: Simd, const R: usize, const V: usize>(simd: S) -> Tile<T, S, R, V> {
    [[T::splat(simd, T::zero()); V]; R]
}

/// `sums_r ← sums_r + Σ_k a(r, k) b(k)` in the order of k, for R rows r and V registers of columns.
#[inline(always)]
pub(crate) fn add_terms<T: Real, S: Simd, const R: usize, const V: usize>(
    simd: S,
    sums: &mut Tile<T, S, R, V>,
    terms: Range<usize>,
    a: impl Fn(usize, usize) -> T,
    b: impl Fn(usize) -> [T::Lanes<S>; V],
) {
    for k in terms {
        let b = b(k);
        for (r, sums) in sums.iter_mut().enumerate() {
            let a = T::splat(simd, a(r, k));
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = T::mul_add(simd, a, b, *sum);
            }
        }
    }
}
