use aprm_core::backend::{Backend, LinearDims};

use super::Rig;
use super::operands::{Operand, Operands};
use crate::Failure;
use crate::naive::linear;

/// Rows, inputs, outputs.
const SHAPES: [(usize, usize, usize); 11] = [
    (0, 3, 5),
    (1, 1, 1),
    (1, 257, 65),
    (2, 1000, 17),
    (3, 31, 33),
    (8, 16, 64),
    (16, 15, 9),
    (33, 64, 63),
    (65, 127, 2),
    (127, 65, 7),
    (257, 8, 31),
];

/// Each shape, overwriting and adding, with a bias and without.
pub(super) fn cases() -> impl Iterator<Item = (LinearDims, bool)> {
    SHAPES.into_iter().flat_map(|(rows, inputs, outputs)| {
        let dims = |accumulate| LinearDims { rows, inputs, outputs, accumulate };
        [(dims(false), false), (dims(false), true), (dims(true), false), (dims(true), true)]
    })
}

impl<B: Backend> Rig<B> {
    fn linear_output(&mut self, accumulate: bool, rows: usize, width: usize) -> Operand<B::Scalar> {
        if accumulate {
            Operand::rows(width, self.numbers(rows * width, 2.0))
        } else {
            Operand::overwritten(rows, width)
        }
    }
}

pub(crate) fn linear_forward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (dims, biased) in cases() {
        rig.at((dims, biased));
        let LinearDims { rows, inputs, outputs, accumulate } = dims;
        let x = Operand::rows(inputs, rig.numbers(rows * inputs, 2.0));
        let weight = Operand::shared(rig.numbers(outputs * inputs, 1.0));
        let bias = Operand::shared(rig.numbers(outputs, 1.0));
        let out = rig.linear_output(accumulate, rows, outputs);
        rig.check(
            rows,
            Operands { inputs: [x, weight, bias], indices: [], outputs: [out] },
            |backend, rows, [x, weight, bias], [], [mut out]| {
                let bias = biased.then_some(&bias);
                backend.linear_forward(LinearDims { rows, ..dims }, &x, &weight, bias, &mut out)?;
                Ok([out])
            },
            |rows, [x, weight, bias], [], [out]| {
                linear::forward(LinearDims { rows, ..dims }, x, weight, biased.then_some(bias), out);
            },
        )?;
    }
    Ok(())
}

pub(crate) fn linear_backward_input<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (dims, _) in cases().filter(|(_, biased)| !biased) {
        rig.at(dims);
        let LinearDims { rows, inputs, outputs, accumulate } = dims;
        let grad_out = Operand::rows(outputs, rig.numbers(rows * outputs, 2.0));
        let weight = Operand::shared(rig.numbers(outputs * inputs, 1.0));
        let grad_x = rig.linear_output(accumulate, rows, inputs);
        rig.check(
            rows,
            Operands { inputs: [grad_out, weight], indices: [], outputs: [grad_x] },
            |backend, rows, [grad_out, weight], [], [mut grad_x]| {
                backend.linear_backward_input(LinearDims { rows, ..dims }, &grad_out, &weight, &mut grad_x)?;
                Ok([grad_x])
            },
            |rows, [grad_out, weight], [], [grad_x]| {
                linear::backward_input(LinearDims { rows, ..dims }, grad_out, weight, grad_x);
            },
        )?;
    }
    Ok(())
}

pub(crate) fn linear_backward_weight<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (dims, biased) in cases() {
        rig.at((dims, biased));
        let LinearDims { rows, inputs, outputs, .. } = dims;
        let x = Operand::rows(inputs, rig.numbers(rows * inputs, 2.0));
        let grad_out = Operand::rows(outputs, rig.numbers(rows * outputs, 2.0));
        let grad_weight = Operand::shared(rig.numbers(outputs * inputs, 2.0));
        let grad_bias = Operand::shared(rig.numbers(outputs, 2.0));
        rig.check(
            rows,
            Operands { inputs: [x, grad_out], indices: [], outputs: [grad_weight, grad_bias] },
            |backend, rows, [x, grad_out], [], [mut weight, mut bias]| {
                let dims = LinearDims { rows, ..dims };
                backend.linear_backward_weight(dims, &x, &grad_out, &mut weight, biased.then_some(&mut bias))?;
                Ok([weight, bias])
            },
            |rows, [x, grad_out], [], [weight, bias]| {
                linear::backward_weight(LinearDims { rows, ..dims }, x, grad_out, weight, biased.then_some(bias));
            },
        )?;
    }
    Ok(())
}
