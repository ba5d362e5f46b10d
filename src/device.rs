//! The choice of what computes.

use core::error::Error;

use aprm_core::backend::Backend;
use aprm_ndarray::Cpu;
use clap::{Args, ValueEnum};

#[cfg(feature = "gpu")]
use crate::output::tell;

/// A backend that subcommands work with.
pub(crate) trait Device: Backend<Scalar = f32, Error: Error + Send + Sync + 'static> {}

impl<B: Backend<Scalar = f32, Error: Error + Send + Sync + 'static>> Device for B {}

/// What a device says when it fails, or cannot be had.
pub(crate) type DeviceError = Box<dyn Error + Send + Sync>;

#[derive(Debug, Args)]
pub(crate) struct DeviceArgs {
    /// What computes.
    #[arg(long, value_enum, default_value_t = BackendName::Cpu)]
    backend: BackendName,

    /// The GPU: its number in `aprm env`, or a part of its name [default: the first; APRM_ADAPTER].
    #[cfg(feature = "gpu")]
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,

    /// Products by the GPU's matrix units, of numbers rounded to 11 bits; in f32, and saying so, where they fail a check.
    #[cfg(feature = "gpu")]
    #[arg(long)]
    matrices: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BackendName {
    Cpu,
    #[cfg(feature = "gpu")]
    Gpu,
}

/// A backend that is ready.
pub(crate) enum Opened {
    Cpu(Cpu<f32>),
    #[cfg(feature = "gpu")]
    Gpu(Box<aprm_wgpu::Gpu>),
}

/// There is no such device.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct NoDevice(DeviceError);

impl DeviceArgs {
    /// Whether all work is for one device.
    pub(crate) fn is_gpu(&self) -> bool {
        self.backend != BackendName::Cpu
    }

    pub(crate) fn open(&self) -> Result<Opened, NoDevice> {
        match self.backend {
            BackendName::Cpu => Ok(Opened::Cpu(Cpu::new())),
            #[cfg(feature = "gpu")]
            BackendName::Gpu => self.open_gpu().map_err(|error| NoDevice(Box::new(error))),
        }
    }

    #[cfg(feature = "gpu")]
    fn open_gpu(&self) -> Result<Opened, aprm_wgpu::GpuError> {
        let name = self.adapter.clone().or_else(|| std::env::var("APRM_ADAPTER").ok());
        let adapter = aprm_wgpu::Adapter::choose(name.as_deref())?;
        let mut limits = aprm_wgpu::Limits::default();
        if self.matrices {
            limits.tier = aprm_wgpu::Tier::Matrices;
        }
        let gpu = adapter.open(limits)?;
        if let Some(refusal) = gpu.refusal() {
            tell(&format!("warning: products are in f32, without matrix units: {refusal}"));
        }
        Ok(Opened::Gpu(Box::new(gpu)))
    }
}

/// Does the same with whichever backend was opened.
macro_rules! with_device {
    ($opened:expr, |$device:ident| $work:expr) => {
        match $opened {
            $crate::device::Opened::Cpu($device) => $work,
            #[cfg(feature = "gpu")]
            $crate::device::Opened::Gpu(gpu) => {
                let $device = *gpu;
                $work
            }
        }
    };
}

pub(crate) use with_device;
