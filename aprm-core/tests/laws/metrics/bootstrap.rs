//! Coverage by simulation, and the draws themselves.

use core::convert::Infallible;

use aprm_core::metrics::bootstrap::{Interval, bootstrap_difference, bootstrap_mean, percentile_interval, resample};
use aprm_core::rand_core::TryRng;
use proptest::prelude::*;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

type Bootstrap = fn(&[f64], f64, &mut [f64], &mut ChaCha8Rng) -> Option<Interval<f64>>;

/// The share of simulated data sets whose 90 % interval covers the true mean.
///
/// Between the 16th and the 285th of 300 means lie 0.894 of a normal's mass, and 40 samples in place of the law that
/// they came from cost 0.012: that leaves 0.88, within three standard errors of 0.01 each.
fn coverage_holds(bootstrap: Bootstrap) -> Result<(), String> {
    const TRIALS: usize = 1000;
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mut covered = 0;
    for _ in 0..TRIALS {
        let samples: [f64; 40] = core::array::from_fn(|_| rng.random());
        let interval = bootstrap(&samples, 0.9, &mut [0.0; 300], &mut rng).ok_or("no interval")?;
        covered += usize::from((interval.low..=interval.high).contains(&0.5));
    }
    let coverage = covered as f64 / TRIALS as f64;
    if (0.85..=0.91).contains(&coverage) { Ok(()) } else { Err(format!("90 % intervals cover {coverage}")) }
}

#[test]
fn bootstrap_intervals_cover_the_true_mean() {
    coverage_holds(bootstrap_mean).unwrap();
    coverage_holds(|samples, confidence, resampled, rng| {
        let squares: Vec<_> = samples.iter().map(|x| x * x).collect();
        let sums: Vec<_> = samples.iter().map(|x| x * x + x).collect();
        bootstrap_difference(&sums, &squares, confidence, resampled, rng)
    })
    .unwrap();
}

/// The mean's interval, put together from resamples and percentiles.
fn mean_by_resamples(
    draw: fn(&mut [usize], &mut ChaCha8Rng),
    samples: &[f64],
    confidence: f64,
    resampled: &mut [f64],
    rng: &mut ChaCha8Rng,
) -> Option<Interval<f64>> {
    let mut drawn = vec![0; samples.len()];
    for mean in resampled.iter_mut() {
        draw(&mut drawn, rng);
        *mean = drawn.iter().map(|&i| samples[i]).sum::<f64>() / samples.len() as f64;
    }
    percentile_interval(resampled, confidence)
}

#[test]
fn resamples_and_percentiles_make_the_interval_of_a_mean() {
    let samples: Vec<f64> = (0..30).map(|i| f64::from(i * i % 17)).collect();
    let of = |bootstrap: Bootstrap| bootstrap(&samples, 0.9, &mut [0.0; 200], &mut ChaCha8Rng::seed_from_u64(3));
    let by_resamples: Bootstrap = |samples, confidence, resampled, rng| {
        mean_by_resamples(resample::<ChaCha8Rng>, samples, confidence, resampled, rng)
    };
    assert_eq!(of(by_resamples), of(bootstrap_mean));
    coverage_holds(by_resamples).unwrap();
}

/// Negative control: of a resample that leaves half of the problems as they are, intervals are too narrow.
#[test]
fn a_resample_of_half_the_problems_is_caught() {
    let half: Bootstrap = |samples, confidence, resampled, rng| {
        let draw = |indices: &mut [usize], rng: &mut ChaCha8Rng| {
            let half = indices.len() / 2;
            resample(&mut indices[..half], rng);
            (half..indices.len()).for_each(|i| indices[i] = i);
        };
        mean_by_resamples(draw, samples, confidence, resampled, rng)
    };
    coverage_holds(half).unwrap_err();
}

#[test]
fn an_undefined_statistic_leaves_no_interval() {
    assert_eq!(percentile_interval(&mut [0.1, f64::NAN, 0.3, 0.4, 0.5], 0.2), None);
    assert_eq!(percentile_interval(&mut [f64::NEG_INFINITY, 0.2, 0.3, 0.4, 0.5], 0.9), None);
    resample(&mut [], &mut ChaCha8Rng::seed_from_u64(0));
}

