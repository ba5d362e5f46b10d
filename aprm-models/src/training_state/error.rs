use core::convert::Infallible;
use std::io;

use super::Rejected;
use super::folder::{JSON, TENSORS};
use super::sums::SUMS;
use crate::safetensors::{Dtype, ReadError, WriteError};

/// Why a folder of states cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another run writes to it.
    #[error("{0}: another run saves its states here; give this one a folder of its own, or wait for the other to end")]
    Locked(String),
    /// The operating system failed.
    #[error("{file}: {source}")]
    Io {
        /// The folder or its lock.
        file: String,
        /// What went wrong.
        source: io::Error,
    },
}

/// Why a state cannot be saved; those that were saved before are still there.
#[derive(Debug, thiserror::Error)]
pub enum SaveStateError {
    /// A learner's name cannot be a part of tensors' names.
    #[error("learner {0:?}: a name is a letter or digit, then letters, digits, - and _")]
    Learner(String),
    /// The operating system failed, or the disk is full.
    #[error("{file}: {source}")]
    Io {
        /// The file or folder.
        file: String,
        /// What went wrong.
        source: io::Error,
    },
    /// A tensor cannot be written so that it would be read again: an entry is not finite, or the name is too long.
    #[error("{file}: {source}")]
    Tensors {
        /// The file.
        file: String,
        /// Which tensor, and what is wrong with it.
        source: WriteError,
    },
}

/// Why a saved state is not believed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The operating system failed, or the file is not there.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The digests are not one line for each of the two other files.
    #[error("{SUMS}: not the digests of {TENSORS} and {JSON}")]
    Sums,
    /// A file is not the one that was written.
    #[error("{file}: its SHA-256 is not the one in {SUMS}")]
    Digest {
        /// The file.
        file: String,
    },
    /// It is written by another version.
    #[error("{JSON}: version is {0}, where 1 is expected")]
    Version(u64),
    /// It is not as this version writes it.
    #[error("{JSON}: {0}")]
    Json(#[from] serde_json::Error),
    /// Its numbers are of another type.
    #[error("{JSON}: scalar is {found}, where {expected} is expected; a run goes on in the type that it began in")]
    Scalar {
        /// The type of its numbers.
        found: String,
        /// The type of the run's.
        expected: Dtype,
    },
    /// The tensors cannot be read.
    #[error("{TENSORS}: {0}")]
    Tensors(#[from] ReadError),
    /// A tensor is of no learner.
    #[error("{TENSORS}: {0:?} belongs to none of the learners of {JSON}")]
    Stray(String),
    /// There are states, but none of them is whole.
    #[error("none of the saved states is whole: {}", list(.0))]
    NoneWhole(Vec<Rejected>),
}

fn list(rejected: &[Rejected]) -> String {
    rejected.iter().map(Rejected::to_string).collect::<Vec<_>>().join("; ")
}

/// Why a state is not that of this run.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError<E = Infallible> {
    /// The device failed: the learner may be half overwritten.
    #[error("the device failed: {0}")]
    Device(E),
    /// The state has no such learner, stream or cursor.
    #[error("{JSON}: {field} is missing")]
    Missing {
        /// What is missing.
        field: String,
    },
    /// What the recipe keeps beside the learners is not what it wrote.
    #[error("{JSON}: {field}: {problem}")]
    Extra {
        /// The field.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The learner followed another rule.
    #[error("{JSON}: {field} is {found:?}, where {expected:?} is expected")]
    Rule {
        /// Where it says so.
        field: String,
        /// The rule that it followed.
        found: String,
        /// The rule of the learner at hand.
        expected: &'static str,
    },
    /// The learner at hand has a tensor that the state has not.
    #[error("{TENSORS}: {tensor:?} is missing; was the state saved with another model, or without an average?")]
    NoTensor {
        /// The tensor.
        tensor: String,
    },
    /// The state has a tensor that the learner at hand has not.
    #[error("{TENSORS}: {tensor:?} is not expected; was the state saved with another model, or with an average?")]
    Unexpected {
        /// The tensor.
        tensor: String,
    },
    /// A tensor has another shape.
    #[error("{TENSORS}: {tensor:?} is {found:?}, where {expected:?} is expected")]
    Shape {
        /// The tensor.
        tensor: String,
        /// Its shape in the file.
        found: Vec<u64>,
        /// Its shape in the learner at hand.
        expected: Vec<u64>,
    },
}
