use aprm_core::backend::Backend;
use num_traits::Zero;
use num_traits::float::FloatCore;

use super::operands::{Operand, Operands};
use super::{LENGTHS, Rig};
use crate::Failure;
use crate::naive::relu;

impl<B: Backend> Rig<B> {
    /// Numbers of both signs, every fifth of them exactly zero, where the unit's slope is a choice.
    fn inputs(&mut self, len: usize) -> Vec<B::Scalar> {
        let mut x = self.numbers(len, 2.0);
        x.iter_mut().step_by(5).for_each(|x| *x = B::Scalar::zero());
        x
    }
}

pub(crate) fn relu_forward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for len in LENGTHS {
        rig.at(len);
        let x = Operand::rows(1, rig.inputs(len));
        rig.check(
            len,
            Operands { inputs: [], indices: [], outputs: [x] },
            |backend, len, [], [], [mut x]| {
                backend.relu_forward(len, &mut x)?;
                Ok([x])
            },
            |len, [], [], [x]| relu::forward(len, x),
        )?;
    }
    Ok(())
}

pub(crate) fn relu_backward<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for len in LENGTHS {
        rig.at(len);
        // What the forward kernel leaves: positive where the unit is on, zero where it is off.
        let out = rig.inputs(len).into_iter().map(|x| x.abs()).collect();
        let grad = Operand::rows(1, rig.numbers(len, 2.0));
        rig.check(
            len,
            Operands { inputs: [Operand::rows(1, out)], indices: [], outputs: [grad] },
            |backend, len, [out], [], [mut grad]| {
                backend.relu_backward(len, &out, &mut grad)?;
                Ok([grad])
            },
            |len, [out], [], [grad]| relu::backward(len, out, grad),
        )?;
    }
    Ok(())
}
