//! Why a run cannot go on.

use core::error::Error;

use super::prompt::PromptError;
use crate::learner::{LearnerError, TooLong, UpdateError};

/// Why a run cannot go on; its state is that of the last round that ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E> {
    /// The device failed.
    #[error("the device failed")]
    Device(#[source] E),
    /// A learner cannot be made.
    #[error("the learner cannot be made: {0}")]
    Learner(LearnerError<E>),
    /// A learner cannot update.
    #[error("the {player} cannot update: {error}")]
    Update {
        /// Whose update it is.
        player: &'static str,
        /// What is wrong with it.
        error: UpdateError<E>,
    },
    /// A text cannot be put into tokens.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// A sequence is longer than there is room.
    #[error("{0}: raise model.context, or shorten problems or rewrites")]
    TooLong(#[from] TooLong),
    /// The oracle failed.
    #[error("the oracle failed")]
    Oracle(#[source] Box<dyn Error + Send + Sync>),
}
