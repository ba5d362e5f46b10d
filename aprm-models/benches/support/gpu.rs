//! The GPU that a bench runs on.

use aprm_wgpu::{Adapter, Gpu, GpuError, Limits, Tier};

/// The one that `APRM_ADAPTER` names, or else the first; says on standard error which, and what its products are
/// computed by.
pub(crate) fn open(wants_matrices: bool) -> Result<Gpu, GpuError> {
    let mut limits = Limits::default();
    if wants_matrices {
        limits.tier = Tier::Matrices;
    }
    let name = std::env::var("APRM_ADAPTER").ok();
    let gpu = Adapter::choose(name.as_deref())?.open(limits)?;
    eprintln!("{}, tier {}", gpu.adapter(), gpu.tier());
    if let Some(refusal) = gpu.refusal() {
        eprintln!("{refusal}");
    }
    Ok(gpu)
}
