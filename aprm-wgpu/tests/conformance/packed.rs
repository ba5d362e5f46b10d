//! Weights in bfloat16: what they take, that large blocks read them too, and who refuses them.

use aprm_core::backend::{Backend, LinearDims, NormDims, RowDims};
use aprm_wgpu::{GpuError, Limits, Tier};

use crate::products::Case;
use crate::{adapter, gpu, is_off};

#[test]
fn they_take_half_the_memory_and_half_the_transfer() {
    if is_off() {
        return;
    }
    let mut gpu = gpu(Tier::Plain);
    let numbers = vec![1.5; 100_001];
    let before = gpu.work();
    let weights = gpu.allocate_bf16(&numbers).unwrap().unwrap();
    let work = gpu.work();
    let bytes = 2 * 100_002;
    assert_eq!((work.peak_bytes - before.peak_bytes, work.bytes_written - before.bytes_written), (bytes, bytes));
    drop(weights);
    gpu.allocate(100_001).unwrap();
    assert_eq!(gpu.work().peak_bytes - before.peak_bytes, 4 * 100_001);
}

/// A tensor that is too large for a binding in four bytes each may fit in two.
#[test]
fn a_binding_holds_twice_as_many() {
    if is_off() {
        return;
    }
    let mut small = adapter().open(Limits { binding_size: 1 << 20, ..Limits::default() }).unwrap();
    let numbers = vec![1.0; 1 << 19];
    assert!(matches!(small.allocate(numbers.len()), Err(GpuError::TooLarge { .. })));
    small.allocate_bf16(&numbers).unwrap().unwrap();
    assert!(small.allocate_bf16(&vec![1.0; (1 << 19) + 1]).is_err());
}

/// The suite has none of these, since conversion from `f64` makes them quiet.
#[test]
fn a_signalling_nan_stays_a_nan() {
    if is_off() {
        return;
    }
    let mut gpu = gpu(Tier::Plain);
    let weights = gpu.allocate_bf16(&[1.0, f32::from_bits(0x7f80_0001), f32::from_bits(0xff80_0001)]).unwrap().unwrap();
    let mut out = [0.0; 3];
    gpu.read(&weights, 0, &mut out).unwrap();
    assert!(out[0] == 1.0 && out[1].is_nan() && out[2].is_nan(), "{out:?}");
}

/// The suite's shapes have blocks of 64 x 64 alone.
#[test]
fn large_products_have_the_bits_of_rounded_weights() {
    if is_off() {
        return;
    }
    let mut gpu = gpu(Tier::Plain);
    for shape in [[2001, 9, 2033], [2001, 2033, 9]] {
        Case::new(shape, [1.0, 1.0]).adding().hold_packed(&mut gpu);
    }
}

#[test]
fn other_kernels_refuse_them_by_name() {
    if is_off() {
        return;
    }
    let mut gpu = gpu(Tier::Subgroups);
    let gpu = &mut gpu;
    let [mut packed, other] = [(); 2].map(|()| gpu.allocate_bf16(&[1.0; 4]).unwrap().unwrap());
    let [mut x, mut y, mut z] = [4; 3].map(|len| gpu.allocate(len).unwrap());
    let indices = gpu.allocate_indices(4).unwrap();
    let linear = LinearDims { rows: 2, inputs: 2, outputs: 2, accumulate: false };
    let rows = RowDims { rows: 2, table_rows: 2, channels: 2 };
    let norm = NormDims { rows: 2, stride: 2, offset: 0, groups: 1, channels: 2, epsilon: 1e-6, accumulate: false };
    let refusals = [
        ("write", gpu.write(&[1.0], &mut packed, 0)),
        ("write_indices", gpu.write_indices(&[1], &mut packed)),
        ("read_indices", gpu.read_indices(&packed, &mut [0])),
        ("fill", gpu.fill(4, 1.0, &mut packed)),
        ("copy", gpu.copy(4, &packed, &mut y)),
        ("axpy", gpu.axpy(4, 1.0, &x, &mut packed)),
        ("scale", gpu.scale(4, 1.0, &mut packed)),
        ("sum_of_squares", gpu.sum_of_squares(4, &packed, &mut x)),
        ("gather_rows_forward", gpu.gather_rows_forward(rows, &x, &packed, &mut y)),
        ("gather_rows_forward", gpu.gather_rows_forward(rows, &other, &indices, &mut packed)),
        ("gather_rows_backward", gpu.gather_rows_backward(rows, &x, &indices, &mut packed)),
        ("linear_forward", gpu.linear_forward(linear, &packed, &x, None, &mut y)),
        ("linear_forward", gpu.linear_forward(linear, &x, &packed, Some(&other), &mut y)),
        ("linear_forward", gpu.linear_forward(linear, &x, &other, None, &mut packed)),
        ("linear_backward_input", gpu.linear_backward_input(linear, &x, &y, &mut packed)),
        ("linear_backward_weight", gpu.linear_backward_weight(linear, &packed, &x, &mut y, None)),
        ("linear_backward_weight", gpu.linear_backward_weight(linear, &x, &packed, &mut y, None)),
        ("linear_backward_weight", gpu.linear_backward_weight(linear, &x, &y, &mut packed, None)),
        ("rms_norm_forward", gpu.rms_norm_forward(norm, &x, &packed, &mut y, &mut z)),
    ];
    for (kernel, refusal) in refusals {
        assert_eq!(refusal, Err(GpuError::Packed { kernel }));
    }
    // The device goes on.
    gpu.linear_forward(linear, &x, &packed, None, &mut y).unwrap();
    gpu.read(&y, 0, &mut [0.0; 4]).unwrap();
}
