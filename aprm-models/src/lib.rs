//! Language models over any backend: what plays APRM's game.
//!
//! | to | look in |
//! |---|---|
//! | read a Hugging Face `config.json` | [`config`] |
//! | know a model's tensors and their names | [`layout`] |
//! | load and save a Hugging Face folder | [`checkpoint`] |
//! | replace a file so that a crash cannot tear it | [`durable_file`] |
//! | read and write safetensors | [`safetensors`] |
//! | run a model forwards and backwards | [`transformer`] |
//! | continue prompts | [`generate`] |

pub mod checkpoint;
pub mod config;
pub mod durable_file;
pub mod generate;
pub mod layout;
pub mod safetensors;
pub mod transformer;
