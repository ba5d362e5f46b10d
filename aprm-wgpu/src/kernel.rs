//! The kernels, one for each file of `shaders`, and what a device makes of them.

use std::collections::HashMap;

/// A shader as the build left it: imports expanded, validated.
pub(crate) struct Shader {
    pub(crate) name: &'static str,
    plain: &'static str,
    with_subgroups: Option<&'static str>,
    /// Whether each binding is written to.
    writes: &'static [bool],
}

macro_rules! kernels {
    ($($variant:ident $name:literal $plain:literal $with_subgroups:expr => $writes:expr,)*) => {
        /// A compute shader.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Kernel {
            $($variant,)*
        }

        impl Kernel {
            pub(crate) fn shader(self) -> &'static Shader {
                match self {
                    $(Self::$variant => &Shader {
                        name: $name,
                        plain: $plain,
                        with_subgroups: $with_subgroups,
                        writes: &$writes,
                    },)*
                }
            }
        }
    };
}

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

/// What shaders may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Nothing but `f32` and memory that a workgroup shares.
    Plain,
    /// Sums within subgroups.
    Subgroups,
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Subgroups => "subgroups",
        })
    }
}

/// The bytes that a kernel may be told directly; every device has as many.
pub(crate) const IMMEDIATE_SIZE: u32 = 64;

/// The pipelines of a device, each made when it is first needed.
#[derive(Debug)]
pub(crate) struct Pipelines {
    tier: Tier,
    pipelines: HashMap<(Kernel, Option<u32>), Pipeline>,
}

#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) compute: wgpu::ComputePipeline,
    pub(crate) bindings: wgpu::BindGroupLayout,
}

impl Pipelines {
    pub(crate) fn new(tier: Tier) -> Self {
        Self { tier, pipelines: HashMap::new() }
    }

    pub(crate) fn tier(&self) -> Tier {
        self.tier
    }

    /// The pipeline of a kernel, and of a head dimension where it has one.
    pub(crate) fn get(&mut self, device: &wgpu::Device, kernel: Kernel, head_dim: Option<u32>) -> Pipeline {
        let tier = self.tier;
        self.pipelines
            .entry((kernel, head_dim))
            .or_insert_with(|| Pipeline::new(device, kernel, head_dim, tier))
            .clone()
    }
}

impl Pipeline {
    fn new(device: &wgpu::Device, kernel: Kernel, head_dim: Option<u32>, tier: Tier) -> Self {
        let shader = kernel.shader();
        let label = Some(shader.name);
        let source = match tier {
            Tier::Plain => shader.plain,
            Tier::Subgroups => shader.with_subgroups.unwrap_or(shader.plain),
        };
        let entries: Vec<_> = (0..)
            .zip(shader.writes)
            .map(|(binding, writes)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage { read_only: !writes },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let bindings = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&bindings)],
            immediate_size: IMMEDIATE_SIZE,
        });
        let constants: Vec<_> = head_dim.map(|head_dim| ("HEAD_DIM", f64::from(head_dim))).into_iter().collect();
        let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&layout),
            module: &device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label,
                source: wgpu::ShaderSource::Wgsl(source.into()),
            }),
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        Self { compute, bindings }
    }
}
