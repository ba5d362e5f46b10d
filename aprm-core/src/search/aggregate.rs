//! One score for a solution, out of those of its steps.

use crate::scalar::Scalar;

/// How the scores of a solution's steps become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// The score of the last step.
    Last,
    /// The lowest score: a chain is as strong as its weakest link.
    Min,
    /// The product: the chance that every step is right, were they independent.
    Product,
    /// The arithmetic mean.
    Mean,
}

impl Aggregate {
    /// Aggregates `step_scores`.
    ///
    /// ```text
    /// Last: s_H   Min: min_h s_h   Product: Π_h s_h   Mean: (1/H) Σ_h s_h
    /// ```
    ///
    /// A solution without steps scores zero: nothing in it was found right, and a sum over votes stays as it is.
    /// NaN among the scores gives NaN, except before the last one under [`Aggregate::Last`].
    ///
    /// # Examples
    /// ```
    /// use aprm_core::search::aggregate::Aggregate;
    ///
    /// let step_scores = [1.0, 0.25, 0.5];
    /// assert_eq!(Aggregate::Last.of(step_scores), 0.5);
    /// assert_eq!(Aggregate::Min.of(step_scores), 0.25);
    /// assert_eq!(Aggregate::Product.of(step_scores), 0.125);
    /// assert_eq!(Aggregate::Mean.of([1.0, 0.5]), 0.75);
    /// ```
    ///
    /// # Reference
    /// Lightman et al. 2023, arXiv 2305.20050 (product and minimum); Snell et al. 2024, arXiv 2408.03314 (last).
    pub fn of<T: Scalar>(self, step_scores: impl IntoIterator<Item = T>) -> T {
        let step_scores = step_scores.into_iter();
        let lower = |lowest: T, score: T| if score < lowest || score.is_nan() { score } else { lowest };
        let aggregated = match self {
            Self::Last => step_scores.last(),
            Self::Min => step_scores.reduce(lower),
            Self::Product => step_scores.reduce(|product, score| product * score),
            Self::Mean => step_scores
                .map(|score| (score, 1))
                .reduce(|(sum, steps), (score, one)| (sum + score, steps + one))
                .map(|(sum, steps)| sum / T::of_usize(steps)),
        };
        aggregated.unwrap_or(T::zero())
    }
}
