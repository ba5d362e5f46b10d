use aprm_core::backend::{Backend, PolicyGradients, PolicyStatistics};

use crate::transformer::policy_head::{policy_gradients, policy_statistics};

/// What the distributions over classes are found to be, and room for the gradients of that.
#[derive(Debug)]
pub(super) struct Statistics<B: Backend> {
    /// The first class for each row, where any would do.
    pub(super) targets: B::Indices,
    pub(super) found: PolicyStatistics<B::Buffer>,
    pub(super) gradients: PolicyGradients<B::Buffer>,
    /// The logits, and after the way back their gradients, `[rows, classes]`.
    pub(super) logits: B::Buffer,
}

impl<B: Backend> Statistics<B> {
    pub(super) fn new(backend: &mut B, rows: usize, classes: usize) -> Result<Self, B::Error> {
        let mut targets = backend.allocate_indices(rows)?;
        backend.write_indices(&vec![0; rows], &mut targets)?;
        Ok(Self {
            targets,
            found: policy_statistics(backend, rows)?,
            gradients: policy_gradients(backend, rows)?,
            logits: backend.allocate(rows * classes)?,
        })
    }
}
