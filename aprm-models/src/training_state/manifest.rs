use std::collections::BTreeMap;

use super::{DataCursor, LearnerState, RandomStream, StateError, TrainingState};
use crate::safetensors::Float;

const VERSION: u64 = 1;

/// `state.json`.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    version: u64,
    scalar: String,
    pub(super) step: u64,
    pub(super) learners: BTreeMap<String, Counters>,
    pub(super) streams: BTreeMap<String, RandomStream>,
    pub(super) cursors: BTreeMap<String, DataCursor>,
    pub(super) extra: serde_json::Value,
}

/// A learner without its tensors.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counters {
    rule: String,
    rule_steps: u64,
    steps: u64,
    skipped: u64,
    skipped_in_a_row: u64,
}

impl Manifest {
    pub(super) fn of<T: Float>(state: &TrainingState<T>) -> Self {
        let learners = state.learners.iter().map(|(name, learner)| {
            let &LearnerState { rule_steps, steps, skipped, skipped_in_a_row, .. } = learner;
            (name.clone(), Counters { rule: learner.rule.clone(), rule_steps, steps, skipped, skipped_in_a_row })
        });
        Self {
            version: VERSION,
            scalar: T::DTYPE.to_string(),
            step: state.step,
            learners: learners.collect(),
            streams: state.streams.clone(),
            cursors: state.cursors.clone(),
            extra: state.extra.clone(),
        }
    }

    pub(super) fn parse<T: Float>(json: &[u8]) -> Result<Self, StateError> {
        // Looked at first, since fields of other versions are not known.
        #[derive(serde::Deserialize)]
        struct Versioned {
            version: u64,
        }
        match serde_json::from_slice(json)? {
            Versioned { version: VERSION } => {}
            Versioned { version } => return Err(StateError::Version(version)),
        }
        let manifest: Self = serde_json::from_slice(json)?;
        match manifest.scalar == T::DTYPE.to_string() {
            true => Ok(manifest),
            false => Err(StateError::Scalar { found: manifest.scalar, expected: T::DTYPE }),
        }
    }

    /// The state, but for its tensors.
    pub(super) fn into_state<T: Float>(self) -> TrainingState<T> {
        let learners = self.learners.into_iter().map(|(name, counters)| {
            let Counters { rule, rule_steps, steps, skipped, skipped_in_a_row } = counters;
            (name, LearnerState { rule, rule_steps, steps, skipped, skipped_in_a_row, tensors: BTreeMap::new() })
        });
        let Self { step, streams, cursors, extra, .. } = self;
        TrainingState { step, learners: learners.collect(), streams, cursors, extra }
    }
}
