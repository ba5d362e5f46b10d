//! Matrices that lie within a buffer, their rows a stride apart.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, Axis, ShapeBuilder, Slice};

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

/// Some columns of a matrix.
pub(crate) fn columns<'a, T>(matrix: ArrayView2<'a, T>, range: Range<usize>) -> ArrayView2<'a, T> {
    matrix.slice_axis_move(Axis(1), Slice::from(range))
}

/// One row of a matrix.
#[inline(always)]
pub(crate) fn row<'a, T>(matrix: ArrayView2<'a, T>, r: usize) -> &'a [T] {
    matrix.index_axis_move(Axis(0), r).to_slice().expect("the entries of a row are contiguous")
}
