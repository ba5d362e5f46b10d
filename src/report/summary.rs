//! The table that a run ends with.

use maud::{Markup, html};
use serde::Deserialize;

/// What the page shows of summary.json.
#[derive(Debug, Deserialize)]
pub(super) struct Summary {
    rows: Vec<Row>,
}

/// One reward model on one set; what a run did not measure is missing.
#[derive(Debug, Deserialize)]
struct Row {
    prm: String,
    set: String,
    problems: Option<u64>,
    attempts: Option<u64>,
    best_of_n: Option<f64>,
    step_auc: Option<f64>,
    first_error_f1: Option<f64>,
    mean: Option<f64>,
    majority: Option<f64>,
    oracle: Option<f64>,
}

const COUNTS: [&str; 2] = ["problems", "attempts"];
const SHARES: [&str; 6] = ["best-of-N", "step AUC", "first-error F1", "blind", "majority", "oracle"];

impl Row {
    fn counts(&self) -> [Option<u64>; COUNTS.len()] {
        [self.problems, self.attempts]
    }

    fn shares(&self) -> [Option<f64>; SHARES.len()] {
        [self.best_of_n, self.step_auc, self.first_error_f1, self.mean, self.majority, self.oracle]
    }
}

impl Summary {
    pub(super) fn table(&self) -> Markup {
        html! {
            div.wide {
                table {
                    thead { tr {
                        th { "set" } th { "PRM" }
                        @for name in COUNTS.iter().chain(&SHARES) { th.number { (name) } }
                    } }
                    tbody {
                        @for row in &self.rows {
                            tr {
                                td { (row.set) } td { (row.prm) }
                                @for count in row.counts() {
                                    td.number { (count.map_or("–".into(), |count| count.to_string())) }
                                }
                                @for share in row.shares() {
                                    td.number { (share.map_or("–".into(), |share| format!("{share:.3}"))) }
                                }
                            }
                        }
                    }
                }
            }
            p.note {
                "Best-of-N: problems solved by the attempt that the reward model ranks first. Blind, majority and "
                "oracle: by an attempt at random, by the most frequent answer, by the best attempt that there is."
            }
        }
    }
}
