//! What a device reports when it cannot go on.

use aprm_core::backend::{AttentionDims, Backend, Ragged};
use aprm_wgpu::{Adapter, GpuError, Limits, Tier};

use crate::{adapter, gpu, is_off};

#[test]
fn a_lost_device_says_so_from_then_on() {
    if is_off() {
        return;
    }
    let mut gpu = gpu(Tier::Subgroups);
    let mut x = gpu.allocate(4).unwrap();
    gpu.write(&[1.0, 2.0, 3.0, 4.0], &mut x, 0).unwrap();
    gpu.destroy();
    let mut out = [0.0; 4];
    for _ in 0..2 {
        let error = gpu.read(&x, 0, &mut out).unwrap_err();
        assert!(matches!(error, GpuError::Lost(_)), "{error}");
    }
    assert!(gpu.allocate(4).is_err());
}

#[test]
fn a_buffer_that_cannot_be_bound_is_refused_by_its_size() {
    if is_off() {
        return;
    }
    let mut small = adapter().open(Limits { binding_size: 1 << 20, ..Limits::default() }).unwrap();
    small.allocate(1 << 18).unwrap();
    let error = small.allocate((1 << 18) + 1).unwrap_err();
    let GpuError::TooLarge { bytes, limit, .. } = error else { panic!("{error}") };
    assert_eq!((bytes, limit), ((1 << 20) + 4, 1 << 20));
}

/// As long a buffer as the device binds is read, though no power of two is that long, and a longer one than what is read
/// at once.
#[test]
fn long_buffers_are_read_whole() {
    if is_off() {
        return;
    }
    let most = Limits::default().binding_size;
    for (binding_size, len) in [(3_000_000, 740_000), (most, (1 << 24) + 5)] {
        let mut gpu = adapter().open(Limits { binding_size, ..Limits::default() }).unwrap();
        let mut x = gpu.allocate(len).unwrap();
        let entries: Vec<f32> = (0..len).map(|i| i as f32).collect();
        gpu.write(&entries, &mut x, 0).unwrap();
        let mut read = vec![f32::NAN; len - 3];
        gpu.read(&x, 3, &mut read).unwrap();
        assert!(read == entries[3..], "{len}");
    }
}

#[test]
fn an_unknown_adapter_is_refused_with_those_that_are_there() {
    if is_off() {
        return;
    }
    let error = Adapter::choose(Some("no such GPU")).unwrap_err();
    let GpuError::NoAdapter { wanted, found } = error else { panic!("{error}") };
    assert_eq!(wanted, "\"no such GPU\"");
    assert!(found.contains(&adapter().name()), "{found}");
    assert_eq!(Adapter::choose(Some("0")).unwrap().name(), Adapter::all()[0].name());
}

#[test]
fn heads_beyond_the_shaders_are_refused_by_their_width() {
    if is_off() {
        return;
    }
    let mut gpu = gpu(Tier::Plain);
    let dims = AttentionDims { heads: 1, kv_heads: 1, head_dim: 257 };
    let offsets = gpu.allocate_indices(2).unwrap();
    let [qkv, mut out, mut log_sum_exp] = [3 * 257, 257, 1].map(|len| gpu.allocate(len).unwrap());
    let sequences = Ragged { offsets: &offsets, sequences: 1, rows: 1, longest: 1 };
    let error = gpu.attention_forward(dims, sequences, &qkv, &mut out, &mut log_sum_exp).unwrap_err();
    assert!(matches!(error, GpuError::Dimension { dimension: "head_dim", value: 257, .. }), "{error}");
}

/// Reads wait; nothing else is handed over before enough is recorded.
#[test]
fn kernels_are_handed_over_in_groups() {
    if is_off() {
        return;
    }
    let mut gpu = gpu(Tier::Subgroups);
    let mut x = gpu.allocate(1000).unwrap();
    for _ in 0..100 {
        gpu.scale(1000, 2.0, &mut x).unwrap();
    }
    assert_eq!((gpu.work().dispatches, gpu.work().submissions), (100, 0));
    let mut out = [0.0; 1000];
    gpu.read(&x, 0, &mut out).unwrap();
    let work = gpu.work();
    assert_eq!((work.submissions, work.reads, work.bytes_read, work.peak_bytes), (1, 1, 4000, 4000));
}

/// What is written before a kernel and after it reaches the kernel in this order.
#[test]
fn writes_and_kernels_keep_their_order() {
    if is_off() {
        return;
    }
    let mut gpu = gpu(Tier::Subgroups);
    let [mut x, mut y] = [1, 1].map(|len| gpu.allocate(len).unwrap());
    for n in 1..=50 {
        gpu.write(&[n as f32], &mut x, 0).unwrap();
        gpu.axpy(1, 1.0, &x, &mut y).unwrap();
    }
    let mut out = [0.0];
    gpu.read(&y, 0, &mut out).unwrap();
    assert_eq!(out, [1275.0]);
}
