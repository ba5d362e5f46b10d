use aprm_core::backend::{Backend, ClassDims};
use aprm_core::gae::Discounts;
use aprm_core::scalar::Scalar;

use super::operands::{Operand, Operands};
use super::{LENGTHS, Rig};
use crate::Failure;
use crate::naive::advantages;

pub(crate) fn action_advantage<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    const CLASSES: [usize; 12] = [2, 2, 1, 5, 2, 33, 3, 2, 17, 2, 1, 2];
    let shapes = LENGTHS.into_iter().zip(CLASSES);
    for ((rows, classes), scale) in shapes.flat_map(|shape| [(shape, 3.0), (shape, 1e4)]) {
        let dims = |rows| ClassDims { rows, classes };
        rig.at((dims(rows), scale));
        let [logits, values] = [scale, 2.0].map(|scale| Operand::rows(classes, rig.numbers(rows * classes, scale)));
        let actions = Operand::rows(1, rig.indices(rows, classes));
        rig.check(
            rows,
            Operands { inputs: [logits, values], indices: [actions], outputs: [Operand::overwritten(rows, 1)] },
            |backend, rows, [logits, values], [actions], [mut advantages]| {
                backend.action_advantage(dims(rows), &logits, &values, &actions, &mut advantages)?;
                Ok([advantages])
            },
            |rows, [logits, values], [actions], [found]| {
                advantages::action_advantage(dims(rows), logits, values, actions, found);
            },
        )?;
    }
    Ok(())
}

pub(crate) fn gae<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    let lengths = [vec![], vec![0], vec![1], vec![0, 1, 0, 3, 0], vec![5, 1, 131, 2], vec![1; 300]];
    for (lengths, (gamma, gae_lambda)) in
        lengths.iter().flat_map(|lengths| [(0.9, 0.8), (1.0, 0.95), (1.0, 0.0)].map(|discounts| (lengths, discounts)))
    {
        rig.at((lengths, gamma, gae_lambda));
        let rows = lengths.iter().sum();
        let inputs = [(); 2].map(|()| Operand::rows(1, rig.numbers(rows, 2.0)));
        let discounts = Discounts { gamma: B::Scalar::of(gamma), gae_lambda: B::Scalar::of(gae_lambda) };
        rig.check_sequences(
            lengths,
            false,
            Operands { inputs, indices: [], outputs: [Operand::overwritten(rows, 1)] },
            |backend, trajectories, [rewards, values], [mut advantages]| {
                backend.gae(discounts, trajectories, &rewards, &values, &mut advantages)?;
                Ok([advantages])
            },
            |offsets, [rewards, values], [found]| {
                let Discounts { gamma, gae_lambda } = discounts;
                let discounts = Discounts { gamma: gamma.widen(), gae_lambda: gae_lambda.widen() };
                advantages::gae(discounts, offsets, rewards, values, found);
            },
        )?;
    }
    Ok(())
}
