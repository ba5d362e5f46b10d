//! The check that products of cooperative matrices pass before they are used.
//!
//! Drivers are new to these matrices, and so is the translation of their shaders; a product that is wrong in few
//! entries would otherwise be found by nobody.

use aprm_core::backend::{Backend, LinearDims};

use crate::backend::PATCH_ROWS;
use crate::{Buffer, Gpu, GpuError};

/// Why [`Tier::Matrices`](crate::Tier::Matrices) was asked for and is not used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The adapter has none that the shaders are written for.
    #[error("the adapter has no cooperative matrices of f16 with sums in f32")]
    Missing,
    /// The device refuses them.
    #[error("products of cooperative matrices fail: {0}")]
    Fails(GpuError),
    /// The driver, or the translation of the shaders, panics.
    #[error("products of cooperative matrices panic: {0}")]
    Panics(String),
    /// An entry of a product is further from what it should be than rounding to `f16` can bring it.
    #[error(
        "products of cooperative matrices are wrong: {kernel} at {dims:?} has {actual:e}, not {expected:e} ± {bound:e}"
    )]
    Wrong {
        /// The kernel.
        kernel: &'static str,
        /// Rows, inputs, outputs.
        dims: [usize; 3],
        /// What it computes.
        actual: f32,
        /// What is right.
        expected: f64,
        /// How far apart these may be.
        bound: f64,
    },
    /// The same product twice gives different bits.
    #[error("products of cooperative matrices are not repeatable: {kernel} at {dims:?}")]
    Unrepeatable {
        /// The kernel.
        kernel: &'static str,
        /// Rows, inputs, outputs.
        dims: [usize; 3],
    },
}

impl From<GpuError> for Refusal {
    fn from(error: GpuError) -> Self {
        Self::Fails(error)
    }
}

/// Rows, inputs, outputs: less than a block, and several blocks with ragged ends.
const SHAPES: [[usize; 3]; 4] = [[1, 1, 1], [3, 45, 17], [67, 129, 70], [257, 520, 193]];
/// The powers of two that activations, weights and gradients are near.
const POWERS: [[i32; 3]; 2] = [[0, 0, 0], [-50, -50, 40]];
/// How often each product is repeated.
const TIMES: usize = 4;

/// Computes each of the three products on several shapes several times.
///
/// # Errors
/// [`Refusal`], at the first entry that is wrong or differs from the time before.
pub(crate) fn check_products(gpu: &mut Gpu) -> Result<(), Refusal> {
    let mut numbers = Numbers(1);
    for patch_rows in PATCH_ROWS {
        gpu.patch_rows = Some(patch_rows);
        for dims in SHAPES {
            for powers in POWERS {
                check_shape(gpu, dims, powers, &mut numbers)?;
            }
        }
    }
    gpu.patch_rows = None;
    Ok(())
}

fn check_shape(
    gpu: &mut Gpu,
    dims: [usize; 3],
    [x_power, weight_power, grad_power]: [i32; 3],
    numbers: &mut Numbers,
) -> Result<(), Refusal> {
    let [rows, inputs, outputs] = dims;
    let linear = LinearDims { rows, inputs, outputs, accumulate: true };
    let (x, on_x) = numbers.upload(gpu, rows * inputs, x_power)?;
    let (weight, on_weight) = numbers.upload(gpu, outputs * inputs, weight_power)?;
    let (grad_out, on_grad_out) = numbers.upload(gpu, rows * outputs, grad_power)?;
    let (bias, on_bias) = numbers.upload(gpu, outputs, x_power + weight_power)?;

    // Packed weights have shaders of their own.
    let on_packed = gpu.allocate_bf16(&weight)?.expect("this backend keeps such weights");
    let mut packed = vec![0.0; weight.len()];
    gpu.read(&on_packed, 0, &mut packed)?;
    for (weight, on_weight) in [(&weight, &on_weight), (&packed, &on_packed)] {
        let before = numbers.take(rows * outputs, x_power + weight_power);
        let factors = |r, o, i| [x[r * inputs + i], weight[o * inputs + i]];
        let expected = expected([rows, outputs, inputs], |r, o| [before[r * outputs + o], bias[o]], factors);
        hold(gpu, ("linear_forward", dims), &before, &expected, |gpu, out| {
            gpu.linear_forward(linear, &on_x, on_weight, Some(&on_bias), out)
        })?;

        let before = numbers.take(rows * inputs, grad_power + weight_power);
        let factors = |r, i, o| [grad_out[r * outputs + o], weight[o * inputs + i]];
        let expected = self::expected([rows, inputs, outputs], |r, i| [before[r * inputs + i], 0.0], factors);
        hold(gpu, ("linear_backward_input", dims), &before, &expected, |gpu, grad_x| {
            gpu.linear_backward_input(linear, &on_grad_out, on_weight, grad_x)
        })?;
    }

    let before = numbers.take(outputs * inputs, grad_power + x_power);
    let factors = |o, i, r| [grad_out[r * outputs + o], x[r * inputs + i]];
    let expected = self::expected([outputs, inputs, rows], |o, i| [before[o * inputs + i], 0.0], factors);
    hold(gpu, ("linear_backward_weight", dims), &before, &expected, |gpu, grad_weight| {
        gpu.linear_backward_weight(linear, &on_x, &on_grad_out, grad_weight, None)
    })
}

