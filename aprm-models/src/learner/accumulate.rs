use core::fmt::Display;
use core::ops::Range;

use aprm_core::backend::Backend;

use super::{Learner, UpdateError, UpdateReport};
use crate::transformer::Parameters;

/// A sequence that no micro-batch can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sequence {sequence} has {len} tokens, in room for {rows}")]
pub struct TooLong {
    /// Which of the sequences.
    pub sequence: usize,
    /// How many tokens it has.
    pub len: usize,
    /// How many there is room for.
    pub rows: usize,
}

/// Splits sequences of the given lengths, in their order, into runs of at most `rows` tokens.
///
/// ```
/// use aprm_models::learner::micro_batches;
///
/// assert_eq!(micro_batches(&[3, 4, 5, 2], 7).unwrap(), [0..2, 2..4]);
/// assert!(micro_batches(&[3, 8], 7).is_err());
/// ```
///
/// # Errors
/// [`TooLong`], if a sequence alone has more tokens.
pub fn micro_batches(lengths: &[usize], rows: usize) -> Result<Vec<Range<usize>>, TooLong> {
    let (mut runs, mut begin, mut taken) = (Vec::new(), 0, 0);
    for (sequence, &len) in lengths.iter().enumerate() {
        if len > rows {
            return Err(TooLong { sequence, len, rows });
        }
        if len > rows - taken {
            runs.push(begin..sequence);
            (begin, taken) = (sequence, 0);
        }
        taken += len;
    }
    if begin < lengths.len() {
        runs.push(begin..lengths.len());
    }
    Ok(runs)
}

impl<B: Backend> Learner<B> {
    /// Makes one update from a batch that is too large to be run at once.
    ///
    /// ```text
    /// g = Σ_m ∇L_m,   L = Σ_m L_m
    /// ```
    ///
    /// `backward` adds the gradients of one micro-batch to those that are there.
    /// A loss that is a mean over the rows of the batch is one over the rows of all micro-batches: each row has the weight
    /// that it would have if the batch were run at once.
    /// Gradients are clipped once, after the last micro-batch.
    ///
    /// # Errors
    /// As [`Learner::apply`], and whatever `backward` reports.
    pub fn update<M>(
        &mut self,
        backend: &mut B,
        batch: &dyn Display,
        micro_batches: impl IntoIterator<Item = M>,
        mut backward: impl FnMut(&mut B, M, &Parameters<B::Buffer>, &mut Parameters<B::Buffer>) -> Result<(), B::Error>,
    ) -> Result<UpdateReport<B::Scalar>, UpdateError<B::Error>> {
        let accumulate = || {
            self.gradients.clear(backend, &self.layout)?;
            micro_batches.into_iter().try_for_each(|m| backward(backend, m, &self.weights, &mut self.gradients))
        };
        accumulate().map_err(UpdateError::Device)?;
        self.apply(backend, batch)
    }
}
