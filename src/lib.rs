//! Adversarially trained process reward models: one name for the libraries of the project.
//!
//! | module | crate | holds |
//! |---|---|---|
//! | [`core`] | aprm-core | games, players, oracles, rewards, optimizers, search and metrics, without std |
//!
//! Without the default feature `cli` this library brings in nothing that only the `aprm` command needs.

pub use aprm_core as core;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
