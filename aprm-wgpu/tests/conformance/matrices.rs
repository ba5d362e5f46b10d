//! Products of cooperative matrices, held to what rounding to `f16` permits, and the check that guards them.

use aprm_wgpu::{Gpu, Limits, Refusal, Tier};

use crate::products::{Case, Factors};
use crate::{adapter, is_off};

const LIMITS: Limits = Limits { tier: Tier::Matrices, binding_size: u64::MAX };

/// Rows, inputs, outputs.
const SHAPES: [[usize; 3]; 9] = [
    [0, 3, 5],
    [1, 1, 1],
    [1, 257, 65],
    [2, 1000, 17],
    [16, 15, 9],
    [33, 64, 63],
    [65, 127, 2],
    [127, 65, 7],
    [300, 200, 150],
];

/// A backend with cooperative matrices, unless the adapter has none that can be used, which is said.
fn matrices() -> Option<Gpu> {
    if is_off() {
        return None;
    }
    let adapter = adapter();
    if adapter.tier() < Tier::Matrices {
        eprintln!("SKIPPED: {} has no cooperative matrices", adapter.name());
        return None;
    }
    // It gives each of eight invocations a row: with four it has no device for matrices, with sixteen it crashes.
    if adapter.name().contains("llvmpipe") && adapter.subgroup_size() != [8, 8] {
        eprintln!("SKIPPED: {} has cooperative matrices for subgroups of 8 alone", adapter.name());
        return None;
    }
    let gpu = adapter.open(LIMITS).unwrap();
    assert_eq!((gpu.refusal(), gpu.tier()), (None, Tier::Matrices));
    Some(gpu)
}

#[test]
fn products_are_off_by_rounding_alone() {
    let Some(mut gpu) = matrices() else { return };
    for shape in SHAPES {
        let case = Case::new(shape, [1.0, 1.0]);
        case.hold(Factors::F16, &mut gpu);
        case.adding().hold(Factors::F16, &mut gpu);
    }
}

/// Each has enough blocks of 8 x 8 matrices in one of the products.
#[test]
fn large_products_are_off_by_rounding_alone() {
    let Some(mut gpu) = matrices() else { return };
    for shape in [[1030, 20, 530], [1030, 530, 20], [20, 1030, 530]] {
        Case::new(shape, [1.0, 1.0]).adding().hold(Factors::F16, &mut gpu);
    }
}

/// `f16` ends at 65504, and begins at 6e-8.
#[test]
fn numbers_beyond_f16_are_as_good_as_others() {
    let Some(mut gpu) = matrices() else { return };
    for sizes in [[1e6, 1e-12], [1e-30, 1e20], [0.0, 1.0], [1e30, 1e-30]] {
        Case::new([70, 33, 65], sizes).adding().hold(Factors::F16, &mut gpu);
    }
}

#[test]
fn packed_weights_are_as_good_as_the_rounded_ones() {
    let Some(mut gpu) = matrices() else { return };
    for shape in SHAPES {
        Case::new(shape, [1e-30, 1e20]).adding().hold_packed(&mut gpu);
    }
}

#[test]
fn what_is_not_finite_spreads_as_in_f32() {
    let Some(mut gpu) = matrices() else { return };
    for strange in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut case = Case::new([70, 33, 65], [1.0, 1e-6]);
        case.x[2 * 33 + 5] = strange;
        case.grad_out[69 * 65 + 64] = strange;
        case.hold(Factors::F16, &mut gpu);
        let mut case = Case::new([70, 33, 65], [1.0, 1e-6]).adding();
        case.weight[64 * 33] = strange;
        case.before[2][7] = strange;
        case.hold(Factors::F16, &mut gpu);
    }
}

#[test]
fn the_same_product_has_the_same_bits() {
    let Some(mut gpu) = matrices() else { return };
    let case = Case::new([130, 300, 70], [1.0, 1.0]);
    let first = case.products(&mut gpu);
    for _ in 0..5 {
        assert_eq!(case.products(&mut gpu), first);
    }
}

