use aprm_core::backend::{Backend, NormDims};
use aprm_core::scalar::Scalar;
use num_traits::float::FloatCore;

use super::Rig;
use super::operands::{Operand, Operands};
use super::rig::{reference, rounded};
use crate::Failure;
use crate::naive::{rms_norm, wide_norm};

/// Rows, stride, offset, groups, channels.
const SHAPES: [(usize, usize, usize, usize, usize); 9] = [
    (0, 4, 0, 1, 4),
    (1, 1, 0, 1, 1),
    (2, 1000, 0, 1, 1000),
    (3, 257, 0, 1, 257),
    (5, 31, 3, 3, 8),
    (33, 64, 0, 1, 64),
    (65, 80, 17, 2, 31),
    (65, 80, 12, 3, 20),
    (127, 7, 0, 3, 2),
];

fn dims<T: Scalar>((rows, stride, offset, groups, channels): (usize, usize, usize, usize, usize)) -> NormDims<T> {
    NormDims { rows, stride, offset, groups, channels, epsilon: T::of(1e-5), accumulate: false }
}

impl<B: Backend> Rig<B> {
    /// Rows of all magnitudes, so that ε matters in some and not in others, with NaN between the groups.
    fn groups(&mut self, dims: NormDims<B::Scalar>) -> Operand<B::Scalar> {
        let mut data = self.numbers(dims.rows * dims.stride, 2.0);
        for (i, x) in data.iter_mut().enumerate() {
            let (row, entry) = (i / dims.stride, i % dims.stride);
            let within = (dims.offset..dims.offset + dims.groups * dims.channels).contains(&entry);
            let scale = B::Scalar::of([1.0, 1e-3, 0.0][row % 3]);
            *x = if within { *x * scale } else { B::Scalar::nan() };
        }
        Operand::rows(dims.stride, data)
    }
}

pub(crate) fn rms_norm_forward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for dims in SHAPES.map(dims::<B::Scalar>) {
        rig.at(dims);
        let NormDims { rows, stride, groups, channels, .. } = dims;
        let x = rig.groups(dims);
        let weight = Operand::shared(rig.numbers(channels, 2.0));
        let outputs = [Operand::overwritten(rows, stride), Operand::overwritten(rows, groups)];
        rig.check(
            rows,
            Operands { inputs: [x, weight], indices: [], outputs },
            |backend, rows, [x, weight], [], [mut out, mut rstd]| {
                backend.rms_norm_forward(NormDims { rows, ..dims }, &x, &weight, &mut out, &mut rstd)?;
                Ok([out, rstd])
            },
            |rows, [x, weight], [], [out, rstd]| {
                rms_norm::forward(wide_norm(NormDims { rows, ..dims }), x, weight, out, rstd);
            },
        )?;
    }
    Ok(())
}

pub(crate) fn rms_norm_backward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for dims in SHAPES.map(dims::<B::Scalar>) {
        for dims in [dims, NormDims { accumulate: true, ..dims }] {
            rig.at(dims);
            let NormDims { rows, stride, groups, channels, accumulate, .. } = dims;
            let x = rig.groups(dims);
            let weight = Operand::shared(rig.numbers(channels, 2.0));
            let outputs = [Operand::overwritten(rows, stride), Operand::overwritten(rows, groups)];
            let forward = Operands { inputs: [x.clone(), weight.clone()], indices: [], outputs };
            let [_, rstd] = reference(&forward, |[x, weight], [], [out, rstd]| {
                rms_norm::forward(wide_norm(dims), x, weight, out, rstd)
            });
            let rstd = Operand::rows(groups, rounded(&rstd));

            let grad_out = rig.groups(dims);
            let grad_x = if accumulate { rig.groups(dims) } else { Operand::overwritten(rows, stride) };
            let grad_weight = Operand::shared(rig.numbers(channels, 2.0));
            rig.check(
                rows,
                Operands { inputs: [x, weight, rstd, grad_out], indices: [], outputs: [grad_x, grad_weight] },
                |backend, rows, [x, weight, rstd, grad_out], [], [mut grad_x, mut grad_weight]| {
                    let dims = NormDims { rows, ..dims };
                    backend.rms_norm_backward(dims, &x, &weight, &rstd, &grad_out, &mut grad_x, &mut grad_weight)?;
                    Ok([grad_x, grad_weight])
                },
                |rows, [x, weight, rstd, grad_out], [], [grad_x, grad_weight]| {
                    let dims = wide_norm(NormDims { rows, ..dims });
                    rms_norm::backward(dims, x, weight, rstd, grad_out, grad_x, grad_weight);
                },
            )?;
        }
    }
    Ok(())
}
