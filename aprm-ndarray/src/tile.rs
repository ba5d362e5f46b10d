//! Small products that stay in registers.
//!
//! An entry is summed in the order of the terms, so its bits do not depend on the size of the tile.
//! Products and sums are rounded apart: a processor without fused multiply-add gives the same bits.

use std::ops::Range;

use aprm_core::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};

use crate::gemm::row;

/// Rows of a tile.
pub(crate) const ROWS: usize = 4;
/// Columns of a tile, where the matrix has a multiple of them.
pub(crate) const COLUMNS: usize = 16;

/// `Σ_k weights_k ⊗ row_k`, where the closure gives term k.
#[inline(always)]
pub(crate) fn product<'a, T: Scalar, const R: usize, const C: usize>(
    terms: Range<usize>,
    term: impl Fn(usize) -> ([T; R], &'a [T; C]),
) -> [[T; C]; R] {
    let mut sums = [[T::zero(); C]; R];
    for k in terms {
        let (weights, row) = term(k);
        for (sums, weight) in sums.iter_mut().zip(weights) {
            for (sum, &x) in sums.iter_mut().zip(row) {
                *sum += weight * x;
            }
        }
    }
    sums
}

/// The tile of a row that begins at a column.
#[inline(always)]
pub(crate) fn columns<T, const C: usize>(row: &[T], first: usize) -> &[T; C] {
    row[first..first + C].try_into().expect("a tile is as wide as a tile")
}

/// `out_{first + r} ← out_{first + r} + Σ_k weights(k)_r x_k`, in tiles as wide as the columns allow.
#[inline(always)]
pub(crate) fn add<T: Scalar, const R: usize>(
    first: usize,
    terms: Range<usize>,
    weights: impl Fn(usize) -> [T; R],
    x: ArrayView2<'_, T>,
    out: &mut ArrayViewMut2<'_, T>,
) {
    if x.ncols() % COLUMNS == 0 {
        add_columns::<T, R, { COLUMNS }>(first, terms, weights, x, out);
    } else if x.ncols() % (COLUMNS / 2) == 0 {
        add_columns::<T, R, { COLUMNS / 2 }>(first, terms, weights, x, out);
    } else {
        add_columns::<T, R, 1>(first, terms, weights, x, out);
    }
}

#[inline(always)]
fn add_columns<T: Scalar, const R: usize, const C: usize>(
    first: usize,
    terms: Range<usize>,
    weights: impl Fn(usize) -> [T; R],
    x: ArrayView2<'_, T>,
    out: &mut ArrayViewMut2<'_, T>,
) {
    for column in (0..x.ncols()).step_by(C) {
        let sums = product::<T, R, C>(
            terms.clone(),
            #[inline(always)]
            |k| (weights(k), columns(row(x, k), column)),
        );
        for (r, sums) in sums.into_iter().enumerate() {
            let mut out = out.row_mut(first + r);
            let out = out.as_slice_mut().expect("the entries of a head are contiguous");
            for (out, sum) in out[column..column + C].iter_mut().zip(sums) {
                *out += sum;
            }
        }
    }
}
