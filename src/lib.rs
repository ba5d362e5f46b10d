//! Adversarially trained process reward models: one name for the libraries of the project.
//!
//! | module | crate | holds |
//! |---|---|---|
//! | [`core`] | aprm-core | games, players, oracles, rewards, optimizers, search and metrics, without std |
//!
//! With the default feature `cli` it also reads the `aprm` command's `game_file`; without, it brings in nothing that
//! only the command needs.

pub use aprm_core as core;

#[cfg(feature = "cli")]
pub mod game_file;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
