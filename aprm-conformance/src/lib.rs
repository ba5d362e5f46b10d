//! The one test suite that every backend must pass.

mod bounded;
pub mod naive;
mod number;

pub use bounded::Bounded;
pub use naive::Naive;
pub use number::Number;
