use aprm_core::backend::{Backend, LinearDims, RowDims};
use aprm_core::scalar::Scalar;
use half::bf16;
use num_traits::float::FloatCore;

use super::linear::cases;
use super::{LENGTHS, Rig, SHAPES};
use crate::{Failure, Law};

/// Ties to either side, what rounds up to the next power of two and to infinity, a NaN that rounds to zero as if it
/// were a number, and the smallest numbers.
const BITS: [u32; 14] = [
    0x3f80_8000,
    0x3f81_8000,
    0xbf80_8001,
    0x3f80_7fff,
    0x3fff_ffff,
    0x7f7f_ffff,
    0xff7f_7fff,
    0x7f80_0000,
    0x7fff_ffff,
    0x7fc0_0000,
    0x8000_0000,
    0x0000_8000,
    0x8000_8001,
    0x0001_0000,
];

/// Weights of two bytes are the rounded numbers, wherever they are read; a backend without them passes.
pub(crate) fn allocate_bf16<B: Backend>(rig: &mut Rig<B>) -> Result<(), Failure> {
    rig.at("no entries");
    let buffer = rig.backend.allocate_bf16(&[]);
    if rig.succeed(buffer)?.is_none() {
        return Ok(());
    }
    for len in LENGTHS {
        rig.at(len);
        let source = weights(rig, len);
        let (buffer, expected) = rounded(rig, &source)?;
        for (start, end) in [(0, len), (len / 3, len / 2), (len / 2, len)] {
            let mut data = vec![B::Scalar::nan(); end - start];
            let read = rig.backend.read(&buffer, start, &mut data);
            rig.succeed(read)?;
            rig.same_bits(Law::Agrees, 0, start, &data, &expected[start..end])?;
        }
    }
    for (table_rows, channels) in SHAPES.into_iter().filter(|&(table_rows, _)| table_rows > 0) {
        gathered(rig, RowDims { rows: table_rows + 3, table_rows, channels })?;
    }
    cases().try_for_each(|(dims, is_biased)| products(rig, dims, is_biased))
}

fn weights<B: Backend>(rig: &mut Rig<B>, len: usize) -> Vec<B::Scalar> {
    let ordinary = rig.numbers(len, 2.0);
    // Of f32's numbers, so that no backend rounds twice.
    let ordinary = ordinary.into_iter().map(|number| number.widen() as f32);
    let special = BITS.into_iter().map(f32::from_bits).cycle();
    let either = ordinary.zip(special).enumerate().map(|(i, (n, special))| if i % 3 == 1 { special } else { n });
    either.map(|number| B::Scalar::of(number.into())).collect()
}

/// The weights in two bytes each, and what they are then.
fn rounded<B: Backend>(rig: &mut Rig<B>, source: &[B::Scalar]) -> Result<(B::Buffer, Vec<B::Scalar>), Failure> {
    let buffer = rig.backend.allocate_bf16(source);
    let buffer = rig.succeed(buffer)?;
    let Some(buffer) = buffer else {
        return Err(rig.failure(Law::Succeeds, 0, 0, f64::NAN, f64::NAN));
    };
    let nearest = |number: &B::Scalar| B::Scalar::of(bf16::from_f32(number.widen() as f32).to_f64());
    Ok((buffer, source.iter().map(nearest).collect()))
}

/// A table in two bytes each gives its rows, the last of an odd number of entries too.
fn gathered<B: Backend>(rig: &mut Rig<B>, dims: RowDims) -> Result<(), Failure> {
    rig.at(dims);
    let RowDims { rows, table_rows, channels } = dims;
    let source = weights(rig, table_rows * channels);
    let (table, expected) = rounded(rig, &source)?;
    let mut indices = rig.indices(rows, table_rows);
    indices[0] = table_rows as u32 - 1;
    let on_device = rig.upload_indices(&indices)?;
    let mut out = rig.upload_output(&vec![B::Scalar::nan(); rows * channels])?;
    let done = rig.backend.gather_rows_forward(dims, &table, &on_device, &mut out);
    rig.succeed(done)?;
    let out = rig.download(0, &out, rows * channels)?;
    let row = |&index: &u32| &expected[index as usize * channels..][..channels];
    let expected: Vec<B::Scalar> = indices.iter().flat_map(row).copied().collect();
    rig.same_bits(Law::Agrees, 0, 0, &out, &expected)
}

/// Products are those with a buffer of the rounded numbers, bit for bit.
fn products<B: Backend>(rig: &mut Rig<B>, dims: LinearDims, is_biased: bool) -> Result<(), Failure> {
    rig.at((dims, is_biased));
    let LinearDims { rows, inputs, outputs, .. } = dims;
    let numbers = rig.numbers(outputs * inputs, 1.0);
    let single: Vec<_> = numbers.iter().map(|number| B::Scalar::of(f64::from(number.widen() as f32))).collect();
    let (packed, rounded) = rounded(rig, &single)?;
    let ordinary = rig.upload(&rounded)?;
    let (x, bias) = (rig.numbers(rows * inputs, 2.0), rig.numbers(outputs, 1.0));
    let (x, bias) = (rig.upload(&x)?, rig.upload(&bias)?);
    let (out, grad_x) = (rig.numbers(rows * outputs, 2.0), rig.numbers(rows * inputs, 2.0));
    let grad_out = rig.upload(&out)?;
    let mut products = Vec::new();
    for weight in [&ordinary, &packed] {
        let (mut on_out, mut on_grad_x) = (rig.upload_output(&out)?, rig.upload_output(&grad_x)?);
        let done = rig.backend.linear_forward(dims, &x, weight, is_biased.then_some(&bias), &mut on_out);
        rig.succeed(done)?;
        let done = rig.backend.linear_backward_input(dims, &grad_out, weight, &mut on_grad_x);
        rig.succeed(done)?;
        products.push([rig.download(0, &on_out, out.len())?, rig.download(1, &on_grad_x, grad_x.len())?]);
    }
    for (output, (packed, ordinary)) in products[1].iter().zip(&products[0]).enumerate() {
        rig.same_bits(Law::Repeats, output, 0, packed, ordinary)?;
    }
    Ok(())
}
