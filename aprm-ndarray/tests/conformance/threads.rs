//! Equal bits for any number of threads, at sizes that are divided, and for rows whatever stands beside them.

use aprm_conformance::check_all;
use aprm_core::backend::{AttentionDims, Backend, LinearDims, NormDims, Ragged, RowDims};
use aprm_ndarray::Cpu;

fn on<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    pool.install(work)
}

fn numbers(len: usize) -> Vec<f32> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// `kernel` gives the same on one thread as on several.
fn assert_independent_of_threads(kernel: impl Fn(&mut Cpu<f32>) -> Vec<Vec<f32>> + Sync) {
    let one = on(1, || kernel(&mut Cpu::new()));
    for threads in [2, 3, 8] {
        assert_eq!(on(threads, || kernel(&mut Cpu::new())), one, "{threads} threads");
    }
}

#[test]
fn conformance_on_one_thread_and_on_three() {
    for threads in [1, 3] {
        if let Err(failures) = on(threads, || check_all(Cpu::<f32>::new)) {
            panic!("{threads} threads: {}", failures[0]);
        }
    }
}

#[test]
fn linear() {
    let (rows, inputs, outputs) = (517, 131, 67);
    assert_independent_of_threads(|cpu| {
        let dims = LinearDims { rows, inputs, outputs, accumulate: false };
        let (x, weight, bias) = (numbers(rows * inputs), numbers(outputs * inputs), numbers(outputs));
        let (mut out, mut grad_x) = (numbers(rows * outputs), numbers(rows * inputs));
        let (mut grad_weight, mut grad_bias) = (weight.clone(), bias.clone());
        let Ok(()) = cpu.linear_forward(dims, &x, &weight, Some(&bias), &mut out);
        let Ok(()) = cpu.linear_backward_input(dims, &out, &weight, &mut grad_x);
        let Ok(()) = cpu.linear_backward_weight(dims, &x, &out, &mut grad_weight, Some(&mut grad_bias));
        vec![out, grad_x, grad_weight, grad_bias]
    });
}

#[test]
fn a_row_gives_the_same_bits_alone() {
    let (inputs, outputs) = (300, 77);
    let (x, weight) = (numbers(200 * inputs), numbers(outputs * inputs));
    let forward = |x: Vec<f32>| {
        let rows = x.len() / inputs;
        let mut out = vec![f32::NAN; rows * outputs];
        let dims = LinearDims { rows, inputs, outputs, accumulate: false };
        let Ok(()) = Cpu::new().linear_forward(dims, &x, &weight, None, &mut out);
        out
    };
    let together = forward(x.clone());
    for rows in [1, 2, 7, 8, 9, 150] {
        for first in (0..200 - rows).step_by(7) {
            let alone = forward(x[first * inputs..][..rows * inputs].to_vec());
            assert_eq!(alone, together[first * outputs..][..rows * outputs], "{rows} rows from {first}");
        }
    }
}

#[test]
fn norms_and_embeddings() {
    assert_independent_of_threads(|cpu| {
        let (rows, channels) = (1_031, 70);
        let (x, weight, size) = (numbers(rows * channels), numbers(channels), rows * channels);
        let dims =
            NormDims { rows, stride: channels, offset: 0, groups: 1, channels, epsilon: 1e-6, accumulate: false };
        let (mut out, mut rstd, mut grad_x, mut grad_weight) =
            (numbers(size), numbers(rows), numbers(size), numbers(channels));
        let Ok(()) = cpu.rms_norm_forward(dims, &x, &weight, &mut out, &mut rstd);
        let Ok(()) = cpu.rms_norm_backward(dims, &x, &weight, &rstd, &out, &mut grad_x, &mut grad_weight);
        let (mut grad_table, mut total) = (numbers(9 * channels), vec![0.0]);
        let indices = (0..rows as u32).map(|r| r * r % 9).collect();
        let dims = RowDims { rows, table_rows: 9, channels };
        let Ok(()) = cpu.gather_rows_backward(dims, &x, &indices, &mut grad_table);
        let Ok(()) = cpu.sum_of_squares(size, &x, &mut total);
        vec![out, rstd, grad_x, grad_weight, grad_table, total]
    });
}

#[test]
fn attention() {
    let dims = AttentionDims { heads: 4, kv_heads: 2, head_dim: 8 };
    let (offsets, rows) = (vec![0, 1, 1, 64, 193, 393], 393);
    let qkv = numbers(rows * dims.qkv_width());
    let run = |cpu: &mut Cpu<f32>, offsets: &Vec<u32>, qkv: &Vec<f32>| {
        let rows = offsets[offsets.len() - 1] as usize;
        let sequences = Ragged { offsets, sequences: offsets.len() - 1, rows, longest: rows };
        let grad_out = vec![0.5; rows * 32];
        let (mut out, mut log_sum_exp, mut grad_qkv) = (grad_out.clone(), numbers(rows * 4), qkv.clone());
        let Ok(()) = cpu.attention_forward(dims, sequences, qkv, &mut out, &mut log_sum_exp);
        let Ok(()) = cpu.attention_backward(dims, sequences, qkv, &out, &log_sum_exp, &grad_out, &mut grad_qkv);
        vec![out, log_sum_exp, grad_qkv]
    };
    assert_independent_of_threads(|cpu| run(cpu, &offsets, &qkv));

    // A sequence alone, and the beginning of it.
    let (first, width) = (193, dims.qkv_width());
    let together = run(&mut Cpu::new(), &offsets, &qkv);
    let alone = run(&mut Cpu::new(), &vec![0, 200], &qkv[first * width..].to_vec());
    assert_eq!(alone[0], together[0][first * 32..]);
    assert_eq!(alone[2], together[2][first * width..]);
    for len in 97..=104 {
        let prefix = run(&mut Cpu::new(), &vec![0, len as u32], &qkv[first * width..][..len * width].to_vec());
        assert_eq!(prefix[0], alone[0][..len * 32], "{len} rows");
        assert_eq!(prefix[1], alone[1][..len * 4], "{len} rows");
    }
}
