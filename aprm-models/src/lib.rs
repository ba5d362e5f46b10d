//! The decoder-only transformer over any backend, checkpoints, tokenizers, data, oracles and the APRM, Adv-RM and PAV recipes.
//!
//! Not built yet: this crate holds its purpose and nothing else.