/// Other rows move the power of two that a row is multiplied by, which changes no bits of what is not tiny beside them.
#[test]
fn a_row_has_the_same_bits_in_any_batch() {
    let Some(mut gpu) = matrices() else { return };
    let (inputs, outputs) = (100, 70);
    let mut case = Case::new([67, inputs, outputs], [1.0, 1.0]);
    for number in &mut case.x[inputs..] {
        *number *= 1000.0;
    }
    let together = case.products(&mut gpu);
    case.keep_rows(1);
    let alone = case.products(&mut gpu);
    assert_eq!(alone[0].1, together[0].1[..outputs]);
    assert_eq!(alone[1].1, together[1].1[..inputs]);
}

#[test]
fn faulty_shaders_are_refused_and_products_go_on_without() {
    if matrices().is_none() {
        return;
    }
    let faults = [
        ("coopMultiplyAdd(a0, b1, sum01)", "coopMultiplyAdd(a0, b0, sum01)"),
        ("coopLoad<Right>(&rights[right1", "coopLoadT<Right>(&rights[right1"),
        ("min(first.y + 1u, tiles.y - 1u)", "min(first.y, tiles.y - 1u)"),
        ("let pitch = tiles.z", "let pitch = tiles.x"),
        ("coopMultiplyAdd(a3, b1, sum31)", "coopMultiplyAdd(a3, b0, sum31)"),
        ("select(place.group.yx, place.group.xy", "select(place.group.yx, place.group.yx"),
        ("k < (end + TILE - 1u) / TILE", "k < end / TILE"),
        ("sums[i] = 0.0", "sums[i] = 1e9"),
        ("let half = exponent / 2", "let half = 0"),
        // Of tiles.wgsl.
        ("row < dims.rows && k < dims.terms", "row < dims.rows"),
        ("k + 3u, power)", "k + 3u, 1.0)"),
        ("(tile * TILE + at.x)", "(tile * TILE + within / fours)"),
        // Of packed weights alone.
        ("select(word << 16u, word & 0xffff0000u,", "select(word & 0xffff0000u, word << 16u,"),
    ];
    for fault in faults {
        let mut gpu = adapter().open_with_fault(LIMITS, fault).unwrap();
        let Some(Refusal::Wrong { kernel, .. }) = gpu.refusal() else { panic!("{fault:?}: {:?}", gpu.refusal()) };
        eprintln!("{kernel}: {}", gpu.refusal().unwrap());
        assert_eq!(gpu.tier(), Tier::Subgroups);
        Case::new([65, 33, 66], [1.0, 1.0]).hold(Factors::F32, &mut gpu);
    }
}

#[test]
fn shaders_that_the_device_refuses_are_refused() {
    if matrices().is_none() {
        return;
    }
    let gpu = adapter().open_with_fault(LIMITS, ("coopMultiplyAdd(a0", "coopMultiplyAdd(b0")).unwrap();
    assert!(matches!(gpu.refusal(), Some(Refusal::Fails(_))), "{:?}", gpu.refusal());
    assert_eq!(gpu.tier(), Tier::Subgroups);
}

#[test]
fn matrices_are_used_only_where_they_are_asked_for() {
    if is_off() {
        return;
    }
    let gpu = adapter().open(Limits::default()).unwrap();
    assert!(gpu.tier() <= Tier::Subgroups && gpu.refusal().is_none());
}

/// The other half of what [`matrices`] asserts.
#[test]
fn an_adapter_without_matrices_says_that_they_are_missing() {
    if is_off() || adapter().tier() == Tier::Matrices {
        return;
    }
    let mut gpu = adapter().open(LIMITS).unwrap();
    assert_eq!(gpu.refusal(), Some(&Refusal::Missing));
    Case::new([65, 33, 66], [1.0, 1.0]).hold(Factors::F32, &mut gpu);
}
