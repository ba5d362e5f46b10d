//! Language models over any backend: what plays APRM's game.
//!
//! | to | look in |
//! |---|---|
//! | read a Hugging Face `config.json` | [`config`] |
//! | know a model's tensors and their names | [`layout`] |
//! | run a model forwards and backwards | [`transformer`] |

pub mod config;
pub mod layout;
pub mod transformer;
