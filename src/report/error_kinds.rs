//! Which errors the rewrites hold, over rounds.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, PreEscaped, html};
use plotters::style::RGBColor;

use super::arm::Arm;
use super::chart::{Chart, Shape, Span};
use super::curve::{Point, smoothed, window};
use super::palette::{LAYERS, patch};

const PREFIX: &str = "errors/";
/// Areas are thinned by leaving out rounds, since they are smooth.
const POINTS: usize = 400;

/// The kinds of errors of each arm as shares that lie on one another; a colour means one kind in all plots.
pub(super) fn figures(arms: &[Arm], last_round: u64) -> Vec<Markup> {
    let shares: Vec<_> = arms.iter().map(|arm| arm.metrics.filled(PREFIX)).collect();
    let kinds: BTreeSet<&str> = shares.iter().flat_map(|shares| shares.keys().copied()).collect();
    let mut kinds: Vec<(&str, f64)> = kinds
        .into_iter()
        .map(|kind| (kind, shares.iter().filter_map(|shares| shares.get(kind)).map(|points| mean(points)).sum()))
        .collect();
    kinds.sort_by(|a, b| b.1.total_cmp(&a.1));
    let frequent: Vec<&str> = kinds.iter().take(LAYERS.len() - 1).map(|kind| kind.0).collect();
    let drawn = arms.iter().zip(shares).filter(|(_, shares)| !shares.is_empty());
    drawn.map(|(arm, shares)| figure(&arm.name, &shares, &frequent, last_round)).collect()
}

/// A kind of error, or several, in a plot.
struct Layer {
    name: String,
    colour: RGBColor,
    points: Vec<Point>,
}

fn figure(arm: &str, shares: &BTreeMap<&str, Vec<Point>>, frequent: &[&str], last_round: u64) -> Markup {
    let window = window(shares.values().next().map_or(0, Vec::len));
    let layers = layers(shares, frequent);
    let mut upper: Vec<Point> = layers.first().map_or(&[][..], |layer| &layer.points).to_vec();
    upper.iter_mut().for_each(|point| point.1 = 0.0);
    let mut shapes = Vec::new();
    for layer in &layers {
        let lower = sparse(&upper);
        upper.iter_mut().zip(smoothed(&layer.points, window)).for_each(|(sum, point)| sum.1 += point.1);
        shapes.push(Shape::Area { lower, upper: sparse(&upper), colour: layer.colour });
    }
    let chart = Chart { y_label: "share of rewrites", span: Span::Unit, last_round, shapes, marks: Vec::new() };
    html! {
        figure {
            figcaption {
                h3 { (arm) ": kinds of errors" }
                p {
                    "As the oracle sorts them; numbers are shares over all rounds."
                    @if window > 1 { " Mean over " (window) " rounds." }
                }
                ul.legend {
                    @for Layer { name, colour, points } in &layers {
                        li { (patch(*colour)) (name) " " span.value { (format!("{:.1} %", 100.0 * mean(points))) } }
                    }
                }
            }
            div role="img" aria-label={ (arm) ": kinds of errors" } { (PreEscaped(chart.to_svg())) }
        }
    }
}

/// The frequent kinds, and what remains as one.
fn layers(shares: &BTreeMap<&str, Vec<Point>>, frequent: &[&str]) -> Vec<Layer> {
    let known = frequent.iter().zip(LAYERS).filter_map(|(kind, colour)| {
        shares.get(kind).map(|points| Layer { name: (*kind).into(), colour, points: points.clone() })
    });
    let mut layers: Vec<Layer> = known.collect();
    let mut rest = shares.iter().filter(|(kind, _)| !frequent.contains(kind)).map(|(_, points)| points);
    if let Some(first) = rest.next() {
        let (mut points, mut kinds) = (first.clone(), 1);
        for other in rest {
            points.iter_mut().zip(other).for_each(|(sum, point)| sum.1 += point.1);
            kinds += 1;
        }
        let name = if kinds == 1 { "another kind".into() } else { format!("{kinds} other kinds") };
        layers.push(Layer { name, colour: LAYERS[LAYERS.len() - 1], points });
    }
    layers
}

fn mean(points: &[Point]) -> f64 {
    points.iter().map(|point| point.1).sum::<f64>() / points.len().max(1) as f64
}

fn sparse(points: &[Point]) -> Vec<Point> {
    let (stride, last) = (points.len().div_ceil(POINTS), points.len().saturating_sub(1));
    points.iter().enumerate().filter(|(i, _)| i % stride == 0 || *i == last).map(|(_, point)| *point).collect()
}
