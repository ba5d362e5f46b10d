//! Quadrants of the clips, first epoch, masks and gradients.

mod clipped_surrogate;
mod clipped_value_loss;
