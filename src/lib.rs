//! Adversarially trained process reward models.
pub use aprm_core as core;
