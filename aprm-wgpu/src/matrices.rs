//! Which cooperative matrices an adapter has, of those that the shaders are written for.

/// Cooperative matrices of `f16` with sums in `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Matrices {
    /// Their rows, and their columns.
    pub(crate) side: u32,
    /// The invocations of a workgroup of `matrices.wgsl`.
    pub(crate) lanes: u32,
}

/// Patches of a block of `matrices.wgsl`, each of which is a subgroup's and two matrices wide: two rows of four.
const PATCHES: u32 = 8;

/// What a device is asked for, where it is to have them.
pub(crate) const FEATURES: wgpu::Features =
    wgpu::Features::SUBGROUP.union(wgpu::Features::SHADER_F16).union(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX);

impl Matrices {
    /// The word that stands for them in the names of shaders' parts.
    pub(crate) fn word(self) -> &'static str {
        if self.side == 8 { "matrices8" } else { "matrices16" }
    }

    /// The rows and columns of a block, of which each patch has so many rows of matrices.
    pub(crate) fn block(self, patch_rows: u32) -> [usize; 2] {
        [2 * patch_rows * self.side, 8 * self.side].map(|side| side as usize)
    }

    /// The largest of an adapter.
    pub(crate) fn of(adapter: &wgpu::Adapter) -> Option<Self> {
        if !adapter.features().contains(FEATURES) {
            return None;
        }
        let found = adapter.cooperative_matrix_properties();
        let side = [16, 8].into_iter().find(|&side| {
            found.iter().any(|matrices| {
                [matrices.m_size, matrices.n_size, matrices.k_size] == [side; 3]
                    && matrices.ab_type == wgpu::CooperativeScalarType::F16
                    && matrices.cr_type == wgpu::CooperativeScalarType::F32
            })
        })?;
        let info = adapter.get_info();
        // wgpu takes any of 4 to 64 for Metal's; GPUs that have its matrices have 32.
        let subgroup = if info.backend == wgpu::Backend::Metal { 32 } else { info.subgroup_max_size };
        let lanes = PATCHES * subgroup;
        let limits = adapter.limits();
        let most = limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x);
        (1..=most).contains(&lanes).then_some(Self { side, lanes })
    }
}

/// The leave to use what wgpu calls experimental.
#[expect(unsafe_code, reason = "wgpu gives this leave in no other way")]
pub(crate) fn experimental_features() -> wgpu::ExperimentalFeatures {
    // SAFETY: what is asked of the caller is to expect mistakes of wgpu. The shaders that need this are the crate's
    // own, and are used only where their products are what they should be.
    unsafe { wgpu::ExperimentalFeatures::enabled() }
}
