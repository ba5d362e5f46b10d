//! Small games whose equilibria can be known: what an algorithm is held to before it meets a language model.
//!
//! [`Bilinear`] and [`Quadratic`] are games over vectors without constraints.
//! [`Bimatrix`], [`kuhn`] poker and the [`Corruption`] game are games over probabilities ([`SimplexGame`]); wrapped in
//! [`Regularized`] they get the KL and entropy terms of APRM and become a [`crate::game::Game`], over probabilities
//! or, by [`Logits`], over logits.

mod bilinear;
mod bimatrix;
mod corruption;
pub mod kuhn;
mod linear;
mod logits;
#[cfg(feature = "alloc")]
mod monotonicity;
mod quadratic;
#[cfg(feature = "alloc")]
mod random_quadratic;
mod regularized;
mod simplex;
#[cfg(feature = "alloc")]
mod support_enumeration;

pub use bilinear::Bilinear;
pub use bimatrix::Bimatrix;
pub use corruption::{Corruption, CorruptionBoard};
#[cfg(feature = "alloc")]
pub use linear::spectral_norm;
pub use linear::{SingularMatrix, solve_linear};
pub use logits::{LogitGradient, Logits};
#[cfg(feature = "alloc")]
pub use monotonicity::monotonicity_margin;
pub use quadratic::Quadratic;
#[cfg(feature = "alloc")]
pub use random_quadratic::RandomQuadratic;
pub use regularized::{InvalidReference, Regularized};
pub use simplex::{SimplexGame, Simplices, project_onto_simplex};
#[cfg(feature = "alloc")]
pub use support_enumeration::nash_equilibria;
