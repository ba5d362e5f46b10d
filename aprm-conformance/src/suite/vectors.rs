use aprm_core::backend::Backend;
use aprm_core::optimizer::AdamMoments;
use aprm_core::scalar::Scalar;
use num_traits::float::FloatCore;

use super::operands::{Operand, Operands};
use super::{LENGTHS, Rig};
use crate::naive::vectors;
use crate::{Bounded, Failure, Number};

fn exactly<T: Scalar>(value: T) -> Bounded<T> {
    Bounded::exactly(value.widen())
}

pub(crate) fn fill<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (len, value) in
        LENGTHS.into_iter().flat_map(|len| [0.3, 0.0, f64::NAN].map(|value| (len, B::Scalar::of(value))))
    {
        rig.at((len, value));
        rig.check(
            len,
            Operands { inputs: [], indices: [], outputs: [Operand::overwritten(len, 1)] },
            |backend, len, [], [], [mut x]| {
                backend.fill(len, value, &mut x)?;
                Ok([x])
            },
            |len, [], [], [x]| vectors::fill(len, exactly(value), x),
        )?;
    }
    Ok(())
}

pub(crate) fn copy<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for len in LENGTHS {
        rig.at(len);
        let x = Operand::rows(1, rig.numbers(len, 2.0));
        rig.check(
            len,
            Operands { inputs: [x], indices: [], outputs: [Operand::overwritten(len, 1)] },
            |backend, len, [x], [], [mut y]| {
                backend.copy(len, &x, &mut y)?;
                Ok([y])
            },
            |len, [x], [], [y]| vectors::copy(len, x, y),
        )?;
    }
    Ok(())
}

pub(crate) fn axpy<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (len, alpha) in LENGTHS.into_iter().flat_map(|len| [-0.3, 0.0, 1.0].map(|alpha| (len, B::Scalar::of(alpha)))) {
        rig.at((len, alpha));
        let x = Operand::rows(1, rig.numbers(len, 2.0));
        let y = Operand::rows(1, rig.numbers(len, 2.0));
        rig.check(
            len,
            Operands { inputs: [x], indices: [], outputs: [y] },
            |backend, len, [x], [], [mut y]| {
                backend.axpy(len, alpha, &x, &mut y)?;
                Ok([y])
            },
            |len, [x], [], [y]| vectors::axpy(len, exactly(alpha), x, y),
        )?;
    }
    Ok(())
}

pub(crate) fn scale<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (len, alpha) in LENGTHS.into_iter().flat_map(|len| [-0.3, 0.0, 1.0].map(|alpha| (len, B::Scalar::of(alpha)))) {
        rig.at((len, alpha));
        let x = Operand::rows(1, rig.numbers(len, 2.0));
        rig.check(
            len,
            Operands { inputs: [], indices: [], outputs: [x] },
            |backend, len, [], [], [mut x]| {
                backend.scale(len, alpha, &mut x)?;
                Ok([x])
            },
            |len, [], [], [x]| vectors::scale(len, exactly(alpha), x),
        )?;
    }
    Ok(())
}

pub(crate) fn sum_of_squares<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for len in LENGTHS.into_iter().chain([10_007]) {
        rig.at(len);
        let x = Operand::rows(1, rig.numbers(len, 2.0));
        rig.check(
            len,
            Operands { inputs: [x], indices: [], outputs: [Operand::shared(vec![B::Scalar::of(3.5)])] },
            |backend, len, [x], [], [mut total]| {
                backend.sum_of_squares(len, &x, &mut total)?;
                Ok([total])
            },
            |len, [x], [], [total]| vectors::sum_of_squares(len, x, total),
        )?;
    }
    Ok(())
}

pub(crate) fn clip<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    let max_norm = B::Scalar::of(1.5);
    for len in LENGTHS {
        for squared_norm in [0.0, 1.0, 2.0, 1e6, f64::INFINITY, f64::NAN] {
            rig.at((len, max_norm, squared_norm));
            let x = Operand::rows(1, rig.numbers(len, 2.0));
            let squared_norm = Operand::shared(vec![B::Scalar::of(squared_norm)]);
            rig.check(
                len,
                Operands { inputs: [squared_norm], indices: [], outputs: [x] },
                |backend, len, [squared_norm], [], [mut x]| {
                    backend.clip(len, max_norm, &squared_norm, &mut x)?;
                    Ok([x])
                },
                |len, [squared_norm], [], [x]| vectors::clip(len, exactly(max_norm), squared_norm, x),
            )?;
        }
    }
    Ok(())
}

pub(crate) fn adam_direction<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    for (len, steps) in LENGTHS.into_iter().flat_map(|len| [(len, 1), (len, 7)]) {
        rig.at((len, steps));
        let moments = AdamMoments {
            beta1: B::Scalar::of(0.9),
            beta2: B::Scalar::of(0.999),
            first_correction: B::Scalar::of(1.0 - 0.9_f64.powi(steps)),
            second_correction: B::Scalar::of(1.0 - 0.999_f64.powi(steps)),
            epsilon: B::Scalar::of(1e-3),
        };
        let begun = if steps == 1 { 0.0 } else { 1.0 };
        let gradient = Operand::rows(1, rig.numbers(len, 2.0));
        let m = rig.numbers(len, 1.0).into_iter().map(|m| m * B::Scalar::of(begun)).collect();
        let v = rig.numbers(len, 1.0).into_iter().map(|v| v.abs() * B::Scalar::of(begun)).collect();
        let outputs = [Operand::rows(1, m), Operand::rows(1, v), Operand::overwritten(len, 1)];
        rig.check(
            len,
            Operands { inputs: [gradient], indices: [], outputs },
            |backend, len, [gradient], [], [mut m, mut v, mut direction]| {
                backend.adam_direction(len, moments, &gradient, &mut m, &mut v, &mut direction)?;
                Ok([m, v, direction])
            },
            |len, [gradient], [], [m, v, direction]| {
                let moments = AdamMoments {
                    beta1: exactly(moments.beta1),
                    beta2: exactly(moments.beta2),
                    first_correction: exactly(moments.first_correction),
                    second_correction: exactly(moments.second_correction),
                    epsilon: exactly(moments.epsilon),
                };
                vectors::adam_direction(len, moments, gradient, m, v, direction);
            },
        )?;
    }
    Ok(())
}
