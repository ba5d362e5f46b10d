//! Lines and areas over rounds, as SVG.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;

use super::curve::Point;
use super::palette::{ALARM, AXIS, GRID};

/// The backend rounds to whole units, so there are three to a pixel of the page.
const SCALE: u32 = 3;
const WIDTH: u32 = 470 * SCALE;
const HEIGHT: u32 = 250 * SCALE;

/// Beyond these the ticks of an axis cannot be counted.
const LARGEST: f64 = 1e100;
const SMALLEST: f64 = 1e-100;

/// What the vertical axis spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Zero to one.
    Unit,
    /// Zero and all values.
    Zero,
    /// Whole decades around all values.
    Decades,
}

/// What is drawn.
pub(super) enum Shape {
    /// A strong line, with points where there are few.
    Line { points: Vec<Point>, colour: RGBColor },
    /// A light line, which others lie upon.
    Background { points: Vec<Point>, colour: RGBColor },
    /// What lies between two lines over the same rounds.
    Area { lower: Vec<Point>, upper: Vec<Point>, colour: RGBColor },
}

/// A plot over rounds.
pub(super) struct Chart<'a> {
    pub(super) y_label: &'a str,
    pub(super) span: Span,
    pub(super) last_round: u64,
    pub(super) shapes: Vec<Shape>,
    /// Rounds at which something was wrong.
    pub(super) marks: Vec<u64>,
}

impl Chart<'_> {
    pub(super) fn to_svg(&self) -> String {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        self.draw(&area).expect("writing to a string cannot fail");
        drop(area);
        svg
    }

    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Drawn {
        let (low, high) = self.range();
        let mut builder = ChartBuilder::on(area);
        builder
            .margin(4 * SCALE)
            .margin_right(14 * SCALE)
            .margin_top(8 * SCALE)
            .x_label_area_size(38 * SCALE)
            .y_label_area_size(58 * SCALE);
        let rounds = 0.0..self.last_round.max(1) as f64;
        if self.span == Span::Decades {
            self.fill(builder.build_cartesian_2d(rounds, (low..high).log_scale())?, (low, high))?;
        } else {
            self.fill(builder.build_cartesian_2d(rounds, low..high)?, (low, high))?;
        }
        area.present()
    }

    fn range(&self) -> (f64, f64) {
        let values = self.shapes.iter().flat_map(|shape| match shape {
            Shape::Line { points, .. } | Shape::Background { points, .. } => points,
            Shape::Area { upper, .. } => upper,
        });
        let values = values.map(|point| point.1.clamp(-LARGEST, LARGEST));
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
        match self.span {
            Span::Unit => (0.0, 1.0),
            Span::Decades if low <= high => {
                let [low, high] = [low.max(SMALLEST).log10().floor(), high.max(SMALLEST).log10().ceil()];
                (10_f64.powf(low), 10_f64.powf(high.max(low + 1.0)))
            }
            Span::Zero if high.max(0.0) - low.min(0.0) > SMALLEST => (1.05 * low.min(0.0), 1.05 * high.max(0.0)),
            Span::Decades => (0.1, 1.0),
            Span::Zero => (0.0, 1.0),
        }
    }

    fn fill<'a, Y>(&self, mut chart: OnPlane<'a, '_, Y>, (low, high): (f64, f64)) -> Drawn
    where
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let text = ("sans-serif", f64::from(15 * SCALE)).into_text_style(chart.plotting_area());
        chart
            .configure_mesh()
            .x_desc("round")
            .y_desc(self.y_label)
            .x_labels(6)
            .x_label_formatter(&|round| if round.fract() == 0.0 { round.to_string() } else { String::new() })
            .y_labels(6)
            .y_label_formatter(&|y| tick(*y))
            .disable_x_mesh()
            .max_light_lines(0)
            .bold_line_style(GRID.stroke_width(SCALE))
            .axis_style(AXIS.stroke_width(SCALE))
            .label_style(text.clone())
            .axis_desc_style(text)
            .set_all_tick_mark_size(4 * SCALE)
            .draw()?;
        let place = |&(round, value): &Point| (round as f64, value.clamp(low, high));
        for &round in &self.marks {
            let ends = [(round, low), (round, high)].map(|end| place(&end));
            chart.draw_series([PathElement::new(ends, ALARM.stroke_width(SCALE))])?;
        }
        let path = |points: &[Point]| points.iter().map(place).collect::<Vec<_>>();
        for shape in &self.shapes {
            match shape {
                Shape::Line { points, colour } => {
                    chart.draw_series([PathElement::new(path(points), colour.stroke_width(2 * SCALE))])?;
                    if points.len() < 20 {
                        let dot = |point| Circle::new(place(point), 3 * SCALE, colour.filled());
                        chart.draw_series(points.iter().map(dot))?;
                    }
                }
                Shape::Background { points, colour } => {
                    let light = colour.mix(0.3).stroke_width(SCALE);
                    chart.draw_series([PathElement::new(path(points), light)])?;
                }
                Shape::Area { lower, upper, colour } => {
                    let outline: Vec<_> = lower.iter().chain(upper.iter().rev()).map(place).collect();
                    chart.draw_series([Polygon::new(outline, colour.filled())])?;
                }
            }
        }
        Ok(())
    }
}

type Drawn = Result<(), DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>>;
type Rounds = plotters::coord::types::RangedCoordf64;
type OnPlane<'a, 'b, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Rounds, Y>>;

/// A number as an axis bears it: four digits behind the point at most, powers of ten where they do not do.
fn tick(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e5).contains(&value.abs()) {
        return format!("{value:.1e}").replace(".0e", "e");
    }
    let digits = format!("{value:.4}");
    let short = digits.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".into() } else { short.into() }
}
