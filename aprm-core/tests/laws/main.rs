//! The laws that aprm-core is held to: every displayed equation has a test that bears its name.

mod advantage;
mod corruption;
mod dynamics;
mod equilibrium;
mod gae;
mod gradient;
mod kuhn;
mod metrics;
mod optimizer;
mod policy;
mod ppo;
mod returns;
mod reward;
mod round;
mod scalar;
mod schedule;
mod search;
mod vector_space;
