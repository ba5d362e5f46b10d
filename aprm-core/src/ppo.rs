//! The losses of proximal policy optimization, with their gradients.
//!
//! Both losses are minimised.
//! The functions of one token return `(loss, gradient)`; those over slices return the mean over the unmasked tokens,
//! with statistics, and write the gradient of that mean.
//! A masked token has no effect, whatever stands at its index, and a gradient of exactly zero; a mask without a token
//! gives zeros.
//! A NaN that is not masked reaches the loss.
//! Sums over tokens are taken in `f64`: in `f32` the mean ratio of a million tokens would read one whatever it is.
//!
//! To add up micro-batches as if they were one batch, weight each loss and gradient by its share of the `tokens`.

mod clipped_surrogate;
mod clipped_value_loss;

pub use clipped_surrogate::{ClipRange, ClippedSurrogate, clipped_surrogate, mean_clipped_surrogate};
pub use clipped_value_loss::{ClippedValueLoss, clipped_value_loss, mean_clipped_value_loss};

/// Number of tokens that are not masked.
fn unmasked(mask: &[bool]) -> usize {
    mask.iter().filter(|&&kept| kept).count()
}
