//! The page. What a template is given is escaped; only plots and the style are not.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::run::Run;
use super::{alarms, error_kinds, palette, panels, samples};

const STYLE: &str = include_str!("page.css");

pub(super) fn page(run: &Run) -> Markup {
    let title = run.seed.map_or("aprm run".into(), |seed| format!("aprm run, seed {seed}"));
    document(&title, state(run), content(run))
}

/// A page that needs nothing beside it.
pub(crate) fn document(title: &str, state: Markup, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    (state)
                }
                main { (content) }
            }
        }
    }
}

/// How far each arm has come.
fn state(run: &Run) -> Markup {
    html! {
        ul.legend {
            @for (i, arm) in run.arms.iter().enumerate() {
                li.arm {
                    (palette::patch(palette::arm(i))) (arm.name) " "
                    span.value {
                        (arm.metrics.last_round().map_or(0, |last| last.saturating_add(1)))
                        @if let Some(rounds) = arm.rounds { " of " (rounds) }
                        " rounds"
                    }
                }
            }
        }
        @if run.summary.is_none() { p.note { "The run has not ended; this is what it has written so far." } }
    }
}

fn content(run: &Run) -> Markup {
    let kinds = error_kinds::figures(&run.arms, run.last_round());
    let heat_maps: Vec<Markup> =
        run.arms.iter().filter_map(|arm| Some(arm.win_rates.as_ref()?.figure(&arm.name))).collect();
    html! {
        @if let Some(summary) = &run.summary { section { h2 { "Results" } (summary.table()) } }
        @if let Some(table) = alarms::table(&run.arms) { section { h2 { "Alarms" } (table) } }
        section { details { summary { "Settings" } pre { (run.config) } } }
        p.note { "The number beside a name is where its line ends." }
        @for section in panels::sections(run) { (grid(section.title, &section.figures(run))) }
        (grid("Errors", &kinds))
        (grid("Verifiers against generators", &heat_maps))
        @for arm in run.arms.iter().filter(|arm| !arm.samples.is_empty()) {
            section { h2 { "Rewrites: " (arm.name) } (samples::table(&arm.samples)) }
        }
    }
}

fn grid(title: &str, figures: &[Markup]) -> Markup {
    html! {
        @if !figures.is_empty() {
            section { h2 { (title) } div.grid { @for figure in figures { (figure) } } }
        }
    }
}
