//! All that a training run depends on, so that a run which was stopped goes on bit for bit.
//!
//! | state | where |
//! |---|---|
//! | weights, their average, moments, previous gradients and directions | `state.safetensors`, as `LEARNER/VECTOR/TENSOR` |
//! | rules, step and skip counters, positions of random streams and in the data, and what a recipe adds | `state.json` |
//! | the digests of both | `SHA256SUMS`, as `sha256sum --check` reads it |
//!
//! What is configuration is not state: coefficients, schedules and the order of the data are the caller's to repeat.
//! A recipe that wants to be sure puts a digest of its configuration into [`TrainingState::extra`].

mod error;
mod folder;
mod learner_state;
mod manifest;
mod random_stream;
mod sums;

pub use error::{OpenError, RestoreError, SaveStateError, StateError};
pub use folder::{Loaded, Rejected, StateFolder, load_newest};
pub use learner_state::{LearnerState, StateTensor};
pub use random_stream::RandomStream;

use std::collections::BTreeMap;

use aprm_core::backend::Backend;
use rand::rngs::ChaCha8Rng;

use crate::learner::Learner;
use crate::safetensors::Float;

/// The next example of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataCursor {
    /// How often all examples have been seen.
    pub epoch: u64,
    /// How many have been seen since.
    pub index: u64,
}

/// The state of a run in host memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingState<T> {
    /// How far the run has come, as it counts.
    pub step: u64,
    /// Those who learn, by name: a letter or digit, then letters, digits, `-` and `_`.
    pub learners: BTreeMap<String, LearnerState<T>>,
    /// The random streams, by purpose.
    pub streams: BTreeMap<String, RandomStream>,
    /// Where the run is in its data sets, by their names.
    pub cursors: BTreeMap<String, DataCursor>,
    /// Whatever else the recipe depends on.
    pub extra: serde_json::Value,
}

impl<T: Float> TrainingState<T> {
    /// Takes over a learner's state.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn capture<B: Backend<Scalar = T>>(
        &mut self,
        backend: &mut B,
        name: &str,
        learner: &Learner<B>,
    ) -> Result<(), B::Error> {
        let state = LearnerState::capture(backend, learner)?;
        self.learners.insert(name.into(), state);
        Ok(())
    }

    /// Puts a learner where the state has it.
    ///
    /// # Errors
    /// [`RestoreError`], if the state is not that of a learner with this rule, these tensors and an average if it has one;
    /// the learner is as it was then, unless the device has failed.
    pub fn restore<B: Backend<Scalar = T>>(
        &self,
        backend: &mut B,
        name: &str,
        learner: &mut Learner<B>,
    ) -> Result<(), RestoreError<B::Error>> {
        let missing = || RestoreError::Missing { field: format!("learners.{name}") };
        self.learners.get(name).ok_or_else(missing)?.restore(backend, name, learner)
    }

    /// The generator of a purpose, at the place where it was.
    ///
    /// # Errors
    /// [`RestoreError::Missing`].
    pub fn stream(&self, purpose: &str) -> Result<ChaCha8Rng, RestoreError> {
        let missing = || RestoreError::Missing { field: format!("streams.{purpose}") };
        self.streams.get(purpose).ok_or_else(missing).map(RandomStream::rng)
    }

    /// The place in a data set.
    ///
    /// # Errors
    /// [`RestoreError::Missing`].
    pub fn cursor(&self, data: &str) -> Result<DataCursor, RestoreError> {
        let missing = || RestoreError::Missing { field: format!("cursors.{data}") };
        self.cursors.get(data).copied().ok_or_else(missing)
    }
}
