//! The picture of a comparison: NashConv, and the distance where it is known, on logarithmic axes.

use std::path::Path;

use plotters::prelude::*;

use super::error::PlayError;
use super::trajectory::{Point, Trajectory};

const WIDTH: u32 = 960;
const PANEL_HEIGHT: u32 = 380;
/// Okabe and Ito's colours, which most colour-blind readers can tell apart.
const COLOURS: [RGBColor; 5] =
    [RGBColor(213, 94, 0), RGBColor(0, 114, 178), RGBColor(0, 158, 115), RGBColor(204, 121, 167), RGBColor(86, 86, 86)];
/// Below this both quantities are rounding.
const SMALLEST: f64 = 1e-16;

/// Draws all trajectories into one SVG file.
pub(crate) fn draw(path: &Path, game: &str, trajectories: &[Trajectory]) -> Result<(), PlayError> {
    let is_distance_known = trajectories.iter().any(|trajectory| trajectory.last().distance.is_some());
    let panels = if is_distance_known { 2 } else { 1 };
    let area = SVGBackend::new(path, (WIDTH, PANEL_HEIGHT * panels)).into_drawing_area();
    let drawn = (|| {
        area.fill(&WHITE)?;
        let panels = area.split_evenly((panels as usize, 1));
        panel(&panels[0], &format!("{game}: NashConv"), trajectories, |point| Some(point.nash_conv))?;
        if let Some(lower) = panels.get(1) {
            panel(lower, &format!("{game}: distance to the equilibrium"), trajectories, |point| point.distance)?;
        }
        area.present()
    })();
    drawn.map_err(|error: DrawingAreaErrorKind<_>| PlayError::Plot { path: path.into(), problem: error.to_string() })
}

fn panel<'a>(
    area: &DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
    caption: &str,
    trajectories: &[Trajectory],
    quantity: impl Fn(&Point) -> Option<f64>,
) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
    let series: Vec<Vec<(f64, f64)>> = trajectories.iter().map(|trajectory| curve(trajectory, &quantity)).collect();
    let values = || series.iter().flatten().map(|point| point.1);
    let (low, high) = values().fold((f64::INFINITY, 0.0_f64), |(low, high), y| (low.min(y), high.max(y)));
    let (low, high) = if low < high { (low / 2.0, high * 2.0) } else { (SMALLEST, 1.0) };
    let last = series.iter().flatten().map(|point| point.0).fold(1.0, f64::max);

    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..last, (low..high).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("iteration")
        .x_label_formatter(&|x| format!("{x}"))
        .y_label_formatter(&|y| format!("{y:.0e}"))
        .light_line_style(WHITE)
        .draw()?;
    for ((trajectory, points), colour) in trajectories.iter().zip(series).zip(COLOURS.iter().cycle()) {
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(trajectory.rule.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()
}

/// At most some two thousand points: more than the picture has pixels.
fn curve(trajectory: &Trajectory, quantity: &impl Fn(&Point) -> Option<f64>) -> Vec<(f64, f64)> {
    let stride = trajectory.points.len().div_ceil(2 * WIDTH as usize);
    let points = trajectory.points.iter().enumerate().step_by(stride);
    let known = points.filter_map(|(iteration, point)| Some((iteration as f64, quantity(point)?)));
    known.filter(|point| point.1.is_finite()).map(|(x, y)| (x, y.clamp(SMALLEST, 1e300))).collect()
}
