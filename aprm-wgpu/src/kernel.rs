//! The kernels, one for each file of `shaders`, and what a device makes of them.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::matrices::Matrices;

/// A shader as the build left it: imports expanded, validated.
pub(crate) struct Shader {
    pub(crate) name: &'static str,
    versions: &'static [Version],
}

struct Version {
    /// The word that parts have in their names, none for the plain one.
    word: &'static str,
    /// Whether weights are packed.
    is_packed: bool,
    /// Whether it works on four numbers at a time.
    is_wide: bool,
    source: &'static str,
    /// The numbers of the bindings in ascending order, each with whether it is written to.
    bindings: &'static [(u32, bool)],
}

macro_rules! kernels {
    ($($variant:ident $name:literal $versions:expr,)*) => {
        /// A compute shader.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Kernel {
            $($variant,)*
        }

        impl Kernel {
            pub(crate) fn shader(self) -> &'static Shader {
                match self {
                    $(Self::$variant => &Shader { name: $name, versions: &$versions },)*
                }
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

impl Shader {
    /// The first of these versions that there is.
    fn version(&self, words: &[&str], is_packed: bool, is_wide: bool) -> &'static Version {
        let mut candidates = words.iter().map(|word| (*word, is_packed, is_wide));
        let kind = |version: &Version| (version.word, version.is_packed, version.is_wide);
        let find = |wanted| self.versions.iter().find(|version| kind(version) == wanted);
        candidates.find_map(find).unwrap_or_else(|| panic!("{} has no version {words:?}", self.name))
    }

    /// Whether it has a version that works on four numbers at a time.
    pub(crate) fn has_wide(&self) -> bool {
        self.versions.iter().any(|version| version.is_wide)
    }

    /// Whether its weights, at [`WEIGHTS`], may be packed.
    pub(crate) fn takes_packed(&self) -> bool {
        self.versions.iter().any(|version| version.is_packed)
    }
}

/// What shaders may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Nothing but `f32` and memory that a workgroup shares.
    Plain,
    /// Sums within subgroups.
    Subgroups,
    /// Products by cooperative matrices, which are also called tensor cores: of `f16`, summed in `f32`.
    ///
    /// An entry of an operand is rounded to `f16`, hence to 11 bits, after its operand is multiplied by the power of
    /// two that brings its largest finite entry to between 2¹⁴ and 2¹⁵. So nothing overflows, and what is not finite in
    /// the result is so in `f32` too or comes of what is not finite; but what is less than 2⁻²⁸ of its operand's
    /// largest entry loses bits or counts as zero, and only there does what becomes of a row depend on what stands
    /// beside it in a batch.
    ///
    /// ```text
    /// |out − x Wᵀ| ≤ 2⁻¹⁰ Σ|x||W| + 2⁻²⁸ (max|x| Σ|W| + max|W| Σ|x|) + what summing in f32 takes
    /// ```
    ///
    /// This is where a device rounds to nearest; one that cuts off has 2⁻⁹.
    Matrices,
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Subgroups => "subgroups",
            Self::Matrices => "matrices",
        })
    }
}

/// The place of `weight.wgsl`'s buffer among a kernel's.
pub(crate) const WEIGHTS: usize = 1;

/// The bytes that a kernel may be told directly; every device has as many.
pub(crate) const IMMEDIATE_SIZE: u32 = 64;

/// What an adapter's shaders are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Means {
    /// Whether there are subgroups.
    pub(crate) subgroups: bool,
    /// The cooperative matrices that are used.
    pub(crate) matrices: Option<Matrices>,
    /// What stands in these matrices' shaders for what, where the check of them is itself checked.
    pub(crate) fault: Option<(&'static str, &'static str)>,
}

impl Means {
    pub(crate) fn tier(self) -> Tier {
        match self {
            Self { matrices: Some(_), .. } => Tier::Matrices,
            Self { subgroups: true, .. } => Tier::Subgroups,
            Self { .. } => Tier::Plain,
        }
    }

