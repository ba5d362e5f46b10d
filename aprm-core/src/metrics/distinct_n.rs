//! Diversity of token sequences.

/// The share of distinct n-grams among all n-grams of `sequences`.
///
/// ```text
/// |{n-grams}| / #n-grams
/// ```
///
/// No n-gram reaches from one sequence into the next, and a sequence shorter than `n` has none.
/// `scratch` holds the n-grams while they are sorted: [`ngram_count`] entries or more, of any content.
/// `None` where there is no n-gram.
///
/// The share falls as more text is counted, so compare equal amounts.
///
/// # Panics
/// If `n` is zero, or if `scratch` is shorter than [`ngram_count`].
///
/// # Examples
/// ```
/// use aprm_core::metrics::distinct_n::{distinct_n, ngram_count};
///
/// let sequences: [&[u32]; 2] = [&[1, 2, 1, 2], &[2, 1]];
/// let mut scratch = [&[][..]; 8];
/// assert_eq!(ngram_count(&sequences, 2), 4);
/// assert_eq!(distinct_n(&sequences, 2, &mut scratch), Some(0.5));
/// ```
///
/// # Reference
/// Li, Galley, Brockett, Gao and Dolan 2016, arXiv 1510.03055, who divide by the number of tokens; dividing by the
/// number of n-grams, as is now usual, lets distinct text score 1 for every n.
pub fn distinct_n<'a>(sequences: &[&'a [u32]], n: usize, scratch: &mut [&'a [u32]]) -> Option<f64> {
    let total = ngram_count(sequences, n);
    assert!(scratch.len() >= total, "distinct_n: scratch for {} of {total} n-grams", scratch.len());
    let ngrams = &mut scratch[..total];
    for (slot, ngram) in ngrams.iter_mut().zip(sequences.iter().flat_map(|sequence| sequence.windows(n))) {
        *slot = ngram;
    }
    ngrams.sort_unstable();
    super::share(ngrams.chunk_by(|a, b| a == b).count() as u64, total as u64)
}

/// The number of n-grams of `sequences`: the scratch that [`distinct_n`] needs.
///
/// ```
/// use aprm_core::metrics::distinct_n::ngram_count;
///
/// assert_eq!(ngram_count(&[&[1, 2, 3], &[4]], 2), 2);
/// ```
///
/// # Panics
/// If `n` is zero.
pub fn ngram_count(sequences: &[&[u32]], n: usize) -> usize {
    assert!(n > 0, "an n-gram has at least one token");
    sequences.iter().map(|sequence| (sequence.len() + 1).saturating_sub(n)).sum()
}