/// Negative control: without replacement every mean is the same; the spread of samples is not that of their mean.
#[test]
fn intervals_of_the_wrong_width_are_caught() {
    let without_replacement: Bootstrap = |samples, _, resampled, rng| {
        let mut shuffled = samples.to_vec();
        for mean in resampled.iter_mut() {
            for last in (1..shuffled.len()).rev() {
                shuffled.swap(last, rng.random_range(0..=last));
            }
            *mean = shuffled.iter().sum::<f64>() / shuffled.len() as f64;
        }
        resampled.sort_unstable_by(f64::total_cmp);
        Some(Interval { low: resampled[15], high: resampled[resampled.len() - 16] })
    };
    let of_samples: Bootstrap = |samples, confidence, resampled, rng| {
        let interval = bootstrap_mean(samples, confidence, resampled, rng)?;
        let middle = (interval.low + interval.high) / 2.0;
        let widened = (interval.high - middle) * (samples.len() as f64).sqrt();
        Some(Interval { low: middle - widened, high: middle + widened })
    };
    let one_sided: Bootstrap = |samples, confidence, resampled, rng| {
        let interval = bootstrap_mean(samples, confidence, resampled, rng)?;
        Some(Interval { high: (interval.low + interval.high) / 2.0, ..interval })
    };
    for sabotaged in [without_replacement, of_samples, one_sided] {
        coverage_holds(sabotaged).unwrap_err();
    }
}

/// Plays a script of words back.
struct Script<'a>(core::slice::Iter<'a, u64>);

impl TryRng for Script<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("indices are drawn from 64 bits")
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(*self.0.next().expect("the script is long enough"))
    }
    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        unreachable!("indices are drawn from 64 bits")
    }
}

/// 2^64 = 3 · 6148914691236517205 + 1, so exactly one of all words must be redrawn for three samples: the zero.
#[test]
fn indices_are_drawn_without_bias() {
    const THIRD: u64 = u64::MAX / 3;
    let first_mean = |script: &[u64]| {
        let interval = bootstrap_mean(&[1.0, 10.0, 100.0_f64], 0.5, &mut [0.0], &mut Script(script.iter())).unwrap();
        (3.0 * interval.low).round()
    };
    assert_eq!(first_mean(&[1, THIRD, THIRD + 1]), 12.0);
    assert_eq!(first_mean(&[2 * THIRD, 2 * THIRD + 1, u64::MAX]), 210.0);
    assert_eq!(first_mean(&[0, 1, 0, 0, 1, u64::MAX]), 102.0, "zeros are redrawn");
}

#[test]
fn the_ends_are_the_order_statistics() {
    let samples: Vec<f64> = (0..10).map(f64::from).collect();
    let mut resampled = [0.0; 20];
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let interval = bootstrap_mean(&samples, 0.9, &mut resampled, &mut rng).unwrap();
    assert!(resampled.is_sorted());
    assert_eq!(interval, Interval { low: resampled[1], high: resampled[18] });
    let interval = bootstrap_mean(&samples, 0.001, &mut resampled[..2], &mut rng).unwrap();
    assert_eq!(interval, Interval { low: resampled[0], high: resampled[1] }, "the ends never cross");
}

#[test]
fn bootstrap_is_not_defined_for_nothing_or_nan() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    assert_eq!(bootstrap_mean(&[], 0.9, &mut [0.0], &mut rng), None);
    assert_eq!(bootstrap_mean(&[1.0, f64::NAN], 0.9, &mut [0.0], &mut rng), None);
    assert_eq!(bootstrap_mean(&[f64::MAX; 2], 0.9, &mut [0.0], &mut rng), None, "the sum overflows");
    assert_eq!(bootstrap_difference(&[f64::INFINITY], &[f64::INFINITY], 0.9, &mut [0.0], &mut rng), None);
}

#[test]
#[should_panic(expected = "a confidence of 95")]
fn a_confidence_in_per_cent_panics() {
    bootstrap_mean(&[1.0], 95.0, &mut [0.0], &mut ChaCha8Rng::seed_from_u64(0));
}

#[test]
#[should_panic(expected = "the samples are pairs")]
fn unpaired_samples_panic() {
    bootstrap_difference(&[1.0], &[], 0.9, &mut [0.0], &mut ChaCha8Rng::seed_from_u64(0));
}

proptest! {
    #[test]
    fn a_paired_difference_is_the_mean_of_differences(
        pairs in prop::collection::vec((-2.0..2.0_f64, -2.0..2.0_f64), 1..30), seed in any::<u64>(),
    ) {
        let (samples, others): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        let differences: Vec<_> = pairs.iter().map(|(x, y)| x - y).collect();
        let rng = || ChaCha8Rng::seed_from_u64(seed);
        let paired = bootstrap_difference(&samples, &others, 0.95, &mut [0.0; 40], &mut rng());
        let erased: &mut dyn Rng = &mut rng();
        prop_assert_eq!(paired, bootstrap_mean(&differences, 0.95, &mut [0.0; 40], erased));
    }
}
