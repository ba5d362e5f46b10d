//! Products of matrices, packed and blocked.
//!
//! An entry is the sum over blocks of the inner dimension, in order, of sums over a block, in order, with fused
//! multiply-add where the processor has it.
//! Blocks begin at multiples of [`DEPTH`], so the bits of an entry depend on its row and its column of the operands alone:
//! not on what stands beside them, nor on how the work is divided.
//! Processors with fused multiply-add and without round differently.

mod microkernel;
mod pack;

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, Axis, Slice};
use pulp::{Simd, WithSimd};

pub(crate) use self::microkernel::{Tile, VECTORS, add_terms, zeros};
use self::pack::{PITCH, Rows, TILES};
use crate::matrix::{columns, matrix, rows};
use crate::real::Real;
use crate::threads::{self, Split, Workspaces};

/// Terms that are summed at a time: two rows of a tile and of a panel of columns stay in the nearest cache.
const DEPTH: usize = 256;
/// Columns that are packed at a time: with [`DEPTH`] terms each they stay in a core's own cache.
const COLUMNS: usize = 512;
/// Rows of the largest tile.
const ROWS: usize = 12;
/// Lanes of the widest register, in `f32`.
const LANES: usize = 16;
/// Entries of a workspace.
const WORKSPACE: usize = DEPTH * COLUMNS + TILES * ROWS * PITCH + ROWS * VECTORS * LANES + LANES;
/// Multiplications below which a second thread does not pay.
const GRAIN: usize = 1 << 18;
/// How many pieces each thread finds: more of them even out, fewer read the operands less often.
const PIECES: usize = 2;
/// Rows of the left operand below which its columns fill the lanes in the place of the right one's.
const FEW: usize = 128;

struct Part<'a, T> {
    c: ArrayViewMut2<'a, T>,
    axis: Axis,
}

impl<T: Send> Split for Part<'_, T> {
    fn split(self, mid: usize) -> (Self, Self) {
        let (head, tail) = self.c.split_at(self.axis, mid);
        (Self { c: head, axis: self.axis }, Self { c: tail, axis: self.axis })
    }
}

/// `c ← a b`, or `c ← c + a b` where `accumulate`.
pub(crate) fn gemm<T: Real>(
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    accumulate: bool,
    c: ArrayViewMut2<'_, T>,
    workspaces: &mut Workspaces<T>,
) {
    if a.nrows() < FEW && b.ncols() > a.nrows() && b.stride_of(Axis(0)) == 1 {
        // The right operand is the larger, and its columns can be read as rows without being transposed.
        return gemm_at_hand(b.reversed_axes(), a.reversed_axes(), accumulate, c.reversed_axes(), workspaces);
    }
    gemm_at_hand(a, b, accumulate, c, workspaces);
}

fn gemm_at_hand<T: Real>(
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    accumulate: bool,
    mut c: ArrayViewMut2<'_, T>,
    workspaces: &mut Workspaces<T>,
) {
    if a.ncols() == 0 && !accumulate {
        c.fill(T::zero());
    }
    let workspaces = workspaces.reserve(WORKSPACE);
    let (axis, unit) = if c.nrows() >= c.ncols() { (Axis(0), ROWS) } else { (Axis(1), VECTORS * LANES) };
    let items = c.len_of(axis);
    let per_item = a.ncols() * c.nrows().min(c.ncols());
    let grain = items.div_ceil(PIECES * threads::count()).max(GRAIN / per_item.max(1)).next_multiple_of(unit);
    threads::for_each_range(items, grain, Part { c, axis }, |range, Part { c, .. }| {
        let (a, b) = if axis == Axis(0) { (rows(a, range), b) } else { (a, columns(b, range)) };
        workspaces.with(|workspace| pulp::Arch::new().dispatch(Product { a, b, accumulate, c, workspace }));
    });
}

/// A piece of a product for one thread.
struct Product<'a, T> {
    a: ArrayView2<'a, T>,
    b: ArrayView2<'a, T>,
    accumulate: bool,
    c: ArrayViewMut2<'a, T>,
    workspace: &'a mut [T],
}

impl<T: Real> WithSimd for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::IS_SCALAR {
            // Every processor of note has registers of four `f32`, which the compiler finds.
            self.multiply::<_, 4>(pulp::Scalar128b);
        } else if S::REGISTER_COUNT >= 32 {
            self.multiply::<_, ROWS>(simd);
        } else {
            self.multiply::<_, 6>(simd);
        }
    }
}

