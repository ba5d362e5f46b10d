//! Verifiers of some rounds against generators of others.

use maud::{Markup, html};
use serde::Deserialize;

/// How often the generator of each round fools the verifier of each.
#[derive(Debug, Deserialize)]
pub(super) struct WinRates {
    generators: Vec<u64>,
    verifiers: Vec<u64>,
    /// A row for each verifier, a column for each generator; `None` where nothing was decidable.
    fooling_rate: Vec<Vec<Option<f64>>>,
}

/// Cividis at nought, a quarter, a half, three quarters and one: as light as the rate, for every kind of sight.
const CIVIDIS: [[f64; 3]; 5] =
    [[0.0, 34.0, 78.0], [65.0, 77.0, 107.0], [124.0, 123.0, 120.0], [188.0, 175.0, 111.0], [254.0, 232.0, 56.0]];

const CELL: usize = 44;
const LEFT: usize = 76;
const BOTTOM: usize = 48;
/// Numbers are readable in as many columns as this.
const WIDE: usize = 16;

impl WinRates {
    /// Why these are no rates.
    pub(super) fn problem(&self) -> Option<String> {
        let (rows, columns) = (self.verifiers.len(), self.generators.len());
        if self.fooling_rate.len() != rows || self.fooling_rate.iter().any(|row| row.len() != columns) {
            return Some(format!(
                "fooling_rate must have {rows} rows of {columns}, one for each verifier and generator"
            ));
        }
        let outside = self.fooling_rate.iter().flatten().flatten().find(|rate| !(0.0..=1.0).contains(*rate));
        outside.map(|rate| format!("a fooling rate of {rate} is no share"))
    }

    pub(super) fn figure(&self, arm: &str) -> Markup {
        let title = format!("{arm}: fooling rates across rounds");
        html! {
            figure {
                figcaption {
                    h3 { (title) }
                    p {
                        "How often the generator of one round fools the verifier of another. A column that is dark at "
                        "the top is a generator that later verifiers have learnt; a row that is light to the right is "
                        "a verifier that later generators overcome."
                    }
                    ul.legend {
                        @for rate in [0.0, 0.25, 0.5, 0.75, 1.0] {
                            li {
                                svg.patch viewBox="0 0 10 10" aria-hidden="true" {
                                    rect width="10" height="10" fill=(colour(rate)) {}
                                }
                                (rate)
                            }
                        }
                    }
                }
                div role="img" aria-label=(title) { (self.cells()) }
            }
        }
    }

    fn cells(&self) -> Markup {
        let (columns, rows) = (self.generators.len(), self.verifiers.len());
        let (width, height) = (LEFT + columns * CELL, rows * CELL);
        // Rows go upwards, as rounds do on an axis.
        let y = |row: usize| (rows - 1 - row) * CELL;
        let x = |column: usize| LEFT + column * CELL;
        let view_box = format!("0 0 {} {}", width + 4, height + BOTTOM);
        html! {
            svg.cells viewBox=(view_box) style=(format!("max-width:{}px", width * 5 / 4)) {
                @for (row, (verifier, rates)) in self.verifiers.iter().zip(&self.fooling_rate).enumerate() {
                    text.tick x=(LEFT - 8) y=(y(row) + CELL / 2 + 5) text-anchor="end" { (verifier) }
                    @for (column, (generator, rate)) in self.generators.iter().zip(rates).enumerate() {
                        @let pair = format!("generator of round {generator}, verifier of round {verifier}");
                        (cell(x(column), y(row), *rate, columns <= WIDE, &pair))
                    }
                }
                @for (column, generator) in self.generators.iter().enumerate() {
                    text.tick x=(x(column) + CELL / 2) y=(height + 18) text-anchor="middle" { (generator) }
                }
                text.tick x=(LEFT + columns * CELL / 2) y=(height + 40) text-anchor="middle" { "generator's round" }
                text.tick transform=(format!("translate(16 {}) rotate(-90)", height / 2)) text-anchor="middle" {
                    "verifier's round"
                }
            }
        }
    }
}

fn cell(x: usize, y: usize, rate: Option<f64>, is_numbered: bool, pair: &str) -> Markup {
    let Some(rate) = rate else {
        return html! { rect.unknown x=(x) y=(y) width=(CELL) height=(CELL) { title { (pair) ": unknown" } } };
    };
    let ink = if rate < 0.5 { "#ffffff" } else { "#000000" };
    html! {
        rect x=(x) y=(y) width=(CELL) height=(CELL) fill=(colour(rate)) { title { (pair) ": " (format!("{rate:.3}")) } }
        @if is_numbered {
            text x=(x + CELL / 2) y=(y + CELL / 2 + 5) text-anchor="middle" style=(format!("fill:{ink}")) {
                (format!("{rate:.2}"))
            }
        }
    }
}

fn colour(rate: f64) -> String {
    let position = rate.clamp(0.0, 1.0) * (CIVIDIS.len() - 1) as f64;
    let below = (position as usize).min(CIVIDIS.len() - 2);
    let weight = position - below as f64;
    let [red, green, blue] =
        [0, 1, 2].map(|i| (CIVIDIS[below][i] * (1.0 - weight) + CIVIDIS[below + 1][i] * weight).round() as u8);
    format!("#{red:02x}{green:02x}{blue:02x}")
}
