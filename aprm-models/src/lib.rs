//! Language models over any backend: what plays APRM's game.
//!
//! | to | look in |
//! |---|---|
//! | read a Hugging Face `config.json` | [`config`] |
//! | know a model's tensors and their names | [`layout`] |
//! | run a model forwards and backwards | [`transformer`] |
//! | continue prompts | [`generate`] |

pub mod config;
pub mod generate;
pub mod layout;
pub mod transformer;
