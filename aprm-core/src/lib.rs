//! Games, players, oracles, rewards and optimizers for adversarially trained process reward models.
//!
//! The crate is `no_std`, forbids unsafe code and needs no allocator for its maths.
//! It never logs, reads a clock, spawns a thread or keeps a random generator: the caller passes every slice that is
//! written, every generator that is drawn from, and decides when the next step is taken.
//!
//! | to | look in |
//! |---|---|
//! | put one's own players and oracle into a game and step through it | [`player`], [`oracle`], [`reward`], [`round`] |
//! | make two players learn | [`optimizer`], [`game`], [`dynamics`] |
//! | solve small games exactly and measure the distance from equilibrium | [`equilibrium`] |
//! | turn rewards into policy gradients | [`policy`], [`returns`], [`gae`], [`advantage`], [`ppo`] |
//! | choose among a solver's answers | [`search`] |
//! | judge a reward model | [`metrics`] |
//! | run a transformer on a device of one's own | [`backend`] |
//!
//! # Conventions
//! Utilities are maximised and losses minimised; [`game::Game::pseudo_gradient`] is the one place where the sign flips.
//! A reward is sampled, a payoff is a table entry, a utility is a regularised expectation.
//!
//! # Features
//! `alloc` (default): what returns or keeps a growing collection, that is [`search`] and support enumeration.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

pub use rand_core;

pub mod advantage;
pub mod backend;
pub mod dynamics;
pub mod equilibrium;
pub mod gae;
pub mod game;
pub mod metrics;
pub mod optimizer;
pub mod oracle;
pub mod player;
pub mod policy;
pub mod ppo;
pub mod returns;
pub mod reward;
pub mod round;
pub mod scalar;
#[cfg(feature = "alloc")]
pub mod search;
mod sum;
