//! What is plotted of the metrics, one plot for each, all arms in it.

use maud::{Markup, PreEscaped, html};

use super::chart::{Chart, Shape, Span};
use super::curve::{Point, smoothed, thinned, window};
use super::palette::{arm, patch};
use super::run::Run;

/// A plot of one metric.
struct Panel {
    metric: String,
    title: String,
    y_label: &'static str,
    span: Span,
    meaning: &'static str,
}

/// Plots that are read together.
pub(super) struct Section {
    pub(super) title: &'static str,
    panels: Vec<Panel>,
}

fn panel(metric: &str, title: &str, y_label: &'static str, span: Span, meaning: &'static str) -> Panel {
    Panel { metric: metric.into(), title: title.into(), y_label, span, meaning }
}

/// All plots that the page may have; those that no arm has a metric for are left out of it.
pub(super) fn sections(run: &Run) -> Vec<Section> {
    let diversity = names_behind(run, "generator/distinct_").into_iter().map(|n| Panel {
        metric: format!("generator/distinct_{n}"),
        title: format!("Distinct-{n}"),
        y_label: "share",
        span: Span::Unit,
        meaning: "Distinct n-grams among those that the generator wrote in a round; a fall is a collapse.",
    });
    vec![
        Section {
            title: "The game",
            panels: vec![
                panel(
                    "game/fooling_rate",
                    "Fooling rate",
                    "share of wrong steps",
                    Span::Unit,
                    "Wrong steps that the verifier accepted.",
                ),
                panel(
                    "verifier/accuracy",
                    "Verifier accuracy",
                    "share of steps",
                    Span::Unit,
                    "Steps, gold and rewritten, whose label the verifier found likelier.",
                ),
                panel(
                    "game/uncorrupted_share",
                    "Uncorrupted rewrites",
                    "share of rewrites",
                    Span::Zero,
                    "Rewrites that the oracle found to be still correct.",
                ),
                panel(
                    "verifier/gold_accepted",
                    "Gold steps accepted",
                    "share of gold steps",
                    Span::Unit,
                    "Gold steps that the verifier found likelier right than wrong.",
                ),
                panel(
                    "game/undecidable_share",
                    "Undecidable rewrites",
                    "share of rewrites",
                    Span::Zero,
                    "Rewrites that the oracle could not judge.",
                ),
                panel("generator/rewards/mean", "Generator reward", "payoff", Span::Zero, "Mean payoff of a rewrite."),
            ],
        },
        Section {
            title: "Regularisation",
            panels: vec![
                panel(
                    "generator/objective/kl",
                    "Generator: KL to its start",
                    "nats per token",
                    Span::Zero,
                    "How far the policy has moved.",
                ),
                panel(
                    "verifier/objective/kl",
                    "Verifier: KL to its start",
                    "nats per step",
                    Span::Zero,
                    "How far the labels have moved.",
                ),
                panel(
                    "generator/objective/entropy",
                    "Generator: entropy",
                    "nats per token",
                    Span::Zero,
                    "How undecided the policy is.",
                ),
                panel(
                    "verifier/objective/entropy",
                    "Verifier: entropy",
                    "nats per step",
                    Span::Zero,
                    "How undecided the labels are; at most ln 2 = 0.69.",
                ),
            ],
        },
        Section {
            title: "Updates",
            panels: vec![
                panel("generator/grad_norm", "Generator: gradient norm", "L2 norm", Span::Decades, "Before clipping."),
                panel("verifier/grad_norm", "Verifier: gradient norm", "L2 norm", Span::Decades, "Before clipping."),
                panel(
                    "generator/update_norm",
                    "Generator: update norm",
                    "L2 norm",
                    Span::Decades,
                    "How far all weights moved together.",
                ),
                panel(
                    "verifier/update_norm",
                    "Verifier: update norm",
                    "L2 norm",
                    Span::Decades,
                    "How far all weights moved together.",
                ),
            ],
        },
        Section { title: "Diversity of rewrites", panels: diversity.collect() },
    ]
}

fn names_behind(run: &Run, prefix: &str) -> Vec<String> {
    let names = run.arms.iter().flat_map(|arm| arm.metrics.names_behind(prefix));
    let names: std::collections::BTreeSet<&str> = names.collect();
    names.into_iter().map(String::from).collect()
}

impl Section {
    /// The plots, if there are any.
    pub(super) fn figures(&self, run: &Run) -> Vec<Markup> {
        self.panels.iter().filter_map(|panel| panel.figure(run)).collect()
    }
}

impl Panel {
    fn is_of_a_policy(&self) -> bool {
        self.metric.starts_with("generator/objective/")
    }

    fn figure(&self, run: &Run) -> Option<Markup> {
        let curves: Vec<(usize, Vec<Point>)> = run
            .arms
            .iter()
            .enumerate()
            .filter(|(_, arm)| !self.is_of_a_policy() || arm.has_policy())
            .map(|(i, arm)| (i, arm.metrics.series(&self.metric)))
            .filter(|(_, points)| !points.is_empty())
            .collect();
        let longest = curves.iter().map(|(_, points)| points.len()).max()?;
        let window = window(longest);
        let is_positive = curves.iter().flat_map(|(_, points)| points).all(|point| point.1 > 0.0);
        let span = if self.span == Span::Decades && !is_positive { Span::Zero } else { self.span };
        let mut shapes = Vec::new();
        if window > 1 {
            let light =
                |(i, points): &(usize, Vec<Point>)| Shape::Background { points: thinned(points), colour: arm(*i) };
            shapes.extend(curves.iter().map(light));
        }
        let strong: Vec<(usize, Vec<Point>)> =
            curves.iter().map(|(i, points)| (*i, smoothed(points, window))).collect();
        shapes.extend(strong.iter().map(|(i, points)| Shape::Line { points: thinned(points), colour: arm(*i) }));
        let marks = run.arms.iter().flat_map(super::alarms::first_rounds).collect();
        let chart = Chart { y_label: self.y_label, span, last_round: run.last_round(), shapes, marks };
        Some(html! {
            figure {
                figcaption {
                    h3 { (self.title) }
                    p { (self.meaning) (how_drawn(window)) }
                    ul.legend {
                        @for (i, points) in &strong {
                            li.arm {
                                (patch(arm(*i))) (run.arms[*i].name)
                                @if let Some((_, value)) = points.last() { " " span.value { (format!("{value:.3}")) } }
                            }
                        }
                    }
                }
                div role="img" aria-label=(self.title) { (PreEscaped(chart.to_svg())) }
            }
        })
    }
}

/// What a caption says of smoothing.
fn how_drawn(window: usize) -> String {
    if window == 1 { String::new() } else { format!(" Light: each round; strong: mean over {window} rounds.") }
}
