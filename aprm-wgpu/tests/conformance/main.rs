//! The backend is held to the suite that every backend must pass, with subgroups and without.
//!
//! A machine without a GPU runs it in software: on Debian `apt-get install mesa-vulkan-drivers`.
//! `APRM_ADAPTER` names another adapter than the first; `LP_NATIVE_VECTOR_WIDTH` of 128, 256 and 512 gives Mesa's
//! subgroups of 4, 8 and 16.

use aprm_wgpu::{Adapter, Gpu, Limits, Tier};

fn gpu(tier: Tier) -> Gpu {
    let name = std::env::var("APRM_ADAPTER").ok();
    let adapter = Adapter::choose(name.as_deref()).unwrap_or_else(|error| panic!("{error}"));
    adapter.open(Limits { tier, ..Limits::default() }).unwrap_or_else(|error| panic!("{error}"))
}

mod plain {
    aprm_conformance::conformance_tests!(super::gpu(aprm_wgpu::Tier::Plain));
}

mod subgroups {
    aprm_conformance::conformance_tests!(super::gpu(aprm_wgpu::Tier::Subgroups));
}