/// Each entry of a product and how far from it a device may be.
///
/// ```text
/// value = b₁ + b₂ + Σ_k f₁ f₂,   bound = 2⁻¹⁰ Σ_k |f₁ f₂| + (terms + 4) 2⁻²² (|b₁| + |b₂| + Σ_k |f₁ f₂|)
/// ```
///
/// The first summand is the rounding of both factors, the second that of sums in `f32`, in any order and direction; no
/// number of [`Numbers`] is so small beside the largest that more is lost.
fn expected(
    [rows, columns, terms]: [usize; 3],
    begun: impl Fn(usize, usize) -> [f32; 2],
    factors: impl Fn(usize, usize, usize) -> [f32; 2],
) -> Vec<[f64; 2]> {
    let entry = |row, column| {
        let begun = begun(row, column).map(f64::from);
        let products = || (0..terms).map(|k| factors(row, column, k).map(f64::from).iter().product::<f64>());
        let magnitude: f64 = products().map(f64::abs).sum();
        let of_sums = (terms + 4) as f64 * 2_f64.powi(-22) * (begun[0].abs() + begun[1].abs() + magnitude);
        [begun[0] + begun[1] + products().sum::<f64>(), 2_f64.powi(-10) * magnitude + of_sums]
    };
    (0..rows * columns).map(|i| entry(i / columns, i % columns)).collect()
}

/// Runs a kernel several times on an output that begins as `before`.
fn hold(
    gpu: &mut Gpu,
    (kernel, dims): (&'static str, [usize; 3]),
    before: &[f32],
    expected: &[[f64; 2]],
    run: impl Fn(&mut Gpu, &mut Buffer) -> Result<(), GpuError>,
) -> Result<(), Refusal> {
    let mut on_out = gpu.allocate(before.len())?;
    let mut first = Vec::new();
    for _ in 0..TIMES {
        gpu.write(before, &mut on_out, 0)?;
        run(gpu, &mut on_out)?;
        let mut out = vec![0.0; before.len()];
        gpu.read(&on_out, 0, &mut out)?;
        for (&actual, &[expected, bound]) in out.iter().zip(expected) {
            // NaN is not.
            let is_within = (f64::from(actual) - expected).abs() <= bound;
            if !is_within {
                return Err(Refusal::Wrong { kernel, dims, actual, expected, bound });
            }
        }
        let bits: Vec<_> = out.iter().map(|entry| entry.to_bits()).collect();
        if first.is_empty() {
            first = bits;
        } else if first != bits {
            return Err(Refusal::Unrepeatable { kernel, dims });
        }
    }
    Ok(())
}

/// The state of a generator that needs no more than to differ from entry to entry.
struct Numbers(u64);

impl Numbers {
    /// Of magnitudes from 2^(power − 6) to 2^power, of either sign.
    fn take(&mut self, len: usize, power: i32) -> Vec<f32> {
        let mut next = || {
            // Knuth's constants, of which the upper bits are good.
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let fraction = ((self.0 >> 40) as f32 + 1.0) * 2_f32.powi(-24);
            let exponent = power - ((self.0 >> 34) % 6) as i32;
            let sign = if self.0 >> 63 == 0 { 1.0 } else { -1.0 };
            sign * (0.5 + 0.5 * fraction) * 2_f32.powi(exponent)
        };
        (0..len).map(|_| next()).collect()
    }

    fn upload(&mut self, gpu: &mut Gpu, len: usize, power: i32) -> Result<(Vec<f32>, Buffer), GpuError> {
        let numbers = self.take(len, power);
        let mut buffer = gpu.allocate(len)?;
        gpu.write(&numbers, &mut buffer, 0)?;
        Ok((numbers, buffer))
    }
}
