//! Metrics by name, over rounds.

use std::collections::{BTreeMap, BTreeSet};

use super::curve::Point;
use crate::metrics_row::MetricsRow;

/// The metrics of an arm.
pub(super) struct Metrics {
    rows: Vec<MetricsRow>,
}

impl Metrics {
    pub(super) fn new(rows: Vec<MetricsRow>) -> Self {
        Self { rows }
    }

    pub(super) fn last_round(&self) -> Option<u64> {
        self.rows.iter().map(|row| row.step).max()
    }

    /// A metric where it is known.
    pub(super) fn series(&self, name: &str) -> Vec<Point> {
        let known = self.rows.iter().filter_map(|row| Some((row.step, (*row.data.get(name)?)?)));
        known.filter(|point| point.1.is_finite()).collect()
    }

    /// The metrics whose names begin so, and the rest of their names.
    pub(super) fn names_behind<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let names = self.rows.iter().flat_map(|row| row.data.keys());
        names.filter_map(move |name| name.strip_prefix(prefix))
    }

    /// The metrics whose names begin so, each with a value for every round; one that is not there is zero.
    pub(super) fn filled(&self, prefix: &str) -> BTreeMap<&str, Vec<Point>> {
        let is_named = |name: &&String| name.starts_with(prefix);
        let rows: Vec<&MetricsRow> =
            self.rows.iter().filter(|row| row.data.keys().any(|name| is_named(&name))).collect();
        let names: BTreeSet<&String> = rows.iter().flat_map(|row| row.data.keys().filter(is_named)).collect();
        let points = |name: &String| {
            let value = |row: &MetricsRow| row.data.get(name).copied().flatten().unwrap_or(0.0);
            rows.iter().map(|row| (row.step, value(row))).collect()
        };
        names.into_iter().map(|name| (&name[prefix.len()..], points(name))).collect()
    }
}
