//! Intervals by resampling.

use rand_core::Rng;

use crate::scalar::Scalar;

/// The two ends of a confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval<T> {
    /// The lower end.
    pub low: T,
    /// The upper end.
    pub high: T,
}

/// The percentile interval of a mean.
///
/// ```text
/// m_b = (1/n) Σ_i x_{J_bi},   J_bi uniform on 1 … n
/// [m_(k+1), m_(B−k)],   k = round(B (1 − confidence) / 2)
/// ```
///
/// Resamples with replacement once for every entry of `resampled`, which afterwards holds the means in ascending order.
/// A thousand resamples is usual for 95 %.
/// Percentile intervals of few samples are too narrow: at 20 or less, read them as a lower bound on doubt.
/// `None` where `samples` is empty, or an entry or an end of the interval is not finite.
///
/// # Panics
/// If `resampled` is empty, or if `confidence` is not strictly between 0 and 1.
///
/// # Examples
/// ```
/// use aprm_core::metrics::bootstrap::bootstrap_mean;
/// use rand::{rngs::ChaCha8Rng, SeedableRng};
///
/// let right: Vec<f64> = (0..100).map(|problem| f64::from(u8::from(problem % 4 == 0))).collect();
/// let interval = bootstrap_mean(&right, 0.95, &mut [0.0; 1000], &mut ChaCha8Rng::seed_from_u64(0)).unwrap();
/// assert_eq!((interval.low, interval.high), (0.17, 0.33));
/// ```
///
/// # Reference
/// Efron 1979, "Bootstrap methods: another look at the jackknife".
pub fn bootstrap_mean<T: Scalar, R: Rng + ?Sized>(
    samples: &[T],
    confidence: T,
    resampled: &mut [T],
    rng: &mut R,
) -> Option<Interval<T>> {
    percentile(samples.len(), |i| samples[i], confidence, resampled, rng)
}

/// The percentile interval of the mean difference between two systems on the same problems.
///
/// ```text
/// m_b = (1/n) Σ_i (x_{J_bi} − y_{J_bi})
/// ```
///
/// Otherwise as [`bootstrap_mean`].
/// Problems are drawn, not results, so how hard each problem is falls out of the comparison; an interval that excludes
/// zero tells the systems apart.
///
/// # Panics
/// If the lengths of `samples` and `others` differ, and as [`bootstrap_mean`].
///
/// # Examples
/// ```
/// use aprm_core::metrics::bootstrap::bootstrap_difference;
/// use rand::{rngs::ChaCha8Rng, SeedableRng};
///
/// let hard: Vec<f64> = (0..50).map(f64::from).collect();
/// let harder: Vec<f64> = hard.iter().map(|score| score - 1.0).collect();
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let interval = bootstrap_difference(&hard, &harder, 0.95, &mut [0.0; 200], &mut rng).unwrap();
/// assert_eq!((interval.low, interval.high), (1.0, 1.0));
/// ```
pub fn bootstrap_difference<T: Scalar, R: Rng + ?Sized>(
    samples: &[T],
    others: &[T],
    confidence: T,
    resampled: &mut [T],
    rng: &mut R,
) -> Option<Interval<T>> {
    assert_eq!(samples.len(), others.len(), "bootstrap_difference: the samples are pairs");
    percentile(samples.len(), |i| samples[i] - others[i], confidence, resampled, rng)
}

fn percentile<T: Scalar, R: Rng + ?Sized>(
    count: usize,
    sample: impl Fn(usize) -> T,
    confidence: T,
    resampled: &mut [T],
    rng: &mut R,
) -> Option<Interval<T>> {
    assert!(!resampled.is_empty(), "bootstrap: no resamples");
    assert!(T::zero() < confidence && confidence < T::one(), "bootstrap: a confidence of {confidence}");
    if count == 0 || !(0..count).all(|i| sample(i).is_finite()) {
        return None;
    }
    for mean in resampled.iter_mut() {
        *mean = (0..count).map(|_| sample(uniform_index(count, rng))).sum::<T>() / T::of_usize(count);
    }
    percentile_interval(resampled, confidence)
}

/// Draws problems with replacement: every entry of `indices` becomes a uniform index below their number.
///
/// With [`percentile_interval`] it makes intervals of statistics that are no means, such as an F1.
///
/// ```text
/// J_i uniform on 0 … n − 1,   i = 1 … n
/// ```
///
/// # Examples
/// ```
/// use aprm_core::metrics::bootstrap::{percentile_interval, resample};
/// use rand::{rngs::ChaCha8Rng, SeedableRng};
///
/// let times = [1.0, 2.0, 3.0, 4.0, 100.0];
/// let (mut drawn, mut rng) = ([0; 5], ChaCha8Rng::seed_from_u64(0));
/// let mut medians = [0.0; 1000].map(|_: f64| {
///     resample(&mut drawn, &mut rng);
///     drawn.sort_unstable();
///     times[drawn[2]]
/// });
/// let interval = percentile_interval(&mut medians, 0.8).unwrap();
/// assert_eq!((interval.low, interval.high), (2.0, 4.0));
/// ```
///
/// # Reference
/// Efron 1979, "Bootstrap methods: another look at the jackknife".
pub fn resample<R: Rng + ?Sized>(indices: &mut [usize], rng: &mut R) {
    let count = indices.len();
    indices.fill_with(|| uniform_index(count, rng));
}

/// The percentile interval of a statistic, from its values on resamples.
///
/// ```text
/// [s_(k+1), s_(B−k)],   k = round(B (1 − confidence) / 2)
/// ```
///
/// Sorts `statistics`, of which there is one for each of the B resamples.
/// `None` where one of them is NaN, which is what a statistic that is not defined on a resample should be, or an end of
/// the interval is not finite.
///
/// # Panics
/// If `statistics` is empty, or if `confidence` is not strictly between 0 and 1.
///
/// # Examples
/// ```
/// use aprm_core::metrics::bootstrap::percentile_interval;
///
/// let interval = percentile_interval(&mut [5.0, 1.0, 4.0, 2.0, 3.0], 0.6).unwrap();
/// assert_eq!((interval.low, interval.high), (2.0, 4.0));
/// ```
pub fn percentile_interval<T: Scalar>(statistics: &mut [T], confidence: T) -> Option<Interval<T>> {
    assert!(!statistics.is_empty(), "bootstrap: no resamples");
    assert!(T::zero() < confidence && confidence < T::one(), "bootstrap: a confidence of {confidence}");
    if statistics.iter().any(|statistic| statistic.is_nan()) {
        return None;
    }
    statistics.sort_unstable_by(|a, b| a.partial_cmp(b).expect("no statistic is NaN"));
    let last = statistics.len() - 1;
    let tail = T::of_usize(statistics.len()) * (T::one() - confidence) / T::of(2.0);
    let cut = tail.round().to_usize().map_or(0, |cut| cut.min(last / 2));
    let interval = Interval { low: statistics[cut], high: statistics[last - cut] };
    (interval.low.is_finite() && interval.high.is_finite()).then_some(interval)
}

/// A uniform index below `count`: the high word of a product, redrawn where the low word shows an overfull class
/// (Lemire 2019, arXiv 1805.10941).
fn uniform_index<R: Rng + ?Sized>(count: usize, rng: &mut R) -> usize {
    let count = count as u64;
    let overfull = count.wrapping_neg() % count;
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(count);
        if product as u64 >= overfull {
            return (product >> 64) as usize;
        }
    }
}
