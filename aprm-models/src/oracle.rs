//! The judges: which steps are right, as far as arithmetic can tell.
//!
//! | steps of | are judged by |
//! |---|---|
//! | the built-in problems | [`ArithmeticOracle`], exactly |
//! | any problem with gold steps in sentences, such as GSM8K | [`GoldStepOracle`], by the arithmetic that they show |
//! | any problem, by a program of yours | [`ProcessOracle`] |
//! | two of these together | [`FirstDecisive`], [`Agreement`] |
//!
//! Beneath them lie exact [`Rational`] numbers, [`Expression`]s and [`Equation`]s. What these cannot read or hold is
//! undecidable: no text makes a judge guess or panic.

mod arithmetic;
mod composite;
mod context;
mod equation;
mod expression;
mod gold_step;
mod latex;
mod process;
mod rational;

pub use arithmetic::{ArithmeticOracle, ChainVerdict, Leniency, UnfitContext};
pub use composite::{Agreement, CompositeError, FirstDecisive};
pub use context::Context;
pub use equation::{Equation, Truth, annotations, equations, partial_equations, without_annotations};
pub use expression::{Expression, ExpressionError};
pub use gold_step::GoldStepOracle;
pub use latex::without_latex;
pub use process::{ProcessError, ProcessOracle};
pub use rational::Rational;
