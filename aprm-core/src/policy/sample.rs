//! Drawing actions.

use core::cmp::Ordering;

use rand_core::Rng;

use crate::scalar::Scalar;

/// How an action is drawn: temperature, then top-k, then top-p, with the names and the order of Hugging Face.
///
/// ```text
/// w_i = p_i^(1 / temperature)
/// kept = the smallest prefix, by descending w, of the top_k whose share of the top_k's weight is at least top_p
/// P(i) = w_i / Σ_kept w
/// ```
///
/// The default draws from the policy itself.
///
/// # Examples
/// ```
/// use aprm_core::policy::Sampler;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
///
/// let log_probs = [0.7_f64.ln(), 0.2_f64.ln(), 0.1_f64.ln()];
/// let mut scratch = [(0.0, 0); 3];
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let sampler = Sampler { top_p: 0.65, ..Sampler::default() };
/// assert_eq!(sampler.sample(&log_probs, &mut scratch, &mut rng), Ok((0, log_probs[0])));
/// ```
///
/// # Reference
/// Top-k: Fan, Lewis and Dauphin 2018, arXiv 1805.04833.
/// Top-p: Holtzman et al. 2019, arXiv 1904.09751, equations 2 and 3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler<T> {
    /// Divides the log-probabilities; 0 takes the most probable action and draws nothing.
    pub temperature: T,
    /// How many of the most probable actions are kept; 0 keeps all.
    pub top_k: usize,
    /// The share of probability that the kept actions must reach, at least one of them; 1 keeps all.
    pub top_p: T,
}

impl<T: Scalar> Default for Sampler<T> {
    fn default() -> Self {
        Self { temperature: T::one(), top_k: 0, top_p: T::one() }
    }
}

/// The log-probabilities are no distribution: one of them is NaN or +∞, or all are −∞.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot sample: a log-probability is NaN or infinite, or no action is possible")]
pub struct NotADistribution;

