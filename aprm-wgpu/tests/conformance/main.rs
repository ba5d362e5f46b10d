//! The backend is held to the suite that every backend must pass, with subgroups and without, to the CPU's results, to
//! what products of cooperative matrices may be off by, and to what it promises when a device fails.
//!
//! A machine without a GPU runs it in software: on Debian, `apt-get install mesa-vulkan-drivers`.
//! `APRM_ADAPTER` names another adapter than the first, and `APRM_GPU=off` leaves these tests out;
//! Cooperative matrices in software want Mesa 26.1; where an adapter has none, their tests say so and are left out.
//! `LP_NATIVE_VECTOR_WIDTH` of 128, 256 and 512 gives Mesa's software subgroups of 4, 8 and 16.

mod cpu;
mod faults;
mod matrices;
mod packed;
mod products;

use aprm_wgpu::{Adapter, Gpu, Limits, Tier};

fn adapter() -> Adapter {
    let name = std::env::var("APRM_ADAPTER").ok();
    Adapter::choose(name.as_deref()).unwrap_or_else(|error| {
        panic!("{error}; `apt-get install mesa-vulkan-drivers` gives one in software, APRM_GPU=off goes without")
    })
}

fn gpu(tier: Tier) -> Gpu {
    adapter().open(Limits { tier, ..Limits::default() }).unwrap_or_else(|error| panic!("{error}"))
}

/// Whether the tests were switched off.
fn is_off() -> bool {
    let is_off = std::env::var("APRM_GPU").is_ok_and(|value| value == "off");
    if is_off {
        eprintln!("SKIPPED: APRM_GPU=off");
    }
    is_off
}

mod plain {
    aprm_conformance::conformance_tests!(super::gpu(aprm_wgpu::Tier::Plain), unless super::is_off());
}

mod subgroups {
    aprm_conformance::conformance_tests!(super::gpu(aprm_wgpu::Tier::Subgroups), unless super::is_off());
}
