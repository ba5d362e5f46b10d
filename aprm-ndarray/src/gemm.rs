//! Products of matrices.
//!
//! An entry is summed over the inner dimension in an order of its own, so it does not depend on what stands beside it,
//! nor on how the work is divided.

use std::ops::Range;

use aprm_core::scalar::Scalar;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, ShapeBuilder, Slice};

use crate::threads::{self, Split};

/// Multiplications below which a second thread does not pay.
const GRAIN: usize = 1 << 18;
/// How many pieces each thread finds: more of them even out, fewer read the operands less often.
const PIECES: usize = 2;

/// `[rows, columns]` of entries whose rows are `stride` apart.
pub(crate) fn matrix<T>(entries: &[T], rows: usize, columns: usize, stride: usize) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((rows, columns).strides(strides(rows, columns, stride)), entries)
        .expect("a matrix lies within its buffer")
}

/// The same, to write to.
pub(crate) fn matrix_mut<T>(entries: &mut [T], rows: usize, columns: usize, stride: usize) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((rows, columns).strides(strides(rows, columns, stride)), entries)
        .expect("a matrix lies within its buffer")
}

/// Without entries strides must not lead anywhere.
fn strides(rows: usize, columns: usize, stride: usize) -> (usize, usize) {
    if rows * columns == 0 { (0, 0) } else { (stride, 1) }
}

/// Some rows of a matrix.
pub(crate) fn rows<'a, T>(matrix: ArrayView2<'a, T>, range: Range<usize>) -> ArrayView2<'a, T> {
    matrix.slice_axis_move(Axis(0), Slice::from(range))
}

/// The same, to write to.
pub(crate) fn rows_mut<'a, T>(matrix: &'a mut ArrayViewMut2<'_, T>, range: Range<usize>) -> ArrayViewMut2<'a, T> {
    matrix.slice_axis_mut(Axis(0), Slice::from(range))
}

/// One row of a matrix.
#[inline(always)]
pub(crate) fn row<'a, T>(matrix: ArrayView2<'a, T>, r: usize) -> &'a [T] {
    matrix.index_axis_move(Axis(0), r).to_slice().expect("the entries of a row are contiguous")
}

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

/// `c ← a b + β c`.
pub(crate) fn gemm<T: Scalar>(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>, beta: T, c: ArrayViewMut2<'_, T>) {
    let axis = if c.nrows() >= c.ncols() { Axis(0) } else { Axis(1) };
    let items = c.len_of(axis);
    let per_item = a.ncols() * c.nrows().min(c.ncols());
    let grain = items.div_ceil(PIECES * threads::count()).max(GRAIN / per_item.max(1)).next_multiple_of(16);
    threads::for_each_range(items, grain, Part { c, axis }, |range, Part { mut c, .. }| {
        if axis == Axis(0) {
            general_mat_mul(T::one(), &rows(a, range), &b, beta, &mut c);
        } else {
            general_mat_mul(T::one(), &a, &b.slice_axis(axis, Slice::from(range)), beta, &mut c);
        }
    });
}