impl<T: Scalar> Sampler<T> {
    /// Draws an action and returns its index and its log-probability.
    ///
    /// The log-probability is the entry of `log_probs`, that is under the policy as it is, before temperature, top-k
    /// and top-p.
    /// PPO needs this one as `old_log_prob`: the policy that is trained is not truncated, so only then is the first
    /// ratio exactly 1.
    /// The draws themselves follow the policy only with the default sampler; with any other the gradient is that of an
    /// off-policy sample.
    /// To train a tempered policy, divide its logits by the temperature before the log-softmax, here and in training.
    ///
    /// `log_probs` and `scratch` have one entry per action; what `scratch` holds before and after means nothing.
    /// One `u64` is drawn from `rng`, none at temperature 0, and inverts the cumulative distribution: in the order of the
    /// indices, or from the most probable action down if top-k or top-p cuts any.
    /// Among equals the lower index comes first, for the greedy choice and for what top-k and top-p keep.
    /// Exactly `top_k` are kept, where Hugging Face keeps all that tie with the last of them.
    ///
    /// # Errors
    /// [`NotADistribution`] if a log-probability is NaN or +∞, or if all are −∞.
    ///
    /// # Panics
    /// If the lengths differ, the temperature is negative or not finite, or `top_p` is outside of `[0, 1]`.
    pub fn sample<R: Rng + ?Sized>(
        &self,
        log_probs: &[T],
        scratch: &mut [(f64, usize)],
        rng: &mut R,
    ) -> Result<(usize, T), NotADistribution> {
        // 53 random bits: a number in [0, 1), as `invert` asks for.
        self.choose(log_probs, scratch, || (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64)
    }

    /// The action that [`Sampler::sample`] draws when its random number in `[0, 1)` is `uniform`.
    ///
    /// ```text
    /// the first kept i with Σ_{j ≤ i} w_j > uniform Σ_kept w
    /// ```
    ///
    /// A device that draws for itself is compared with this.
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    ///
    /// # Panics
    /// As [`Sampler::sample`], and if `uniform` is outside of `[0, 1)`.
    ///
    /// # Examples
    /// ```
    /// use aprm_core::policy::Sampler;
    ///
    /// let log_probs = [0.2_f64.ln(), 0.8_f64.ln()];
    /// let drawn = [0.0, 0.19, 0.21].map(|uniform| Sampler::default().invert(uniform, &log_probs, &mut [(0.0, 0); 2]));
    /// assert_eq!(drawn, [Ok((0, log_probs[0])), Ok((0, log_probs[0])), Ok((1, log_probs[1]))]);
    /// ```
    pub fn invert(
        &self,
        uniform: f64,
        log_probs: &[T],
        scratch: &mut [(f64, usize)],
    ) -> Result<(usize, T), NotADistribution> {
        assert!((0.0..1.0).contains(&uniform), "sample: uniform {uniform}");
        self.choose(log_probs, scratch, || uniform)
    }

    fn choose(
        &self,
        log_probs: &[T],
        scratch: &mut [(f64, usize)],
        uniform: impl FnOnce() -> f64,
    ) -> Result<(usize, T), NotADistribution> {
        assert_eq!(log_probs.len(), scratch.len(), "sample: log_probs and scratch differ in length");
        assert!(
            self.temperature >= T::zero() && self.temperature.is_finite(),
            "sample: temperature {}",
            self.temperature
        );
        assert!(self.top_p >= T::zero() && self.top_p <= T::one(), "sample: top_p {}", self.top_p);

        let mode = mode(log_probs)?;
        if self.temperature == T::zero() {
            return Ok((mode, log_probs[mode]));
        }
        for (index, (candidate, &log_prob)) in scratch.iter_mut().zip(log_probs).enumerate() {
            *candidate = (((log_prob - log_probs[mode]) / self.temperature).exp().widen(), index);
        }
        let kept = self.truncate(scratch);
        // Below one, so the threshold stays below the total and a weight of zero is never drawn.
        let threshold = uniform() * total(kept);
        let drawn = cumulative(kept).position(|sum| sum > threshold).expect("the last sum is the total");
        let (_, action) = kept[drawn];
        Ok((action, log_probs[action]))
    }

    /// The candidates that top-k and then top-p keep.
    fn truncate<'a>(&self, mut candidates: &'a mut [(f64, usize)]) -> &'a [(f64, usize)] {
        let by_top_k = self.top_k > 0 && self.top_k < candidates.len();
        let by_top_p = self.top_p < T::one();
        if by_top_k {
            candidates.select_nth_unstable_by(self.top_k - 1, more_probable_first);
            candidates = &mut candidates[..self.top_k];
        }
        if by_top_k || by_top_p {
            // After top-k alone too: the order in which weights are summed must not depend on how selection works.
            candidates.sort_unstable_by(more_probable_first);
        }
        if by_top_p {
            let share = self.top_p.widen() * total(candidates);
            let last = cumulative(candidates).position(|sum| sum >= share).expect("the last sum is the total");
            candidates = &mut candidates[..=last];
        }
        candidates
    }
}

/// The most probable action, the first among equals.
fn mode<T: Scalar>(log_probs: &[T]) -> Result<usize, NotADistribution> {
    let mut mode = None;
    let mut max = T::neg_infinity();
    for (index, &log_prob) in log_probs.iter().enumerate() {
        if log_prob.is_nan() || log_prob == T::infinity() {
            return Err(NotADistribution);
        }
        if log_prob > max {
            (mode, max) = (Some(index), log_prob);
        }
    }
    mode.ok_or(NotADistribution)
}

fn more_probable_first(a: &(f64, usize), b: &(f64, usize)) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// The sums of the first 1, 2, ... weights.
fn cumulative(candidates: &[(f64, usize)]) -> impl Iterator<Item = f64> {
    candidates.iter().scan(0.0, |sum, &(weight, _)| {
        *sum += weight;
        Some(*sum)
    })
}

fn total(candidates: &[(f64, usize)]) -> f64 {
    cumulative(candidates).last().expect("there is a most probable action")
}
