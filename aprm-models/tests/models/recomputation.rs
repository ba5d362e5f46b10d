//! Activations that are computed anew: the same gradients bit for bit, in less memory.

use aprm_core::backend::Backend;
use aprm_models::checkpoint::Checkpoint;
use aprm_models::safetensors::Options;
use aprm_models::transformer::{Activations, Batch, Parameters, Scratch, Transformer};
use aprm_ndarray::Cpu;

use crate::tiny::{Tiny, bits};
use crate::{FAMILIES, golden};

/// The gradients of a family's model on a ragged batch, after so many backward passes from one forward pass.
fn gradients(family: &str, recomputed: bool, passes: usize) -> Vec<Vec<u64>> {
    let mut cpu = Cpu::<f32>::new();
    let checkpoint = Checkpoint::load(&golden(family), Options::default()).unwrap();
    let weights = checkpoint.upload(&mut cpu).unwrap();
    let config = checkpoint.config;
    let model = Transformer::new(&mut cpu, config).unwrap();
    let mut batch = Batch::new(&mut cpu, 12, 3).unwrap();
    batch.set(&mut cpu, &[&[1, 2, 3, 4, 5], &[6], &[7, 8, 9, 10, 11, 12]]).unwrap();
    let new = if recomputed { Activations::recomputed } else { Activations::new };
    let mut activations = new(&mut cpu, &config, 12).unwrap();
    let mut scratch = Scratch::new(&mut cpu, &config, 12).unwrap();
    let mut gradients = Parameters::zeros(&mut cpu, &model.layout).unwrap();
    model.forward(&mut cpu, &weights, &batch, &mut activations).unwrap();
    for _ in 0..passes {
        let grad_hidden: Vec<f32> = (0..12 * config.hidden_size).map(|i| (i as f32).sin()).collect();
        cpu.write(&grad_hidden, &mut scratch.grad_hidden, 0).unwrap();
        model.backward(&mut cpu, &weights, &batch, &mut activations, &mut scratch, &mut gradients).unwrap();
    }
    bits(&mut cpu, &model.layout, &gradients)
}

#[test]
fn gradients_are_the_same_bits() {
    for family in FAMILIES {
        assert!(gradients(family, true, 1) == gradients(family, false, 1), "{family}");
        // The second pass finds the activations of the first layer, where the first pass found those of the last.
        assert!(gradients(family, true, 2) == gradients(family, false, 2), "{family}, twice");
        assert!(gradients(family, true, 2) != gradients(family, true, 1), "{family}: nothing accumulates");
    }
}

#[test]
fn one_layer_is_kept() {
    let mut tiny = Tiny::new(Cpu::<f32>::new());
    let config = tiny.model.config;
    let [all, recomputed] = [Activations::new, Activations::recomputed]
        .map(|new: fn(&mut _, &_, _) -> _| new(&mut tiny.backend, &config, 10).unwrap().entries());
    // Per row: 4 streams and hidden of 16, a final norm; then for each layer what the backward pass reads.
    let (streams, qkv, mlp) = (5 * 16 + 1, (4 + 2 * 2) * 4, 24);
    let layer = 3 * 16 + 2 + 2 * qkv + (4 + 2) + 4 + 16 + 3 * mlp;
    assert_eq!((all, recomputed), (10 * (streams + 3 * layer), 10 * (streams + layer)));
}