    /// The versions of shaders from the best on, but for products by matrices.
    fn versions(self) -> &'static [&'static str] {
        if self.subgroups { &["subgroups", ""] } else { &[""] }
    }
}

/// Which of a kernel's pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// The only one.
    Only,
    /// The one for heads of so many channels.
    HeadDim(u32),
    /// The one with the smallest blocks.
    Small,
    /// The one with the largest blocks.
    Large,
    /// The one by cooperative matrices, of which a subgroup has so many rows.
    Matrices(u32),
    /// The one that works on four numbers at a time.
    Wide,
}

/// The pipelines of a device, each made when it is first needed.
#[derive(Debug)]
pub(crate) struct Pipelines {
    means: Means,
    pipelines: HashMap<(Kernel, Form, bool), Pipeline>,
}

#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) compute: wgpu::ComputePipeline,
    pub(crate) layout: wgpu::BindGroupLayout,
    /// The numbers of the bindings.
    pub(crate) bindings: &'static [(u32, bool)],
}

impl Pipelines {
    pub(crate) fn new(means: Means) -> Self {
        Self { means, pipelines: HashMap::new() }
    }

    pub(crate) fn tier(&self) -> Tier {
        self.means.tier()
    }

    pub(crate) fn matrices(&self) -> Option<Matrices> {
        self.means.matrices
    }

    /// The pipeline of a kernel, on packed weights or without.
    pub(crate) fn get(&mut self, device: &wgpu::Device, kernel: Kernel, form: Form, is_packed: bool) -> Pipeline {
        let means = self.means;
        let new = || Pipeline::new(device, kernel, form, is_packed, means);
        self.pipelines.entry((kernel, form, is_packed)).or_insert_with(new).clone()
    }
}

impl Pipeline {
    fn new(device: &wgpu::Device, kernel: Kernel, form: Form, is_packed: bool, means: Means) -> Self {
        let shader = kernel.shader();
        let label = Some(shader.name);
        let versions = match form {
            Form::Small => &["small"],
            Form::Large => &["large"],
            Form::Matrices(_) => &[means.matrices.expect("they are there").word()],
            Form::Only | Form::HeadDim(_) | Form::Wide => means.versions(),
        };
        let &Version { source, bindings, .. } = shader.version(versions, is_packed, form == Form::Wide);
        let constants = match (form, means.matrices) {
            (Form::HeadDim(head_dim), _) => vec![("HEAD_DIM", f64::from(head_dim))],
            (Form::Matrices(patch_rows), Some(Matrices { lanes, .. })) => {
                vec![("LANES", lanes.into()), ("PATCH_ROWS", patch_rows.into())]
            }
            (_, Some(Matrices { side, .. })) if kernel == Kernel::Tiles => vec![("TILE", side.into())],
            _ => Vec::new(),
        };
        let mut source = Cow::Borrowed(source);
        let is_of_matrices = matches!(form, Form::Matrices(_)) || kernel == Kernel::Tiles;
        if let Some((sound, faulty)) = means.fault.filter(|_| is_of_matrices) {
            source = source.replace(sound, faulty).into();
        }
        let entries: Vec<_> = bindings
            .iter()
            .map(|&(binding, written)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage { read_only: !written },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: IMMEDIATE_SIZE,
        });
        let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&pipeline_layout),
            module: &module(device, shader.name, source),
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        Self { compute, layout, bindings }
    }
}

/// A shader without the counters that wgpu otherwise puts into every loop, so that it certainly ends.
#[expect(unsafe_code, reason = "wgpu leaves checks out in no other way")]
fn module(device: &wgpu::Device, name: &'static str, source: Cow<'static, str>) -> wgpu::ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptor { label: Some(name), source: wgpu::ShaderSource::Wgsl(source) };
    let mut checks = wgpu::ShaderRuntimeChecks::checked();
    checks.force_loop_bounding = false;
    // SAFETY: what is asked of the caller is that every loop ends. Shaders are the crate's own, and their loops count up
    // to a number that they do not change, or halve one.
    unsafe { device.create_shader_module_trusted(descriptor, checks) }
}
