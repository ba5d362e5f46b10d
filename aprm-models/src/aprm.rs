//! APRM: a generator and a verifier that train each other.
//!
//! A generator G rewrites a gold step into a wrong but plausible one, an oracle says whether it is wrong, the verifier R
//! labels it; both learn at once by policy gradients with optimistic gradient descent-ascent, held to where they began
//! by a divergence and kept open by entropy (arXiv 2511.22888).
//!
//! Known of the paper are the game, OGDA, PPO, the divergence and the entropy. Ours are the defaults of [`config`], the
//! cross-entropy of the verdict, the hints within steps, the share of the rules, the generator's beginning from a language
//! model's own errors and the mean of the verifier's weights;
//! `ARCHITECTURE.md` lists where we depart.
//!
//! | to | look in |
//! |---|---|
//! | set a run up | [`config`] |
//! | say what the game is played on | [`task`] |
//! | play | [`game`] |

pub mod arithmetic_task;
pub mod attempt_scores;
pub mod attempts;
pub mod collection;
pub mod config;
pub mod critic;
pub mod error;
pub mod evaluation;
pub mod game;
mod game_state;
pub mod generator_loss;
pub mod gsm8k_task;
pub mod health;
pub mod labelled;
pub mod league;
pub mod lesson;
mod lesson_loss;
pub mod model;
pub mod own_errors;
pub mod players;
pub mod pretraining;
pub mod prompt;
mod rewriting;
mod room;
pub mod round_report;
pub mod row_scores;
pub mod solver;
pub mod streams;
pub mod supervised;
mod surrogate;
pub mod task;
pub mod token_policy;
pub mod verifier_loss;
pub mod warm_start;
pub mod win_rates;
