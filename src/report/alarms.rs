//! What the watch over the game found.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde::Deserialize;

use super::arm::Arm;

/// A line of alarms.jsonl.
#[derive(Debug, Deserialize)]
pub(super) struct Alarm {
    step: u64,
    alarm: String,
    message: String,
}

/// The first round of each alarm of an arm.
pub(super) fn first_rounds(arm: &Arm) -> Vec<u64> {
    by_kind(arm).into_values().map(|alarms| alarms[0].step).collect()
}

fn by_kind(arm: &Arm) -> BTreeMap<&str, Vec<&Alarm>> {
    let mut kinds: BTreeMap<&str, Vec<&Alarm>> = BTreeMap::new();
    for alarm in &arm.alarms {
        kinds.entry(&alarm.alarm).or_default().push(alarm);
    }
    kinds
}

/// Each alarm once, however often it rang; `None` if none did.
pub(super) fn table(arms: &[Arm]) -> Option<Markup> {
    if arms.iter().all(|arm| arm.alarms.is_empty()) {
        return None;
    }
    Some(html! {
        p { "Broken red lines in the plots below stand at the first round of each." }
        div.wide {
            table {
                thead { tr {
                    th { "arm" } th { "alarm" } th.number { "times" } th.number { "first round" }
                    th.number { "last round" } th { "what it said first" }
                } }
                tbody {
                    @for arm in arms {
                        @for (kind, alarms) in by_kind(arm) {
                            tr {
                                td { (arm.name) }
                                td { span.badge.incorrect { (kind) } }
                                td.number { (alarms.len()) }
                                td.number { (alarms[0].step) }
                                td.number { (alarms[alarms.len() - 1].step) }
                                td { (alarms[0].message) }
                            }
                        }
                    }
                }
            }
        }
    })
}
