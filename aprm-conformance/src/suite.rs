//! One function for each kernel, named as it is.

mod advantages;
mod attention;
mod bfloat16;
mod gather_rows;
mod linear;
mod losses;
mod memory;
mod operands;
mod policy;
mod relu;
mod rig;
mod rms_norm;
mod rope;
mod sample;
mod sequences;
mod swiglu;
mod vectors;

pub(crate) use advantages::{action_advantage, gae};
pub(crate) use attention::{attention_backward, attention_cached, attention_forward, cache_append};
pub(crate) use bfloat16::allocate_bf16;
pub(crate) use gather_rows::{gather_rows_backward, gather_rows_forward};
pub(crate) use linear::{linear_backward_input, linear_backward_weight, linear_forward};
pub(crate) use losses::{clipped_surrogate, soft_cross_entropy, squared_error};
pub(crate) use memory::memory;
pub(crate) use policy::{policy_backward, policy_forward};
pub(crate) use relu::{relu_backward, relu_forward};
pub(crate) use rig::Rig;
pub(crate) use rms_norm::{rms_norm_backward, rms_norm_forward};
pub(crate) use rope::{rope_backward, rope_forward};
pub(crate) use sample::sample;
pub(crate) use swiglu::{swiglu_backward, swiglu_forward};
pub(crate) use vectors::{adam_direction, axpy, clip, copy, fill, scale, sum_of_squares};

/// Zero, one, primes, and one off the edges of tiles.
const LENGTHS: [usize; 15] = [0, 1, 2, 3, 4, 7, 15, 31, 33, 64, 65, 127, 257, 1100, 4100];

/// Rows and channels that fit no tile.
const SHAPES: [(usize, usize); 10] =
    [(0, 5), (1, 1), (1, 257), (3, 31), (31, 3), (33, 33), (63, 65), (65, 64), (127, 2), (257, 15)];
