//! Numbers with intervals.

use aprm_core::metrics::bootstrap::{percentile_interval, resample};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde::Serialize;

/// A number that was found on a set of problems, and where it may lie for other problems of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// What was found.
    pub value: f64,
    /// The ends of the interval; none if the number is not defined on some resample, such as one without errors.
    pub interval: Option<[f64; 2]>,
}

/// How intervals are drawn: percentiles of resamples over problems.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// Every interval follows from it; each begins a stream of its own.
    pub seed: u64,
    /// How many resamples.
    pub resamples: usize,
    /// The share of resamples that an interval covers.
    pub confidence: f64,
}

impl Default for Bootstrap {
    /// A thousand resamples, for 95 %.
    fn default() -> Self {
        Self { seed: 0, resamples: 1000, confidence: 0.95 }
    }
}

impl Bootstrap {
    /// A statistic of sets of so many problems; it is told for each set which problems count, some of them several times.
    ///
    /// ```text
    /// value = s(all)     interval: percentiles of s(J_1, …, J_K),  J_k drawn from set k with replacement
    /// ```
    ///
    /// None where the statistic is not defined on the sets themselves.
    ///
    /// # Panics
    /// If there are no resamples, or the confidence is not strictly between 0 and 1.
    ///
    /// ```
    /// use aprm_models::benchmark::estimate::Bootstrap;
    ///
    /// let right = [true, false, true, true];
    /// let share = |drawn: &[Vec<usize>]| Some(drawn[0].iter().filter(|&&i| right[i]).count() as f64 / 4.0);
    /// let found = Bootstrap::default().estimate(&[right.len()], share).unwrap();
    /// assert_eq!((found.value, found.interval), (0.75, Some([0.25, 1.0])));
    /// ```
    pub fn estimate(&self, sizes: &[usize], statistic: impl Fn(&[Vec<usize>]) -> Option<f64>) -> Option<Estimate> {
        let mut drawn: Vec<Vec<usize>> = sizes.iter().map(|&size| (0..size).collect()).collect();
        let value = statistic(&drawn)?;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut statistics: Vec<f64> = (0..self.resamples)
            .map(|_| {
                drawn.iter_mut().for_each(|indices| resample(indices, &mut rng));
                statistic(&drawn).unwrap_or(f64::NAN)
            })
            .collect();
        let interval = percentile_interval(&mut statistics, self.confidence);
        Some(Estimate { value, interval: interval.map(|ends| [ends.low, ends.high]) })
    }

    /// The mean over problems; none if there is no problem.
    ///
    /// # Panics
    /// As [`estimate`](Self::estimate).
    pub fn mean(&self, of_problems: &[f64]) -> Option<Estimate> {
        let count = of_problems.len();
        let mean = |drawn: &[Vec<usize>]| drawn[0].iter().map(|&i| of_problems[i]).sum::<f64>() / count as f64;
        if count == 0 { None } else { self.estimate(&[count], |drawn| Some(mean(drawn))) }
    }
}
