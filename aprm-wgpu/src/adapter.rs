//! The GPUs of a machine.

use std::panic::{self, AssertUnwindSafe};

use crate::check::{Refusal, check_products};
use crate::kernel::{IMMEDIATE_SIZE, Means, Tier};
use crate::matrices::{self, Matrices};
use crate::{Gpu, GpuError};

/// A GPU, or a processor that stands in for one, before it is opened.
#[derive(Clone, Debug)]
pub struct Adapter {
    adapter: wgpu::Adapter,
    info: wgpu::AdapterInfo,
}

/// What [`Adapter::open`] may take of an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most that shaders may use; an adapter that has less uses less. By default that is all that leaves numbers as
    /// they are: [`Tier::Matrices`] rounds, so it is asked for.
    pub tier: Tier,
    /// The most bytes of a buffer.
    pub binding_size: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { tier: Tier::Subgroups, binding_size: u64::MAX }
    }
}

impl Adapter {
    /// All there are, discrete GPUs first and software last.
    pub fn all() -> Vec<Self> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        descriptor.flags.remove(wgpu::InstanceFlags::DEBUG);
        let instance = wgpu::Instance::new(descriptor);
        let found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
        let mut adapters: Vec<_> =
            found.into_iter().map(|adapter| Self { info: adapter.get_info(), adapter }).collect();
        adapters.sort_by_key(|adapter| match adapter.info.device_type {
            wgpu::DeviceType::DiscreteGpu => 0,
            wgpu::DeviceType::IntegratedGpu => 1,
            wgpu::DeviceType::VirtualGpu => 2,
            wgpu::DeviceType::Other => 3,
            wgpu::DeviceType::Cpu => 4,
        });
        adapters
    }

    /// The first whose name contains `name`, in whatever case, or whose number in [`Adapter::all`] it is; the first of
    /// all if it is `None`.
    ///
    /// # Errors
    /// [`GpuError::NoAdapter`], with the names of those that are there.
    pub fn choose(name: Option<&str>) -> Result<Self, GpuError> {
        let adapters = Self::all();
        let names: Vec<_> = adapters.iter().map(Self::name).collect();
        let found = match name {
            None => Some(0),
            Some(name) => name
                .parse()
                .ok()
                .or_else(|| names.iter().position(|found| found.to_lowercase().contains(&name.to_lowercase()))),
        };
        found.and_then(|index: usize| adapters.get(index).cloned()).ok_or_else(|| GpuError::NoAdapter {
            wanted: name
                .map_or_else(|| "with a driver for Vulkan, Metal or DX12".to_owned(), |name| format!("{name:?}")),
            found: names.join(", "),
        })
    }

    /// Its name and the interface it is reached by.
    pub fn name(&self) -> String {
        format!("{} ({})", self.info.name, self.info.backend)
    }

    /// What its driver calls itself.
    pub fn driver(&self) -> String {
        format!("{} {}", self.info.driver, self.info.driver_info)
    }

    /// What kind of device it is.
    pub fn kind(&self) -> &'static str {
        match self.info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Other => "other",
            wgpu::DeviceType::Cpu => "software",
        }
    }

    /// The most that shaders can use on it.
    pub fn tier(&self) -> Tier {
        self.means(Tier::Matrices).tier()
    }

    /// The least and the most invocations in a subgroup.
    pub fn subgroup_size(&self) -> [u32; 2] {
        [self.info.subgroup_min_size, self.info.subgroup_max_size]
    }

    /// The most bytes of a buffer that a kernel can work on; at most 2³¹ − 4, since shaders count entries, and on Metal
    /// bytes, in 32 bits.
    pub fn binding_size(&self) -> u64 {
        let limits = self.adapter.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(i32::MAX as u64 & !3)
    }

    /// The bytes that a workgroup can share.
    pub fn workgroup_memory(&self) -> u32 {
        self.adapter.limits().max_compute_workgroup_storage_size
    }

    fn means(&self, tier: Tier) -> Means {
        let subgroups = tier >= Tier::Subgroups && self.adapter.features().contains(wgpu::Features::SUBGROUP);
        let matrices = if tier >= Tier::Matrices { Matrices::of(&self.adapter) } else { None };
        Means { subgroups, matrices, fault: None }
    }

    /// A backend on this adapter.
    ///
    /// With [`Tier::Matrices`] it first computes products of known result several times; where one is wrong, does not
    /// repeat or fails, the backend has the next lower tier, and [`Gpu::refusal`] says why. A driver that crashes is
    /// beyond that.
    ///
    /// # Errors
    /// If the adapter lacks what every kernel needs, or its driver gives no device.
    pub fn open(&self, limits: Limits) -> Result<Gpu, GpuError> {
        self.open_means(self.means(limits.tier), limits)
    }

    /// As [`Adapter::open`], after one text has taken another's place in the shaders of cooperative matrices: so the
    /// check of them can be shown to fail.
    #[doc(hidden)]
    pub fn open_with_fault(&self, limits: Limits, fault: (&'static str, &'static str)) -> Result<Gpu, GpuError> {
        self.open_means(Means { fault: Some(fault), ..self.means(limits.tier) }, limits)
    }

    fn open_means(&self, means: Means, limits: Limits) -> Result<Gpu, GpuError> {
        let refusal = if means.matrices.is_some() {
            match self.open_checked(means, limits) {
                Ok(gpu) => return Ok(gpu),
                Err(refusal) => Some(refusal),
            }
        } else {
            (limits.tier == Tier::Matrices).then_some(Refusal::Missing)
        };
        Ok(self.open_unchecked(Means { matrices: None, ..means }, limits)?.refused(refusal))
    }

    /// A backend whose products are as they should be. A device that promises matrices and refuses them makes wgpu
    /// panic, and so do mistakes of the translation; there is nothing here that a panic leaves half done.
    fn open_checked(&self, means: Means, limits: Limits) -> Result<Gpu, Refusal> {
        let open = || {
            let mut gpu = self.open_unchecked(means, limits)?;
            check_products(&mut gpu)?;
            Ok(gpu)
        };
        panic::catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(Refusal::Panics(text.unwrap_or("it does not say why").to_owned()))
        })
    }

    fn open_unchecked(&self, means: Means, limits: Limits) -> Result<Gpu, GpuError> {
        if !self.adapter.features().contains(wgpu::Features::IMMEDIATES) {
            return Err(GpuError::MissingFeature { adapter: self.name(), feature: "immediate data (push constants)" });
        }
        let mut required_features = wgpu::Features::IMMEDIATES;
        required_features.set(wgpu::Features::SUBGROUP, means.subgroups);
        let binding_size = self.binding_size().min(limits.binding_size) & !3;
        // Beyond the size of buffers no more than every device grants: what runs here runs elsewhere.
        let mut required_limits = wgpu::Limits {
            max_storage_buffer_binding_size: binding_size,
            max_buffer_size: binding_size,
            max_immediate_size: IMMEDIATE_SIZE,
            ..wgpu::Limits::default()
        };
        let mut experimental_features = wgpu::ExperimentalFeatures::disabled();
        if let Some(Matrices { lanes, .. }) = means.matrices {
            required_features |= matrices::FEATURES;
            experimental_features = matrices::experimental_features();
            for limit in [
                &mut required_limits.max_compute_invocations_per_workgroup,
                &mut required_limits.max_compute_workgroup_size_x,
            ] {
                *limit = lanes.max(*limit);
            }
        }
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("aprm"),
            required_features,
            required_limits,
            experimental_features,
            memory_hints: wgpu::MemoryHints::Performance,
            trace: wgpu::Trace::Off,
        };
        let (device, queue) = pollster::block_on(self.adapter.request_device(&descriptor))
            .map_err(|error| GpuError::NoDevice { adapter: self.name(), reason: error.to_string() })?;
        Ok(Gpu::new(self.name(), device, queue, means, binding_size))
    }
}
