//! What arms have over the first: a point for each seed, the mean, and how sure it is.

use maud::{Markup, html};

use super::table::Row;
use crate::train::LIKELIHOOD;

const WIDTH: f64 = 640.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 16.0;
const ROW: f64 = 24.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 44.0;
/// Ticks of the axis at most.
const TICKS: f64 = 9.0;

/// The rows of one set, the first of which is what the others are compared with.
///
/// Likelihood, which is no arm, is left to the table: it would be far off.
pub(super) fn figure(rows: &[Row]) -> Markup {
    let (first, arms) = rows.split_first().expect("a set has rows");
    let arms: Vec<&Row> = arms.iter().filter(|row| row.prm != LIKELIHOOD && row.best_of_n_gain.is_some()).collect();
    let (set, first) = (&first.set, &first.prm);
    let title = format!("{set}: points of best-of-N over {first}");
    let axis = Axis::over(arms.iter().flat_map(|row| points(row)));
    let bottom = TOP + ROW * arms.len() as f64;
    html! {
        figure {
            figcaption {
                h3 { (title) }
                p { "A small point for each seed; the mean over seeds with its interval." }
            }
            svg viewBox=(format!("0 0 {WIDTH} {}", bottom + BOTTOM)) role="img" aria-label=(title) {
                @for tick in axis.ticks() {
                    line x1=(axis.x(tick)) x2=(axis.x(tick)) y1=(TOP) y2=(bottom)
                        stroke=(if tick == 0.0 { "#9A9A9A" } else { "#E3E3E3" }) {}
                    text.tick x=(axis.x(tick)) y=(bottom + 18.0) text-anchor="middle" font-size="14" { (tick) }
                }
                @for (i, row) in arms.iter().enumerate() { (arm(row, &axis, TOP + ROW * (i as f64 + 0.5))) }
                text.tick x=((LEFT + WIDTH - RIGHT) / 2.0) y=(bottom + 38.0) text-anchor="middle" font-size="14" { "points" }
            }
        }
    }
}

fn arm(row: &Row, axis: &Axis, y: f64) -> Markup {
    let gain = row.best_of_n_gain.expect("rows without were left out");
    let (mean, margin) = (100.0 * gain.mean, 100.0 * gain.margin.unwrap_or(0.0));
    html! {
        text.tick x=(LEFT - 10.0) y=(y + 5.0) text-anchor="end" font-size="14" { (row.prm) }
        line x1=(axis.x(mean - margin)) x2=(axis.x(mean + margin)) y1=(y) y2=(y) stroke="#D55E00" stroke-width="1.5" {}
        @for seed in &row.best_of_n_gains {
            circle cx=(axis.x(100.0 * seed)) cy=(y) r="3" fill="#0072B2" fill-opacity="0.6" {}
        }
        circle cx=(axis.x(mean)) cy=(y) r="5" fill="#D55E00" {
            title { (format!("{}: {mean:+.1} ± {margin:.1}", row.prm)) }
        }
    }
}

/// All that is drawn of a row, in points.
fn points(row: &Row) -> Vec<f64> {
    let gain = row.best_of_n_gain.expect("rows without were left out");
    let margin = gain.margin.unwrap_or(0.0);
    let ends = [gain.mean - margin, gain.mean + margin];
    row.best_of_n_gains.iter().chain(&ends).map(|gain| 100.0 * gain).collect()
}

struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// From tick to tick around zero and all values.
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let least = ((high - low) / (TICKS - 2.0)).max(0.1);
        let decade = 10_f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0].into_iter().map(|digit| digit * decade).find(|step| *step >= least);
        let step = step.unwrap_or(10.0 * decade);
        let [low, high] = [(low / step).floor() * step, (high / step).ceil() * step];
        Self { low, high: if low < high { high } else { low + step }, step }
    }

    fn x(&self, value: f64) -> f64 {
        let x = LEFT + (value - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT);
        (10.0 * x).round() / 10.0
    }

    fn ticks(&self) -> impl Iterator<Item = f64> + '_ {
        let ticks = ((self.high - self.low) / self.step).round() as i32;
        let lowest = (self.low / self.step).round() as i32;
        // Tenths at the finest, without what multiplication leaves behind them.
        (lowest..=lowest + ticks).map(|tick| (10.0 * f64::from(tick) * self.step).round() / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn an_axis_goes_from_tick_to_tick_around_zero() {
        for (values, expected) in [
            (vec![-1.4, 6.3], vec![-2.0, 0.0, 2.0, 4.0, 6.0, 8.0]),
            (vec![0.3, 0.4], vec![0.0, 0.1, 0.2, 0.3, 0.4]),
            (vec![-31.0, -12.0], vec![-35.0, -30.0, -25.0, -20.0, -15.0, -10.0, -5.0, 0.0]),
            (vec![], vec![0.0, 0.1]),
        ] {
            let axis = Axis::over(values.iter().copied());
            let ticks: Vec<f64> = axis.ticks().collect();
            assert_eq!(ticks.first(), expected.first(), "{values:?}: {ticks:?}");
            assert_eq!(ticks.len(), expected.len(), "{values:?}: {ticks:?}");
            let last = ticks.last().unwrap();
            assert!(values.iter().all(|value| (ticks[0]..=*last).contains(value)), "{values:?}: {ticks:?}");
        }
    }
}
