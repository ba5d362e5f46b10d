//! The models against transformers: what it computes on one small random model of each family.

mod transformer;
