//! Rows of a table by their indices.

use aprm_core::backend::RowDims;
use aprm_core::scalar::Scalar;
use ndarray::{ArrayViewMut2, Axis};

use crate::lanes;
use crate::threads::{self, Rows, Split};

/// Entries that one thread copies at least.
const GRAIN: usize = 1 << 16;

pub(crate) fn forward<T: Scalar>(dims: RowDims, table: &[T], indices: &[u32], out: &mut [T]) {
    let RowDims { rows, channels, .. } = dims;
    threads::for_each_range(
        rows,
        GRAIN / channels.max(1),
        Rows::new(out, channels),
        #[inline(always)]
        |range, out| {
            for (out, &index) in out.iter().zip(&indices[range]) {
                out.copy_from_slice(&table[index as usize * channels..][..channels]);
            }
        },
    );
}

/// A range of channels of every row of a table.
struct Channels<'a, T>(ArrayViewMut2<'a, T>);

impl<T: Send> Split for Channels<'_, T> {
    fn split(self, mid: usize) -> (Self, Self) {
        let (head, tail) = self.0.split_at(Axis(1), mid);
        (Self(head), Self(tail))
    }
}

pub(crate) fn backward<T: Scalar>(dims: RowDims, grad_out: &[T], indices: &[u32], grad_table: &mut [T]) {
    let RowDims { rows, table_rows, channels } = dims;
    let grad_table =
        ArrayViewMut2::from_shape((table_rows, channels), grad_table).expect("the buffer is as long as the table");
    // Each thread takes all rows in their order, but a part of the channels only.
    let grain = (GRAIN / rows.max(1)).next_multiple_of(32);
    threads::for_each_range(
        channels,
        grain,
        Channels(grad_table),
        #[inline(always)]
        |range, Channels(mut grad_table)| {
            for (grad_out, &index) in grad_out.chunks_exact(channels).zip(indices) {
                let mut grad_row = grad_table.row_mut(index as usize);
                let grad_row = grad_row.as_slice_mut().expect("the channels of a row are contiguous");
                lanes::axpy(T::one(), &grad_out[range.clone()], grad_row);
            }
        },
    );
}
