//! Problems made here: arithmetic over a few named quantities, whose every step can be checked exactly.
//!
//! A [`Problem`] is a number of givens and operations on them, the last of which is asked for. It reads either without
//! words or as short sentences, and its solution has one line for each operation:
//!
//! ```text
//! a=16;b=2;c=a*b;d=c-a?          Tom has 16 pens. Ann has 2 times as many as Tom. Bob has what Ann has beyond Tom. ...
//! c=16*2=32                      Ann: 16*2=32 pens
//! d=32-16=16                     Bob: 32-16=16 pens
//! ```
//!
//! A [`Distribution`] says which problems are drawn, [`Preset`] names those that a model is trained on and those it is
//! tried on, and [`Part`] keeps the two apart. [`corrupt`] makes the errors that people make, [`classify`] tells which
//! one a step is. The judge of such steps is [`crate::oracle::ArithmeticOracle`].

mod classify;
mod corruption;
mod distribution;
mod error_kind;
mod generate;
mod operator;
mod part;
mod preset;
mod problem;
mod step;
mod templates;
mod wording;

pub use classify::{Computed, Finding, classify};
pub use corruption::{corrupt, corrupt_any};
pub use distribution::{Distribution, DistributionError, Naming};
pub use error_kind::ErrorKind;
pub use operator::Operator;
pub use part::Part;
pub use preset::{Form, Preset};
pub use problem::{Operation, Problem, ProblemError};
pub use step::Step;
pub use templates::TemplateSet;

/// Every character that problems and their solutions are written in, line feeds included.
pub const ALPHABET: &str = "\n %'*+,-./0123456789:;=?ABDEFHIJKLMNPSTZabcdefghijklmnopqrstuvwxyz";
