//! A line of metrics.jsonl.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The metrics of a round.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct MetricsRow {
    pub(crate) step: u64,
    /// By name; `None` is `null`, where there was nothing to take a mean of.
    pub(crate) data: BTreeMap<String, Option<f64>>,
}
