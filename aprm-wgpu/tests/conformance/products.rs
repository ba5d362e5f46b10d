//! The three products on operands of chosen sizes, held to `f64`; and those that are large.

use aprm_conformance::Naive;
use aprm_core::backend::{Backend, LinearDims};
use aprm_core::scalar::Scalar;
use aprm_wgpu::{Gpu, Tier};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::{gpu, is_off};

/// What factors are rounded to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Factors {
    F16,
    F32,
}

/// The operands of all three products.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) dims: LinearDims,
    is_biased: bool,
    pub(crate) x: Vec<f32>,
    pub(crate) weight: Vec<f32>,
    bias: Vec<f32>,
    pub(crate) grad_out: Vec<f32>,
    /// What outputs hold before: `out`, `grad_x`, `grad_weight`.
    pub(crate) before: [Vec<f32>; 3],
}

impl Case {
    /// Activations and gradients are near these.
    pub(crate) fn new([rows, inputs, outputs]: [usize; 3], [x_size, grad_size]: [f32; 2]) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut take =
            |len, size: f32| -> Vec<f32> { (0..len).map(|_| size * rng.random_range(-1.0_f32..1.0)).collect() };
        Self {
            dims: LinearDims { rows, inputs, outputs, accumulate: false },
            is_biased: false,
            x: take(rows * inputs, x_size),
            weight: take(outputs * inputs, 1.0),
            bias: take(outputs, x_size),
            grad_out: take(rows * outputs, grad_size),
            before: [
                take(rows * outputs, x_size),
                take(rows * inputs, grad_size),
                take(outputs * inputs, x_size * grad_size),
            ],
        }
    }

    pub(crate) fn adding(mut self) -> Self {
        self.dims.accumulate = true;
        self.is_biased = true;
        self
    }

    pub(crate) fn keep_rows(&mut self, rows: usize) {
        let LinearDims { inputs, outputs, .. } = self.dims;
        self.dims.rows = rows;
        self.x.truncate(rows * inputs);
        self.grad_out.truncate(rows * outputs);
        self.before[0].truncate(rows * outputs);
        self.before[1].truncate(rows * inputs);
    }

    fn map(&self, f: impl Fn(&Vec<f32>) -> Vec<f32>, of_sums: impl Fn(&Vec<f32>) -> Vec<f32>) -> Self {
        Self {
            x: f(&self.x),
            weight: f(&self.weight),
            grad_out: f(&self.grad_out),
            bias: of_sums(&self.bias),
            before: self.before.each_ref().map(of_sums),
            ..self.clone()
        }
    }

    /// What the kernels give, each with its name.
    pub(crate) fn products<B: Backend>(&self, backend: &mut B) -> [(&'static str, Vec<f64>); 3]
    where
        B::Error: std::fmt::Debug,
    {
        let upload = |backend: &mut B, numbers: &[f32]| {
            let numbers: Vec<_> = numbers.iter().map(|&number| B::Scalar::of(number.into())).collect();
            let mut buffer = backend.allocate(numbers.len()).unwrap();
            backend.write(&numbers, &mut buffer, 0).unwrap();
            buffer
        };
        let [x, weight, bias, grad_out] =
            [&self.x, &self.weight, &self.bias, &self.grad_out].map(|numbers| upload(backend, numbers));
        let [mut out, mut grad_x, mut grad_weight] = self.before.each_ref().map(|numbers| upload(backend, numbers));
        backend.linear_forward(self.dims, &x, &weight, self.is_biased.then_some(&bias), &mut out).unwrap();
        backend.linear_backward_input(self.dims, &grad_out, &weight, &mut grad_x).unwrap();
        backend.linear_backward_weight(self.dims, &x, &grad_out, &mut grad_weight, None).unwrap();
        let [out, grad_x, grad_weight] = [(out, 0), (grad_x, 1), (grad_weight, 2)].map(|(buffer, i)| {
            let mut numbers = vec![B::Scalar::of(0.0); self.before[i].len()];
            backend.read(&buffer, 0, &mut numbers).unwrap();
            numbers.into_iter().map(Scalar::widen).collect::<Vec<f64>>()
        });
        [("linear_forward", out), ("linear_backward_input", grad_x), ("linear_backward_weight", grad_weight)]
    }

    /// Holds the products with packed weights to those with the same weights in `f32`, bit for bit.
    pub(crate) fn hold_packed(&self, gpu: &mut Gpu) {
        let LinearDims { rows, inputs, outputs, .. } = self.dims;
        let packed = gpu.allocate_bf16(&self.weight).unwrap().unwrap();
        let mut rounded = self.clone();
        gpu.read(&packed, 0, &mut rounded.weight).unwrap();
        let [(_, out), (_, grad_x), _] = rounded.products(gpu);
        let mut upload = |numbers: &[f32]| {
            let mut buffer = gpu.allocate(numbers.len()).unwrap();
            gpu.write(numbers, &mut buffer, 0).unwrap();
            buffer
        };
        let [x, bias, grad_out] = [&self.x, &self.bias, &self.grad_out].map(|numbers| upload(numbers));
        let [mut on_out, mut on_grad_x, _] = self.before.each_ref().map(|numbers| upload(numbers));
        gpu.linear_forward(self.dims, &x, &packed, self.is_biased.then_some(&bias), &mut on_out).unwrap();
        gpu.linear_backward_input(self.dims, &grad_out, &packed, &mut on_grad_x).unwrap();
        for (on_gpu, len, expected) in [(on_out, rows * outputs, out), (on_grad_x, rows * inputs, grad_x)] {
            let mut numbers = vec![0.0; len];
            gpu.read(&on_gpu, 0, &mut numbers).unwrap();
            let numbers: Vec<f64> = numbers.into_iter().map(f64::from).collect();
            assert!(numbers == expected, "{:?}", [rows, inputs, outputs]);
        }
    }

    /// Holds a backend's results to `f64`.
    ///
    /// With S = Σ|a||b|, and T what is added to it in magnitude, an entry may be off by
    ///
    /// ```text
    /// 2⁻¹⁰ S                      both factors rounded to 11 bits, if they are f16
    /// 2 terms 2⁻²⁸ max|a| max|b|  factors below f16's normal numbers after scaling, if they are f16
    /// (terms + 4) 2⁻²² (S + T)    sums in f32, in any order and direction
    /// ```
    ///
    /// and what is not finite has to be so, a NaN as such.
    pub(crate) fn hold<B: Backend>(&self, factors: Factors, backend: &mut B)
    where
        B::Error: std::fmt::Debug,
    {
        let LinearDims { rows, inputs, outputs, .. } = self.dims;
        let magnitudes = |numbers: &Vec<f32>| numbers.iter().map(|number| number.abs()).collect();
        let zeros = |numbers: &Vec<f32>| vec![0.0; numbers.len()];
        let largest = |numbers: &[f32]| -> f64 {
            numbers.iter().filter(|number| number.is_finite()).fold(0.0, |most: f64, n| most.max(n.abs().into()))
        };
        let [x, weight, grad_out] = [&self.x, &self.weight, &self.grad_out].map(|numbers| largest(numbers));
        let expected = self.products(&mut Naive::<f64>::new());
        let of_factors = self.map(magnitudes, zeros).products(&mut Naive::<f64>::new());
        let of_all = self.map(magnitudes, magnitudes).products(&mut Naive::<f64>::new());
        let operands = [(inputs, x * weight), (outputs, grad_out * weight), (rows, grad_out * x)];
        for (product, (name, actual)) in self.products(backend).iter().enumerate() {
            let (terms, most) = (operands[product].0 as f64, operands[product].1);
            let mut closest = 0.0_f64;
            for (i, &actual) in actual.iter().enumerate() {
                let [expected, of_factors, of_all] = [&expected, &of_factors, &of_all].map(|all| all[product].1[i]);
                let of_rounding = match factors {
                    Factors::F16 => 2_f64.powi(-10) * of_factors + 2.0 * terms * 2_f64.powi(-28) * most,
                    Factors::F32 => 0.0,
                };
                let bound = of_rounding + (terms + 4.0) * 2_f64.powi(-22) * of_all;
                let holds = if expected.is_finite() {
                    (actual - expected).abs() <= bound
                } else {
                    !actual.is_finite() && (actual.is_nan() || !expected.is_nan())
                };
                closest = closest.max((actual - expected).abs() / bound);
                assert!(holds, "{name}, {:?}, entry {i}: {actual:e}, not {expected:e} ± {bound:e}", self.dims);
            }
            println!("{name}, {factors:?}, {:?}: {closest:.2} of the bound", [rows, inputs, outputs]);
        }
    }
}

/// The first three shapes have enough blocks of 128 x 128 in one of the products, the others of 64 x 64; all other tests
/// have blocks of 32 x 32.
#[test]
fn large_products_are_made_of_larger_blocks() {
    if is_off() {
        return;
    }
    let mut gpu = gpu(Tier::Plain);
    let large = [[2001, 9, 2033], [2001, 2033, 9], [9, 2033, 2001]];
    for shape in large.into_iter().chain([[1025, 19, 530], [1025, 530, 19], [19, 530, 1025]]) {
        Case::new(shape, [1.0, 1.0]).adding().hold(Factors::F32, &mut gpu);
    }
}

/// A row's bits do not tell how large the blocks were.
#[test]
fn a_row_of_a_large_product_has_the_bits_of_a_small_one() {
    if is_off() {
        return;
    }
    let mut gpu = gpu(Tier::Plain);
    for [rows, inputs, outputs] in [[2001, 35, 2033], [2001, 2033, 35]] {
        let mut case = Case::new([rows, inputs, outputs], [1.0, 1.0]);
        let large = case.products(&mut gpu);
        for fewer in [500, 100] {
            case.keep_rows(fewer);
            let small = case.products(&mut gpu);
            assert_eq!(small[0].1, large[0].1[..fewer * outputs]);
            assert_eq!(small[1].1, large[1].1[..fewer * inputs]);
        }
    }
}