impl<T: Real> Product<'_, T> {
    #[inline(always)]
    fn multiply<S: Simd, const R: usize>(self, simd: S) {
        let Self { a, b, accumulate, mut c, workspace } = self;
        let ((m, depth), n, width) = (a.dim(), b.ncols(), VECTORS * T::count::<S>());
        let aligned = workspace.as_ptr().align_offset(size_of::<T>() * LANES).min(LANES);
        let (panels, workspace) = workspace[aligned..].split_at_mut(DEPTH * COLUMNS);
        let (packed_rows, edge) = workspace.split_at_mut(TILES * ROWS * PITCH);
        for first_column in (0..n).step_by(COLUMNS) {
            let block = first_column..n.min(first_column + COLUMNS);
            for first_term in (0..depth).step_by(DEPTH) {
                let terms = first_term..depth.min(first_term + DEPTH);
                let panel_len = width * terms.len();
                for (first, panel) in block.clone().step_by(width).zip(panels.chunks_exact_mut(panel_len)) {
                    let b = columns(rows(b, terms.clone()), first..block.end.min(first + width));
                    pack::panel(b, width, panel);
                }
                for first_row in (0..m).step_by(TILES * R) {
                    let group = first_row..m.min(first_row + TILES * R);
                    let a = Rows::<T, R>::pack(columns(rows(a, group.clone()), terms.clone()), packed_rows);
                    for (index, first_row) in group.clone().step_by(R).enumerate() {
                        let range = first_row..group.end.min(first_row + R);
                        for (first, panel) in block.clone().step_by(width).zip(panels.chunks_exact(panel_len)) {
                            let sums = product(simd, terms.len(), &a, index, panel);
                            let columns = first..block.end.min(first + width);
                            store(simd, sums, accumulate || first_term > 0, range.clone(), columns, &mut c, edge);
                        }
                    }
                }
            }
        }
    }
}

/// A tile of packed operands.
#[inline(always)]
fn product<T: Real, S: Simd, const R: usize>(
    simd: S,
    depth: usize,
    a: &Rows<'_, T, R>,
    index: usize,
    panel: &[T],
) -> Tile<T, S, R, VECTORS> {
    let panel = T::lanes::<S>(panel).as_chunks::<VECTORS>().0;
    let mut sums = zeros::<T, S, R, VECTORS>(simd);
    match a {
        Rows::AlongTerms(a) => {
            let a: &[[T; PITCH]; R] = a[index * R..].first_chunk().expect("a tile has R rows");
            let panel = &panel[..depth.min(DEPTH)];
            add_terms(
                simd,
                &mut sums,
                0..panel.len(),
                #[inline(always)]
                |r, k| a[r][k],
                #[inline(always)]
                |k| panel[k],
            );
        }
        Rows::AlongRows(a) => {
            let (a, panel) = (&a[index * depth..][..depth], &panel[..depth]);
            add_terms(
                simd,
                &mut sums,
                0..depth,
                #[inline(always)]
                |r, k| a[k][r],
                #[inline(always)]
                |k| panel[k],
            );
        }
    }
    sums
}

/// Writes a tile, or what of it lies within the matrix.
#[inline(always)]
fn store<T: Real, S: Simd, const R: usize>(
    simd: S,
    sums: Tile<T, S, R, VECTORS>,
    accumulate: bool,
    rows: Range<usize>,
    columns: Range<usize>,
    c: &mut ArrayViewMut2<'_, T>,
    edge: &mut [T],
) {
    let width = VECTORS * T::count::<S>();
    let mut c = c.slice_axis_mut(Axis(0), Slice::from(rows));
    let mut c = c.slice_axis_mut(Axis(1), Slice::from(columns));
    if c.ncols() == width && c.stride_of(Axis(1)) == 1 {
        for (mut c, sums) in c.rows_mut().into_iter().zip(sums) {
            let c = T::lanes_mut::<S>(c.as_slice_mut().expect("the entries of a row are contiguous"));
            for (c, sum) in c.iter_mut().zip(sums) {
                *c = if accumulate { T::plus(simd, *c, sum) } else { sum };
            }
        }
        return;
    }
    let edge = &mut edge[..R * width];
    T::lanes_mut::<S>(edge).copy_from_slice(sums.as_flattened());
    let edge = matrix(edge, c.nrows(), c.ncols(), width);
    if accumulate {
        c += &edge;
    } else {
        c.assign(&edge);
    }
}
