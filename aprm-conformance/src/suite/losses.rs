use aprm_core::backend::{Backend, ClassDims};
use aprm_core::ppo::ClipRange;
use aprm_core::scalar::Scalar;
use num_traits::float::FloatCore;
use num_traits::{One, Zero};

use super::operands::{Operand, Operands};
use super::{LENGTHS, Rig};
use crate::Failure;
use crate::naive::losses;

/// Ratios on both sides of both ends of the range, none of them so near to an end that rounding decides; of exactly one, too
/// large to be followed, and of zero.
pub(crate) fn clipped_surrogate<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    const LOG_RATIOS: [f64; 9] = [0.0, 0.1, -0.1, 0.25, -0.25, 1.5, -1.5, 25.0, -200.0];
    for (low, high) in [(0.2, 0.2), (0.2, 0.28), (0.0, 0.0), (1.0, f64::INFINITY)] {
        for tokens in LENGTHS {
            rig.at((tokens, low, high));
            let of = B::Scalar::of;
            let clip_range = ClipRange { low: of(low), high: of(high) };
            let log_prob: Vec<_> = rig.numbers(tokens, 2.0).into_iter().map(|x| x - of(2.0)).collect();
            let shifts = LOG_RATIOS.into_iter().cycle();
            let old_log_prob = log_prob.iter().zip(shifts).map(|(&log_prob, shift)| log_prob - of(shift)).collect();
            let inputs = [log_prob, old_log_prob, rig.numbers(tokens, 2.0)].map(|data| Operand::rows(1, data));
            rig.check(
                tokens,
                Operands { inputs, indices: [], outputs: [Operand::overwritten(tokens, 1)] },
                |backend, tokens, [log_prob, old_log_prob, advantages], [], [mut grad]| {
                    backend.clipped_surrogate(tokens, clip_range, &log_prob, &old_log_prob, &advantages, &mut grad)?;
                    Ok([grad])
                },
                |tokens, [log_prob, old_log_prob, advantages], [], [grad]| {
                    let clip_range = ClipRange { low, high };
                    losses::clipped_surrogate(tokens, clip_range, log_prob, old_log_prob, advantages, grad);
                },
            )?;
        }
    }
    Ok(())
}

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
