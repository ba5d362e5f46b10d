use core::fmt::Display;

use aprm_core::backend::Backend;
use aprm_core::scalar::Scalar;
use num_traits::Zero;
use num_traits::float::FloatCore;

use super::{GradientError, Learner, UpdateError};
use crate::layout::TensorSpec;

/// How many updates a tensor may wait for its first gradient: behind a layer that begins at zero it takes one more.
const REACHED_WITHIN: u64 = 8;

/// Which tensors a gradient has reached since the learner was made or loaded.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    unreached: Vec<usize>,
    updates: u64,
}

impl Reach {
    pub(super) fn new(trainable: &[TensorSpec]) -> Self {
        let unreached = trainable.iter().enumerate().filter(|(_, spec)| !spec.is_empty()).map(|(i, _)| i).collect();
        Self { unreached, updates: 0 }
    }
}

impl<B: Backend> Learner<B> {
    /// Looks at all gradients, one tensor at a time.
    ///
    /// [`Learner::apply`] notices a gradient that is not finite by its norm, and waits a few updates for a tensor's first
    /// gradient; this is for a test or a first batch, and for the one that was skipped.
    ///
    /// # Errors
    /// [`GradientError`]: an entry of a trainable tensor is not finite, or all entries are zero.
    pub fn check_gradients(&self, backend: &mut B) -> Result<(), GradientError<B::Error>> {
        let mut unreached = Vec::new();
        for (spec, gradient) in self.trainable.tensors.iter().zip(&self.gradients.0) {
            let mut start = 0;
            for part in &spec.parts {
                let entries =
                    read(backend, gradient, start, part.rows * spec.columns).map_err(GradientError::Device)?;
                start += entries.len();
                if let Some((index, value)) = entries.iter().enumerate().find(|(_, entry)| !entry.is_finite()) {
                    return Err(GradientError::NotFinite { tensor: part.name.clone(), index, value: value.widen() });
                }
                if entries.iter().all(Zero::is_zero) {
                    unreached.push(part.name.clone());
                }
            }
        }
        if unreached.is_empty() { Ok(()) } else { Err(GradientError::Unreached(unreached)) }
    }

    /// Takes note of the tensors that the gradients of a batch reach, as long as there are others.
    pub(super) fn observe_reach(&mut self, backend: &mut B, batch: &dyn Display) -> Result<(), UpdateError<B::Error>> {
        let mut still = Vec::new();
        for &i in &self.reach.unreached {
            // By its entries, since the squares of a gradient may underflow.
            let gradient = read(backend, &self.gradients.0[i], 0, self.trainable.tensors[i].len());
            if gradient.map_err(UpdateError::Device)?.iter().all(Zero::is_zero) {
                still.push(i);
            }
        }
        let updates = self.reach.updates + 1;
        if !still.is_empty() && updates >= REACHED_WITHIN {
            return Err(UpdateError::Unreached { batch: batch.to_string(), tensors: self.part_names(&still), updates });
        }
        self.reach = Reach { unreached: still, updates };
        Ok(())
    }

    pub(super) fn non_finite_gradients(&self, backend: &mut B) -> Result<Vec<String>, B::Error> {
        let mut non_finite = Vec::new();
        for (i, (spec, gradient)) in self.trainable.tensors.iter().zip(&self.gradients.0).enumerate() {
            let entries = read(backend, gradient, 0, spec.len())?;
            if !entries.into_iter().map(|entry| entry * entry).sum::<B::Scalar>().is_finite() {
                non_finite.push(i);
            }
        }
        Ok(self.part_names(&non_finite))
    }

    fn part_names(&self, tensors: &[usize]) -> Vec<String> {
        tensors.iter().flat_map(|&i| &self.trainable.tensors[i].parts).map(|part| part.name.clone()).collect()
    }
}

fn read<B: Backend>(backend: &mut B, buffer: &B::Buffer, start: usize, len: usize) -> Result<Vec<B::Scalar>, B::Error> {
    let mut entries = vec![B::Scalar::zero(); len];
    backend.read(buffer, start, &mut entries)?;
    Ok(entries)
}
