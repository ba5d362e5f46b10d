use aprm_core::backend::{Backend, RopeDims};
use aprm_core::scalar::Scalar;

use super::Rig;
use super::operands::{Operand, Operands};
use crate::naive::rope;
use crate::{Bounded, Failure};

/// Rows, stride, heads, head_dim.
const SHAPES: [(usize, usize, usize, usize); 7] =
    [(0, 2, 1, 2), (1, 2, 1, 2), (3, 17, 3, 4), (7, 64, 1, 64), (33, 250, 3, 80), (65, 9, 2, 4), (127, 6, 3, 2)];
const POSITIONS: usize = 131;

pub(crate) fn rope_forward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    rope(rig, B::rope_forward, rope::forward)
}

pub(crate) fn rope_backward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    rope(rig, B::rope_backward, rope::backward)
}

type Device<B> = fn(
    &mut B,
    RopeDims,
    &<B as Backend>::Indices,
    &<B as Backend>::Buffer,
    &<B as Backend>::Buffer,
    &mut <B as Backend>::Buffer,
) -> Result<(), <B as Backend>::Error>;

type Reference<T> = fn(RopeDims, &[u32], &[Bounded<T>], &[Bounded<T>], &mut [Bounded<T>]);

fn rope<B: Backend>(rig: &mut Rig<B>, device: Device<B>, reference: Reference<B::Scalar>) -> Result<(), Failure> {
    for (rows, stride, heads, head_dim) in SHAPES {
        let dims = |rows| RopeDims { rows, stride, heads, head_dim };
        rig.at(dims(rows));
        let angles = rig.numbers(POSITIONS * head_dim / 2, 3.0);
        let cos = Operand::shared(angles.iter().map(|angle| angle.cos()).collect());
        let sin = Operand::shared(angles.iter().map(|&angle| (angle - B::Scalar::of(1.5)).cos()).collect());
        let positions = Operand::rows(1, rig.indices(rows, POSITIONS));
        let x = Operand::rows(stride, rig.numbers(rows * stride, 2.0));
        rig.check(
            rows,
            Operands { inputs: [cos, sin], indices: [positions], outputs: [x] },
            |backend, rows, [cos, sin], [positions], [mut x]| {
                device(backend, dims(rows), &positions, &cos, &sin, &mut x)?;
                Ok([x])
            },
            |rows, [cos, sin], [positions], [x]| reference(dims(rows), positions, cos, sin, x),
        )?;
    }
    Ok(())
}
