//! The GPU backend: the transformer's kernels as WGSL compute shaders on Vulkan, Metal and DX12.
//!
//! Not built yet: this crate holds its purpose and nothing else.
