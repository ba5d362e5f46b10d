//! The CPU backend: the transformer's kernels over ndarray's threaded GEMM and rayon.
//!
//! Not built yet: this crate holds its purpose and nothing else.
