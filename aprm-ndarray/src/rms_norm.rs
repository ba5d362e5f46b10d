//! Root-mean-square normalisation.

use aprm_core::backend::NormDims;
use aprm_core::scalar::Scalar;

use crate::lanes;
use crate::threads::{self, Rows};

/// Rows whose weight gradients are summed into one partial sum.
const CHUNK: usize = 64;

pub(crate) fn forward<T: Scalar>(dims: NormDims<T>, x: &[T], weight: &[T], out: &mut [T], rstd: &mut [T]) {
    let NormDims { rows, stride, offset, groups, channels, epsilon, .. } = dims;
    let outputs = (Rows::new(out, stride), Rows::new(rstd, groups));
    threads::for_each_range(
        rows,
        CHUNK,
        outputs,
        #[inline(always)]
        |range, (out, rstd)| {
            let x = x[range.start * stride..].chunks(stride);
            for ((x, out), rstd) in x.zip(out.iter()).zip(rstd.iter()) {
                let x = x[offset..].chunks_exact(channels);
                let out = out[offset..].chunks_exact_mut(channels);
                for ((x, out), rstd) in x.zip(out).zip(rstd) {
                    *rstd = T::one() / (lanes::dot(x, x) / T::of_usize(channels) + epsilon).sqrt();
                    for ((out, &x), &weight) in out.iter_mut().zip(x).zip(weight) {
                        *out = x * *rstd * weight;
                    }
                }
            }
        },
    );
}

#[expect(clippy::too_many_arguments, reason = "a backward kernel reads what its forward read and wrote")]
pub(crate) fn backward<T: Scalar>(
    dims: NormDims<T>,
    x: &[T],
    weight: &[T],
    rstd: &[T],
    grad_out: &[T],
    grad_x: &mut [T],
    grad_weight: &mut [T],
    scratch: &mut Vec<T>,
) {
    let NormDims { rows, stride, offset, groups, channels, accumulate, .. } = dims;
    let chunks = rows.div_ceil(CHUNK);
    let partial = threads::grow(scratch, chunks * channels);
    let outputs = (Rows::new(grad_x, CHUNK * stride), Rows::new(partial, channels));
    threads::for_each_range(
        chunks,
        1,
        outputs,
        #[inline(always)]
        |range, (grad_x, grad_weight)| {
            let first = range.start * CHUNK;
            let (x, grad_out) = (x[first * stride..].chunks(stride), grad_out[first * stride..].chunks(stride));
            let mut inputs = x.zip(grad_out).zip(rstd[first * groups..].chunks_exact(groups));
            for (grad_x, grad_weight) in grad_x.iter().zip(grad_weight.iter()) {
                grad_weight.fill(T::zero());
                for (grad_x, ((x, grad_out), rstd)) in grad_x.chunks_mut(stride).zip(&mut inputs) {
                    let (x, grad_out) = (x[offset..].chunks_exact(channels), grad_out[offset..].chunks_exact(channels));
                    let grad_x = grad_x[offset..].chunks_exact_mut(channels);
                    for (((x, grad_out), grad_x), &rstd) in x.zip(grad_out).zip(grad_x).zip(rstd) {
                        let [sum] = lanes::sums([x, grad_out, weight], |[x, grad_out, weight]| [grad_out * weight * x]);
                        let mean = sum * rstd / T::of_usize(channels);
                        let inputs = x.iter().zip(grad_out).zip(weight);
                        for ((grad_x, grad_weight), ((&x, &grad_out), &weight)) in
                            grad_x.iter_mut().zip(grad_weight.iter_mut()).zip(inputs)
                        {
                            let normalised = x * rstd;
                            let grad = rstd * (grad_out * weight - normalised * mean);
                            *grad_x = if accumulate { *grad_x + grad } else { grad };
                            *grad_weight += grad_out * normalised;
                        }
                    }
                }
            }
        },
    );
    for partial in partial.chunks_exact(channels.max(1)) {
        lanes::axpy(T::one(), partial, grad_weight);
    }
}
