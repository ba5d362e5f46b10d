//! Linear maps of rows.

use aprm_core::backend::LinearDims;

use crate::gemm::gemm;
use crate::lanes;
use crate::matrix::{matrix, matrix_mut};
use crate::real::Real;
use crate::threads::{self, Rows, Workspaces};

/// Rows whose bias gradients are summed into one partial sum.
const CHUNK: usize = 128;

pub(crate) fn forward<T: Real>(
    dims: LinearDims,
    x: &[T],
    weight: &[T],
    bias: Option<&[T]>,
    out: &mut [T],
    packed: &mut Workspaces<T>,
) {
    let LinearDims { rows, inputs, outputs, accumulate } = dims;
    if let Some(bias) = bias {
        let grain = (1 << 15) / outputs.max(1);
        threads::for_each_range(
            rows,
            grain,
            Rows::new(out, outputs),
            #[inline(always)]
            |_, out| {
                for out in out.iter() {
                    if accumulate {
                        lanes::axpy(T::one(), bias, out);
                    } else {
                        out.copy_from_slice(bias);
                    }
                }
            },
        );
    }
    let accumulate = accumulate || bias.is_some();
    let weight = matrix(weight, outputs, inputs, inputs).reversed_axes();
    gemm(matrix(x, rows, inputs, inputs), weight, accumulate, matrix_mut(out, rows, outputs, outputs), packed);
}

pub(crate) fn backward_input<T: Real>(
    dims: LinearDims,
    grad_out: &[T],
    weight: &[T],
    grad_x: &mut [T],
    packed: &mut Workspaces<T>,
) {
    let LinearDims { rows, inputs, outputs, accumulate } = dims;
    let (grad_out, weight) = (matrix(grad_out, rows, outputs, outputs), matrix(weight, outputs, inputs, inputs));
    gemm(grad_out, weight, accumulate, matrix_mut(grad_x, rows, inputs, inputs), packed);
}

pub(crate) fn backward_weight<T: Real>(
    dims: LinearDims,
    x: &[T],
    grad_out: &[T],
    grad_weight: &mut [T],
    grad_bias: Option<&mut [T]>,
    (scratch, packed): (&mut Vec<T>, &mut Workspaces<T>),
) {
    let LinearDims { rows, inputs, outputs, .. } = dims;
    if let Some(grad_bias) = grad_bias {
        let chunks = rows.div_ceil(CHUNK);
        let partial = threads::grow(scratch, chunks * outputs);
        threads::for_each_range(
            chunks,
            1,
            Rows::new(partial, outputs),
            #[inline(always)]
            |range, partial| {
                let first = range.start * CHUNK;
                for (i, partial) in partial.iter().enumerate() {
                    partial.fill(T::zero());
                    let rows = first + i * CHUNK..rows.min(first + (i + 1) * CHUNK);
                    for grad_out in grad_out[rows.start * outputs..rows.end * outputs].chunks_exact(outputs) {
                        lanes::axpy(T::one(), grad_out, partial);
                    }
                }
            },
        );
        for partial in partial.chunks_exact(outputs.max(1)) {
            lanes::axpy(T::one(), partial, grad_bias);
        }
    }
    let grad_out = matrix(grad_out, rows, outputs, outputs).reversed_axes();
    let grad_weight = matrix_mut(grad_weight, outputs, inputs, inputs);
    gemm(grad_out, matrix(x, rows, inputs, inputs), true, grad_weight, packed);
}
