//! The hot loops of aprm-core, each against the memory bandwidth that one thread of the machine reaches in the same run.
//!
//! `bytes` counts what the algorithm must move: every input array read once, every output array written once, state
//! that is updated read and written once; what an implementation moves beyond that lowers its rate.

mod support;

use core::hint::black_box;

use aprm_core::gae::{Successor, gae};
use aprm_core::optimizer::{Adam, Host, Ogda, OptimisticAdam, Optimizer};
use aprm_core::policy::{entropy, kl_divergence, log_softmax_backward, log_softmax_forward};
use aprm_core::ppo::{ClipRange, mean_clipped_surrogate, mean_clipped_value_loss};

use support::{Suite, numbers};

const MILLION: usize = 1 << 20;
const F32: usize = size_of::<f32>();

fn main() {
    let mut suite = Suite::new();
    for n in [MILLION, 16 * MILLION] {
        triad(&mut suite, n);
    }
    for n in [MILLION, 16 * MILLION] {
        optimizers(&mut suite, n);
    }
    for (rows, vocab) in [(8192, 128), (32, 32_768)] {
        policies(&mut suite, rows, vocab);
    }
    tokens(&mut suite, MILLION);
    suite.finish();
}

/// `a ← b + s c`, as STREAM has it: the yardstick, whose longest arrays are beyond every cache.
fn triad(suite: &mut Suite, n: usize) {
    let (b, c, mut a) = (numbers(n), numbers(n), numbers(n));
    suite.bench("triad", n, 3 * F32 * n, || {
        let scalar = black_box(3.0);
        for ((a, b), c) in a.iter_mut().zip(&b).zip(&c) {
            *a = b + scalar * c;
        }
        black_box(&mut a);
    });
}

fn optimizers(suite: &mut Suite, n: usize) {
    let (gradient, mut z) = (numbers(n), numbers(n));
    let vector = || vec![0.0_f32; n];
    let mut bench = |name, arrays_moved, optimizer: &mut dyn Optimizer<Host<f32>>| {
        suite.bench(name, n, arrays_moved * F32 * n, || {
            let Ok(()) = optimizer.step(&mut Host::new(), black_box(1e-6), black_box(&gradient), &mut z);
        });
    };
    bench("ogda", 5, &mut Ogda::new(vector()));
    bench("adam", 7, &mut Adam::new(vector(), vector(), vector()));
    bench("optimistic_adam", 9, &mut OptimisticAdam::new(vector(), vector(), vector(), vector()));
}

fn policies(suite: &mut Suite, rows: usize, vocab: usize) {
    let n = rows * vocab;
    let shape = format!("{rows}x{vocab}");
    let rows = |log_probs: &mut [f32], logits: &[f32]| {
        for (logits, log_probs) in logits.chunks_exact(vocab).zip(log_probs.chunks_exact_mut(vocab)) {
            log_softmax_forward(logits, log_probs);
        }
    };
    let (logits, upstream) = (numbers(n), numbers(n));
    let (mut p, mut q, mut grad_logits) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    rows(&mut q, &upstream);
    suite.bench("log_softmax_forward", &shape, 2 * F32 * n, || rows(&mut p, black_box(&logits)));
    rows(&mut p, &logits);
    suite.bench("log_softmax_backward", &shape, 3 * F32 * n, || {
        let inputs = black_box(&p).chunks_exact(vocab).zip(upstream.chunks_exact(vocab));
        for (grad_logits, (log_probs, upstream)) in grad_logits.chunks_exact_mut(vocab).zip(inputs) {
            log_softmax_backward(log_probs, upstream, grad_logits);
        }
    });
    suite.bench("entropy", &shape, F32 * n, || {
        black_box(black_box(&p).chunks_exact(vocab).map(entropy).fold(0.0, f32::max));
    });
    suite.bench("kl_divergence", &shape, 2 * F32 * n, || {
        let pairs = black_box(&p).chunks_exact(vocab).zip(q.chunks_exact(vocab));
        black_box(pairs.map(|(p, q)| kl_divergence(p, q)).fold(0.0, f32::max));
    });
}

fn tokens(suite: &mut Suite, n: usize) {
    let (old_log_probs, moves, advantages) = (numbers(n), numbers(n), numbers(n));
    let log_probs: Vec<f32> = old_log_probs.iter().zip(&moves).map(|(old, moved)| old + 0.2 * moved).collect();
    let mask: Vec<bool> = moves.iter().map(|&moved| moved > -0.8).collect();
    let mut written = vec![0.0; n];

    let clip_range = ClipRange { low: 0.2, high: 0.28 };
    suite.bench("mean_clipped_surrogate", n, (4 * F32 + size_of::<bool>()) * n, || {
        let inputs = (black_box(&log_probs), &old_log_probs, &advantages, &mask);
        black_box(mean_clipped_surrogate(inputs.0, inputs.1, inputs.2, inputs.3, clip_range, &mut written));
    });
    suite.bench("mean_clipped_value_loss", n, (4 * F32 + size_of::<bool>()) * n, || {
        let inputs = (black_box(&log_probs), &old_log_probs, &advantages, &mask);
        black_box(mean_clipped_value_loss(inputs.0, inputs.1, inputs.2, inputs.3, 0.2, &mut written));
    });
    suite.bench("whiten", n, (2 * F32 + size_of::<bool>()) * n, || {
        aprm_core::advantage::whiten(black_box(&advantages), &mask, true, &mut written);
    });

    let successors: Vec<_> =
        (1..=n).map(|t| if t % 512 == 0 || t == n { Successor::Terminate } else { Successor::Continue }).collect();
    let bytes = (3 * F32 + size_of::<Successor<f32>>()) * n;
    suite.bench("gae", n, bytes, || {
        gae(black_box(&advantages), &old_log_probs, &successors, 0.99, 0.95, &mut written);
    });
}
