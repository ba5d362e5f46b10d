//! Operands copied into the order in which a tile reads them.

use ndarray::{ArrayView2, Axis};

use super::DEPTH;
use crate::matrix::row;
use crate::real::Real;

/// Entries from one packed row to the next: not a power of two, so that rows do not fall into the same cache lines.
pub(super) const PITCH: usize = DEPTH + 16;

/// Some columns of the right operand: at each k, `width` entries side by side, zeros where there are fewer columns.
#[inline(always)]
pub(super) fn panel<T: Real>(b: ArrayView2<'_, T>, width: usize, panel: &mut [T]) {
    let columns = b.ncols();
    if columns < width {
        panel.fill(T::zero());
    }
    if b.stride_of(Axis(1)) == 1 || columns == 1 {
        for (k, panel) in panel.chunks_exact_mut(width).enumerate() {
            panel[..columns].copy_from_slice(row(b, k));
        }
        return;
    }
    let b = b.reversed_axes();
    for first in (0..b.ncols()).step_by(BLOCK) {
        let panel = &mut panel[first * width..];
        for j in 0..columns {
            let entries = &row(b, j)[first..];
            for (panel, &x) in panel.chunks_exact_mut(width).zip(&entries[..entries.len().min(BLOCK)]) {
                panel[j] = x;
            }
        }
    }
}

/// Terms that are transposed together.
const BLOCK: usize = 16;

/// Tiles' worth of rows that are packed together: what is side by side in memory is read together.
pub(super) const TILES: usize = 4;

/// Rows of the left operand, R to a tile, in the order in which they stand in memory.
pub(super) enum Rows<'a, T, const R: usize> {
    /// Row by row.
    AlongTerms(&'a [[T; PITCH]]),
    /// Tile by tile, and term by term within it.
    AlongRows(&'a [[T; R]]),
}

impl<'a, T: Real, const R: usize> Rows<'a, T, R> {
    /// Copies the rows of at most [`TILES`] tiles; missing rows of the last hold what they did.
    #[inline(always)]
    pub(super) fn pack(a: ArrayView2<'_, T>, buffer: &'a mut [T]) -> Self {
        let depth = a.ncols();
        if a.stride_of(Axis(1)) == 1 || depth == 1 {
            let packed = buffer.as_chunks_mut().0;
            for (r, packed) in packed.iter_mut().enumerate().take(a.nrows()) {
                packed[..depth].copy_from_slice(row(a, r));
            }
            return Self::AlongTerms(packed);
        }
        let packed = buffer.as_chunks_mut().0;
        let a = a.reversed_axes();
        for k in 0..depth {
            let (tiles, rest) = row(a, k).as_chunks::<R>();
            for (t, tile) in tiles.iter().enumerate() {
                packed[t * depth + k] = *tile;
            }
            if !rest.is_empty() {
                packed[tiles.len() * depth + k][..rest.len()].copy_from_slice(rest);
            }
        }
        Self::AlongRows(packed)
    }
}
