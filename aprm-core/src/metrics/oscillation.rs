//! Whether a trajectory turns in circles or gets somewhere.

use core::ops::Range;

use crate::scalar::Scalar;

/// How much of a trajectory's motion is undone by later motion without dying down, between 0 and 1.
///
/// ```text
/// d_t = z_{t+1} − z_t,   t = 0 … n−1,   h = ⌊n/2⌋
/// reversal    = max(0, −min_{1 ≤ l ≤ h} cos_l),   cos_l = Σ_t ⟨d_t, d_{t+l}⟩ / √(Σ_t |d_t|² Σ_t |d_{t+l}|²)
/// persistence = min(1, √(Σ_{t ≥ n−h} |d_t|² / Σ_{t < h} |d_t|²))
/// index       = persistence · reversal
/// ```
///
/// `points` is the window of the latest n + 1 points, oldest first, `dimension` numbers each; 1 makes it a scalar series.
/// `None` for fewer than three points or an entry that is not finite; zero where nothing moves.
/// The time is of the order of n² times the dimension.
///
/// # What it says
/// The two factors part rotation from convergence.
/// For a planar spiral that turns by ω and scales by k at each step, `cos_l = cos(l ω)` whatever k is, and
/// persistence is `min(1, k^{n−h})` whatever ω is.
///
/// | trajectory | index |
/// |---|---|
/// | drift, or monotone convergence along a line | 0 |
/// | cycle whose second half undoes the first step by step: a circle, a swap back and forth | 1 |
/// | cycle around the corners of a triangle, as of best responses at rock-paper-scissors | 1/2 |
/// | spiral outwards, as of simultaneous gradient descent-ascent on f(x, y) = x y | about 1 |
/// | spiral inwards, as of the optimistic method there | about `k^{n/2}` |
/// | random walk | about 0 |
/// | independent noise about a point | about 1/2 |
///
/// Net displacement over path length would not do: it is small for an inward spiral, and for noise however smooth.
///
/// # Choosing the window
/// It must span one period, or half a turn is not among the lags and a slow circle reads as the drift that it still is.
/// Its length is also the caller's patience: a convergence too slow to show over half the window is no convergence.
/// The maximum over lags lifts the readings of noise by a few times `√(2/n)`.
///
/// # Panics
/// If `dimension` is zero or does not divide the length of `points`.
///
/// # Examples
/// ```
/// use aprm_core::metrics::oscillation::oscillation_index;
///
/// let back_and_forth = [0.0, 1.0, 0.0, 1.0, 0.0];
/// let getting_there = [1.0, 0.5, 0.25, 0.125, 0.0625];
/// assert_eq!(oscillation_index(&back_and_forth, 1), Some(1.0));
/// assert_eq!(oscillation_index(&getting_there, 1), Some(0.0));
/// ```
pub fn oscillation_index<T: Scalar>(points: &[T], dimension: usize) -> Option<T> {
    assert!(
        dimension > 0 && points.len() % dimension == 0,
        "oscillation_index: {} numbers in points of dimension {dimension}",
        points.len(),
    );
    let steps = (points.len() / dimension).saturating_sub(1);
    if steps < 2 || !points.iter().all(|x| x.is_finite()) {
        return None;
    }
    let moved = |t: usize, i: usize| points[(t + 1) * dimension + i] - points[t * dimension + i];
    let dot = |t: usize, u: usize| (0..dimension).map(|i| moved(t, i) * moved(u, i)).sum::<T>();
    let energy = |times: Range<usize>| times.map(|t| dot(t, t)).sum::<T>();

    let half = steps / 2;
    let (early, late) = (energy(0..half), energy(steps - half..steps));
    let persistence = if late < early { (late / early).sqrt() } else { T::one() };

    let mut reversal = T::zero();
    for lag in 1..=half {
        let scale = energy(0..steps - lag).sqrt() * energy(lag..steps).sqrt();
        if scale > T::zero() {
            let product: T = (0..steps - lag).map(|t| dot(t, t + lag)).sum();
            reversal = reversal.max(-product / scale);
        }
    }
    Some(persistence * reversal.min(T::one()))
}
