//! Small products that stay in registers.
//!
//! An entry is summed in the order of the terms, so its bits do not depend on the size of the tile.
//! Products and sums are rounded apart: a processor without fused multiply-add gives the same bits.

use std::ops::Range;

use aprm_core::scalar::Scalar;

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
