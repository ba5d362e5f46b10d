use aprm_core::backend::{Backend, ClassDims};
use num_traits::float::FloatCore;
use num_traits::{One, Zero};

use super::operands::{Operand, Operands};
use super::{LENGTHS, Rig};
use crate::Failure;
use crate::naive::losses;

pub(crate) fn soft_cross_entropy<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    const CLASSES: [usize; 12] = [2, 2, 1, 5, 2, 33, 3, 2, 17, 2, 1, 2];
    let shapes = LENGTHS.into_iter().zip(CLASSES);
    for ((rows, classes), scale) in shapes.flat_map(|shape| [(shape, 3.0), (shape, 1e4)]) {
        let dims = |rows| ClassDims { rows, classes };
        rig.at((dims(rows), scale));
        let logits = Operand::rows(classes, rig.numbers(rows * classes, scale));
        let mut labels: Vec<_> = rig.numbers(rows * classes, 1.0).into_iter().map(|label| label.abs()).collect();
        for row in labels.chunks_mut(2 * classes) {
            row[..classes].fill(B::Scalar::zero());
            row[0] = B::Scalar::one();
        }
        let weights = Operand::rows(1, rig.numbers(rows, 2.0));
        let inputs = [logits, Operand::rows(classes, labels), weights];
        let outputs = [Operand::overwritten(rows, 1), Operand::overwritten(rows, classes)];
        rig.check(
            rows,
            Operands { inputs, indices: [], outputs },
            |backend, rows, [logits, labels, weights], [], [mut loss, mut grad]| {
                backend.soft_cross_entropy(dims(rows), &logits, &labels, &weights, &mut loss, &mut grad)?;
                Ok([loss, grad])
            },
            |rows, [logits, labels, weights], [], [loss, grad]| {
                losses::soft_cross_entropy(dims(rows), logits, labels, weights, loss, grad);
            },
        )?;
    }
    Ok(())
}

pub(crate) fn squared_error<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for rows in LENGTHS {
        rig.at(rows);
        let inputs = [(); 3].map(|()| Operand::rows(1, rig.numbers(rows, 2.0)));
        let outputs = [Operand::overwritten(rows, 1), Operand::overwritten(rows, 1)];
        rig.check(
            rows,
            Operands { inputs, indices: [], outputs },
            |backend, rows, [predictions, targets, weights], [], [mut loss, mut grad]| {
                backend.squared_error(rows, &predictions, &targets, &weights, &mut loss, &mut grad)?;
                Ok([loss, grad])
            },
            |rows, [predictions, targets, weights], [], [loss, grad]| {
                losses::squared_error(rows, predictions, targets, weights, loss, grad);
            },
        )?;
    }
    Ok(())
}
