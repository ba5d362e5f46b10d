//! A study as one page.

use maud::{Markup, html};

use super::forest;
use super::table::{Mean, Row, Table, signed, with_margin};
use crate::report::document;

pub(super) fn page(table: &Table) -> Markup {
    let sets: Vec<&[Row]> = table.rows.chunk_by(|row, next| row.set == next.set).collect();
    let seeds: Vec<String> = table.seeds.iter().map(u64::to_string).collect();
    let state = html! { p.note { "Seeds " (seeds.join(", ")) "; intervals are of 95 %, by Student's t over seeds." } };
    let content = html! {
        section {
            h2 { "Over the first arm" }
            div.grid { @for rows in &sets { (forest::figure(rows)) } }
        }
        @for rows in &sets {
            section { h2 { (rows[0].set) } (results(rows)) }
        }
    };
    document("aprm study", state, content)
}

fn results(rows: &[Row]) -> Markup {
    let percent = |mean: Option<Mean>| with_margin(mean, 100.0, 1);
    html! {
        div.wide {
            table {
                thead { tr {
                    th { "PRM" }
                    @for name in ["best-of-N", "over the first", "ahead", "step AUC", "first-error F1", "blind", "majority", "oracle"] {
                        th.number { (name) }
                    }
                } }
                tbody {
                    @for row in rows {
                        tr {
                            td { (row.prm) }
                            td.number { (percent(row.best_of_n)) }
                            td.number { @if let Some(gain) = row.best_of_n_gain { (signed(gain)) } }
                            td.number { @if let Some(gain) = row.best_of_n_gain { (row.ahead()) " of " (gain.seeds) } }
                            td.number { (with_margin(row.step_auc, 1.0, 3)) }
                            td.number { (with_margin(row.first_error_f1, 1.0, 3)) }
                            td.number { (percent(row.mean)) }
                            td.number { (percent(row.majority)) }
                            td.number { (percent(row.oracle)) }
                        }
                    }
                }
            }
        }
    }
}
