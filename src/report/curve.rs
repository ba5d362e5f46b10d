//! Noisy curves, made readable.

/// A round and a value.
pub(super) type Point = (u64, f64);

/// Curves of fewer points are drawn point by point.
const FEW: usize = 20;
/// About as many points as a plot has pixels across.
const MANY: usize = 1000;

/// Over how many points a curve is smoothed: an odd number, a fifteenth of it.
pub(super) fn window(points: usize) -> usize {
    if points < FEW { 1 } else { (points / 15).max(5) | 1 }
}

/// The mean over the window around each point, or over what there is of it at the ends.
///
/// ```text
/// y_i = mean of x_j over |i − j| ≤ (window − 1) / 2
/// ```
pub(super) fn smoothed(points: &[Point], window: usize) -> Vec<Point> {
    let half = window / 2;
    let mean = |(i, &(round, _)): (usize, &Point)| {
        let around = &points[i.saturating_sub(half)..points.len().min(i + half + 1)];
        (round, around.iter().map(|point| point.1).sum::<f64>() / around.len() as f64)
    };
    points.iter().enumerate().map(mean).collect()
}

/// No more points than can be seen: of each bucket the least and the greatest, so that no spike is lost.
pub(super) fn thinned(points: &[Point]) -> Vec<Point> {
    if points.len() <= MANY {
        return points.to_vec();
    }
    let extremes = points.chunks(points.len().div_ceil(MANY / 2)).flat_map(|bucket| {
        let by_value = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
        let mut pair: Vec<Point> =
            [bucket.iter().min_by(by_value), bucket.iter().max_by(by_value)].into_iter().flatten().copied().collect();
        pair.sort_by_key(|point| point.0);
        pair
    });
    extremes.collect()
}
