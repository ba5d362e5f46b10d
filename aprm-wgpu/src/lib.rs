//! The GPU backend: the transformer's kernels as WGSL compute shaders on Vulkan, Metal and DX12.
//!
//! [`Adapter::choose`] finds a GPU, [`Adapter::open`] makes a [`Gpu`] of it, and that is a
//! [`Backend`](aprm_core::backend::Backend) in `f32` like any other:
//!
//! ```no_run
//! use aprm_core::backend::Backend;
//! use aprm_wgpu::{Adapter, Limits};
//!
//! let mut gpu = Adapter::choose(None)?.open(Limits::default())?;
//! let mut x = gpu.allocate(3)?;
//! gpu.fill(3, 2.0, &mut x)?;
//! let mut out = [0.0; 3];
//! gpu.read(&x, 0, &mut out)?;
//! assert_eq!(out, [2.0; 3]);
//! # Ok::<_, aprm_wgpu::GpuError>(())
//! ```
//!
//! Each kernel is a file of `shaders`, named as the method of the trait; a method that takes more than one kernel has its
//! name in all of them.
//! Calls are recorded and handed to the device in groups; only reads wait.
//!
//! What shaders use is a [`Tier`].
//! The highest, [`Tier::Matrices`], multiplies in `f16` and has to be asked for:
//!
//! ```no_run
//! use aprm_wgpu::{Adapter, Limits, Tier};
//!
//! let gpu = Adapter::choose(None)?.open(Limits { tier: Tier::Matrices, ..Limits::default() })?;
//! if let Some(refusal) = gpu.refusal() {
//!     eprintln!("products are in f32: {refusal}");
//! }
//! # Ok::<_, aprm_wgpu::GpuError>(())
//! ```

mod adapter;
mod backend;
mod bfloat16;
mod buffer;
mod check;
mod error;
mod kernel;
mod matrices;
mod queue;

pub use adapter::{Adapter, Limits};
pub use backend::Gpu;
pub use buffer::Buffer;
pub use check::Refusal;
pub use error::GpuError;
pub use kernel::Tier;
pub use queue::Work;
