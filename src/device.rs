//! The choice of what computes.

use core::error::Error;

use aprm_core::backend::Backend;
use aprm_ndarray::Cpu;
use aprm_wgpu::{Adapter, Gpu, GpuError, Limits};
use clap::{Args, ValueEnum};

/// A backend that subcommands work with.
pub(crate) trait Device: Backend<Scalar = f32, Error: Error + Send + Sync + 'static> {}

impl<B: Backend<Scalar = f32, Error: Error + Send + Sync + 'static>> Device for B {}

/// What a device says when it fails.
pub(crate) type DeviceError = Box<dyn Error + Send + Sync>;

#[derive(Debug, Args)]
pub(crate) struct DeviceArgs {
    /// What computes.
    #[arg(long, value_enum, default_value_t = BackendName::Cpu)]
    backend: BackendName,

    /// The GPU: its number in `aprm env`, or a part of its name [default: the first; APRM_ADAPTER].
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BackendName {
    Cpu,
    Gpu,
}

/// A backend that is ready.
pub(crate) enum Opened {
    Cpu(Cpu<f32>),
    Gpu(Box<Gpu>),
}

impl DeviceArgs {
    pub(crate) fn open(&self) -> Result<Opened, GpuError> {
        match self.backend {
            BackendName::Cpu => Ok(Opened::Cpu(Cpu::new())),
            BackendName::Gpu => {
                let name = self.adapter.clone().or_else(|| std::env::var("APRM_ADAPTER").ok());
                Ok(Opened::Gpu(Box::new(Adapter::choose(name.as_deref())?.open(Limits::default())?)))
            }
        }
    }
}

/// Does the same with whichever backend was opened.
macro_rules! with_device {
    ($opened:expr, |$device:ident| $work:expr) => {
        match $opened {
            $crate::device::Opened::Cpu($device) => $work,
            $crate::device::Opened::Gpu(gpu) => {
                let $device = *gpu;
                $work
            }
        }
    };
}

pub(crate) use with_device;
