use aprm_core::backend::{Backend, SwigluDims};
use aprm_core::scalar::Scalar;

use super::operands::{Operand, Operands};
use super::{Rig, SHAPES};
use crate::Failure;
use crate::naive::swiglu;

impl<B: Backend> Rig<B> {
    /// Gates and ups, with gates whose exponential overflows in `f32`.
    fn gate_up(&mut self, rows: usize, channels: usize) -> Operand<B::Scalar> {
        let mut gate_up = self.numbers(rows * 2 * channels, 4.0);
        for row in gate_up.chunks_mut(4 * channels) {
            row[0] *= B::Scalar::of(25.0);
        }
        Operand::rows(2 * channels, gate_up)
    }
}

pub(crate) fn swiglu_forward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (rows, channels) in SHAPES {
        let dims = |rows| SwigluDims { rows, channels };
        rig.at(dims(rows));
        let gate_up = rig.gate_up(rows, channels);
        rig.check(
            rows,
            Operands { inputs: [gate_up], indices: [], outputs: [Operand::overwritten(rows, channels)] },
            |backend, rows, [gate_up], [], [mut out]| {
                backend.swiglu_forward(dims(rows), &gate_up, &mut out)?;
                Ok([out])
            },
            |rows, [gate_up], [], [out]| swiglu::forward(dims(rows), gate_up, out),
        )?;
    }
    Ok(())
}

pub(crate) fn swiglu_backward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (rows, channels) in SHAPES {
        let dims = |rows| SwigluDims { rows, channels };
        rig.at(dims(rows));
        let gate_up = rig.gate_up(rows, channels);
        let grad_out = Operand::rows(channels, rig.numbers(rows * channels, 2.0));
        rig.check(
            rows,
            Operands { inputs: [gate_up, grad_out], indices: [], outputs: [Operand::overwritten(rows, 2 * channels)] },
            |backend, rows, [gate_up, grad_out], [], [mut grad_gate_up]| {
                backend.swiglu_backward(dims(rows), &gate_up, &grad_out, &mut grad_gate_up)?;
                Ok([grad_gate_up])
            },
            |rows, [gate_up, grad_out], [], [grad]| swiglu::backward(dims(rows), gate_up, grad_out, grad),
        )?;
    }
    Ok(())
}
