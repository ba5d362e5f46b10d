//! The CPU backend: the transformer's kernels over packed products and rayon.
//!
//! [`Cpu`] runs on the rayon pool that it is called from, and equal inputs give equal bits for any number of threads.
//!
//! # Examples
//! ```
//! use aprm_core::backend::{Backend, LinearDims};
//! use aprm_ndarray::Cpu;
//!
//! let mut cpu = Cpu::new();
//! let (x, weight, mut out) = (vec![1.0, 2.0], vec![3.0, 4.0], vec![0.0]);
//! let dims = LinearDims { rows: 1, inputs: 2, outputs: 1, accumulate: false };
//! cpu.linear_forward(dims, &x, &weight, None, &mut out)?;
//! assert_eq!(out, [11.0]);
//! # Ok::<(), std::convert::Infallible>(())
//! ```

mod advantages;
mod attention;
mod backend;
mod cache;
mod gather_rows;
mod gemm;
mod lanes;
mod linear;
mod losses;
mod matrix;
mod policy;
mod real;
mod relu;
mod rms_norm;
mod rope;
mod sample;
mod swiglu;
mod threads;
mod vectors;

pub use backend::Cpu;
