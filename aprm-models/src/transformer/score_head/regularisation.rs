use aprm_core::backend::{Backend, PolicyGradients, PolicyStatistics, VocabDims};
use aprm_core::scalar::Scalar;

use super::ScoreHead;
use crate::transformer::policy_head::{policy_gradients, policy_statistics};

/// The weights of divergence from a reference and of entropy, one of each for each row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regularisation<T> {
    /// Of `KL(p ‖ p_ref)`.
    pub kl: Vec<T>,
    /// Of `H(p)`.
    pub entropy: Vec<T>,
}

/// What the distributions over classes are found to be, and room for the gradients of that.
#[derive(Debug)]
pub(super) struct Statistics<B: Backend> {
    /// Log-probabilities are found for some class; nothing depends on them.
    targets: B::Indices,
    found: PolicyStatistics<B::Buffer>,
    gradients: PolicyGradients<B::Buffer>,
    /// The logits, and after the way back their gradients, `[rows, classes]`.
    logits: B::Buffer,
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

impl<B: Backend> ScoreHead<B> {
    /// Adds to `grad_logits` the gradient of the rows' divergence from a reference's, if there is one, and of their entropy.
    ///
    /// ```text
    /// L = Σ_r ( a_r KL(p_r ‖ p_ref,r) + b_r H(p_r) ),   p = softmax(logits)
    /// ```
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If there is not one weight of each for each row.
    pub fn regularise(
        &mut self,
        backend: &mut B,
        reference: Option<&Self>,
        Regularisation { kl, entropy }: &Regularisation<B::Scalar>,
    ) -> Result<(), B::Error> {
        let Self { rows, classes, logits, grad_logits, statistics, .. } = self;
        assert_eq!((kl.len(), entropy.len()), (*rows, *rows), "weights of divergence and entropy");
        let (dims, len) = (VocabDims { rows: *rows, vocab: *classes }, *rows * *classes);
        let Statistics { targets, found, gradients, logits: copied } = statistics;
        let ref_logits = reference.map(|reference| &reference.logits);
        backend.fill(*rows, B::Scalar::of(0.0), &mut gradients.log_prob)?;
        backend.write(kl, &mut gradients.kl, 0)?;
        backend.write(entropy, &mut gradients.entropy, 0)?;
        backend.copy(len, logits, copied)?;
        backend.policy_forward(dims, copied, ref_logits, targets, found)?;
        backend.policy_backward(dims, ref_logits, targets, found, gradients, copied)?;
        backend.axpy(len, B::Scalar::of(1.0), copied, grad_logits)
    }
}
