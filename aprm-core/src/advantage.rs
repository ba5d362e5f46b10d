//! Advantages without a critic, and whitening.
//!
//! Standard deviations are the population's: they divide by the count n, so that a whitened sample has a mean square of
//! exactly one and a sample of one is no special case.
//! Libraries that divide by n − 1 (PyTorch's `std`, TRL) return values that are smaller by the factor √((n − 1) / n).
//! Means are taken in `f64`.
//! No ε is added to a standard deviation: where all values are equal the result is exactly zero.

mod group_normalized;
mod leave_one_out;
mod process_advantage;
mod whiten;

pub use group_normalized::{GroupScale, group_normalized};
pub use leave_one_out::leave_one_out;
pub use process_advantage::{best_of_k_value, process_advantage};
pub use whiten::whiten;

use crate::scalar::Scalar;

/// Mean of some values; of none, zero.
///
/// Distances from the first value are summed, so that the mean of equal values is that value, to the bit.
fn mean<T: Scalar>(values: impl Iterator<Item = T> + Clone) -> T {
    let origin = values.clone().next().unwrap_or(T::zero()).widen();
    T::of(origin + mean_of(values.map(|value| value.widen() - origin)))
}

/// Population standard deviation of some values about their `mean`; of none, zero.
fn standard_deviation<T: Scalar>(values: impl Iterator<Item = T>, mean: T) -> T {
    let deviations = values.map(|value| (value - mean).widen());
    // The root before the narrowing: squares leave the range of `f32` long before deviations do.
    T::of(Scalar::sqrt(mean_of(deviations.map(|deviation| deviation * deviation))))
}

fn mean_of(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0_usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    sum / count.max(1) as f64
}

/// `deviation / standard_deviation`, and zero where all values are equal.
fn standardized<T: Scalar>(deviation: T, standard_deviation: T) -> T {
    if standard_deviation == T::zero() { T::zero() } else { deviation / standard_deviation }
}
