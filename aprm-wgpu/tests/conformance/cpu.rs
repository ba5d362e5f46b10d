//! Products and attention on shapes of many tiles, beside the CPU's in `f64`.

use aprm_core::backend::{AttentionDims, Backend, LinearDims, Ragged};
use aprm_core::scalar::Scalar;
use aprm_ndarray::Cpu;
use aprm_wgpu::Tier;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::{gpu, is_off};

/// `Σ (a − b)² / Σ b²` at most.
const NMSE: f64 = 1e-7;

struct Numbers(ChaCha8Rng);

impl Numbers {
    fn upload<B: Backend>(&mut self, backend: &mut B, len: usize) -> B::Buffer
    where
        B::Error: std::fmt::Debug,
    {
        // Of f32, so that both begin from the same numbers.
        let numbers: Vec<B::Scalar> =
            (0..len).map(|_| B::Scalar::of(self.0.random_range(-1.0_f32..1.0).into())).collect();
        let mut buffer = backend.allocate(len).unwrap();
        backend.write(&numbers, &mut buffer, 0).unwrap();
        buffer
    }
}

fn download<B: Backend>(backend: &mut B, name: &'static str, buffer: &B::Buffer, len: usize) -> (&'static str, Vec<f64>)
where
    B::Error: std::fmt::Debug,
{
    let mut host = vec![B::Scalar::of(0.0); len];
    backend.read(buffer, 0, &mut host).unwrap();
    (name, host.into_iter().map(Scalar::widen).collect())
}

fn results<B: Backend>(backend: &mut B) -> Vec<(&'static str, Vec<f64>)>
where
    B::Error: std::fmt::Debug,
{
    let mut numbers = Numbers(ChaCha8Rng::seed_from_u64(0));
    let mut results = Vec::new();

    let (rows, inputs, outputs) = (300, 200, 150);
    let dims = LinearDims { rows, inputs, outputs, accumulate: false };
    let x = numbers.upload(backend, rows * inputs);
    let weight = numbers.upload(backend, outputs * inputs);
    let mut out = numbers.upload(backend, rows * outputs);
    backend.linear_forward(dims, &x, &weight, None, &mut out).unwrap();
    results.push(download(backend, "linear_forward", &out, rows * outputs));
    let mut grad_x = numbers.upload(backend, rows * inputs);
    backend.linear_backward_input(dims, &out, &weight, &mut grad_x).unwrap();
    results.push(download(backend, "linear_backward_input", &grad_x, rows * inputs));
    let mut grad_weight = numbers.upload(backend, outputs * inputs);
    backend.linear_backward_weight(dims, &x, &out, &mut grad_weight, None).unwrap();
    results.push(download(backend, "linear_backward_weight", &grad_weight, outputs * inputs));

    let dims = AttentionDims { heads: 6, kv_heads: 2, head_dim: 64 };
    let ends = [0, 100, 101, 257];
    let mut offsets = backend.allocate_indices(ends.len()).unwrap();
    backend.write_indices(&ends, &mut offsets).unwrap();
    let (rows, width) = (257, dims.heads * dims.head_dim);
    let sequences = Ragged { offsets: &offsets, sequences: 3, rows, longest: 156 };
    let qkv = numbers.upload(backend, rows * dims.qkv_width());
    let mut out = numbers.upload(backend, rows * width);
    let mut log_sum_exp = numbers.upload(backend, rows * dims.heads);
    backend.attention_forward(dims, sequences, &qkv, &mut out, &mut log_sum_exp).unwrap();
    results.push(download(backend, "attention_forward", &out, rows * width));
    let grad_out = numbers.upload(backend, rows * width);
    let mut grad_qkv = numbers.upload(backend, rows * dims.qkv_width());
    backend.attention_backward(dims, sequences, &qkv, &out, &log_sum_exp, &grad_out, &mut grad_qkv).unwrap();
    results.push(download(backend, "attention_backward", &grad_qkv, rows * dims.qkv_width()));
    results
}

#[test]
fn large_shapes_equal_the_cpus() {
    if is_off() {
        return;
    }
    let expected = results(&mut Cpu::<f64>::new());
    for tier in [Tier::Plain, Tier::Subgroups] {
        for ((name, actual), (_, expected)) in results(&mut gpu(tier)).iter().zip(&expected) {
            let error: f64 = actual.iter().zip(expected).map(|(a, e)| (a - e) * (a - e)).sum();
            let nmse = error / expected.iter().map(|e| e * e).sum::<f64>();
            println!("{name}, {tier}: {nmse:.1e}");
            assert!(nmse <= NMSE, "{name}, {tier}: {nmse:e}");
        }
    }
}

/// A query all of whose keys have a score of −∞ attends to nothing, and to none of those that it does not see either.
#[test]
fn what_is_masked_does_not_stand_in_for_what_is_not() {
    if is_off() {
        return;
    }
    fn attended<B: Backend>(backend: &mut B) -> (Vec<f64>, Vec<f64>)
    where
        B::Error: std::fmt::Debug,
    {
        let dims = AttentionDims { heads: 1, kv_heads: 1, head_dim: 1 };
        let rows = 5;
        // Query, key and value of each row.
        let mut qkv = [1.0, 1.0, 2.0].repeat(rows);
        qkv[0] = f64::NEG_INFINITY;
        let qkv: Vec<_> = qkv.into_iter().map(B::Scalar::of).collect();
        let mut on_device = backend.allocate(qkv.len()).unwrap();
        backend.write(&qkv, &mut on_device, 0).unwrap();
        let mut offsets = backend.allocate_indices(2).unwrap();
        backend.write_indices(&[0, rows as u32], &mut offsets).unwrap();
        let sequences = Ragged { offsets: &offsets, sequences: 1, rows, longest: rows };
        let [mut out, mut log_sum_exp] = [(); 2].map(|()| backend.allocate(rows).unwrap());
        backend.attention_forward(dims, sequences, &on_device, &mut out, &mut log_sum_exp).unwrap();
        let [(_, out), (_, log_sum_exp)] =
            [&out, &log_sum_exp].map(|buffer| download(backend, "attention", buffer, rows));
        (out, log_sum_exp)
    }
    let (expected, _) = attended(&mut Cpu::<f32>::new());
    assert!(expected[0].is_nan() && expected[1..].iter().all(|out| *out == 2.0), "{expected:?}");
    let (actual, log_sum_exp) = attended(&mut gpu(Tier::Plain));
    assert!(actual[0].is_nan() && actual[1..].iter().all(|out| *out == 2.0), "{actual:?}, {log_sum_exp:?}");
}
