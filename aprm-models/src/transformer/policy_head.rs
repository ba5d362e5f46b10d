//! The policy over the next token at chosen rows: how likely, how uncertain, how far from a reference, and the way back.

use aprm_core::backend::{Backend, PolicyGradients, PolicyStatistics, RowDims, VocabDims};
use num_traits::Zero;

use super::{Activations, Parameters, Scratch, Transformer};

/// Logits and statistics of a number of rows, with room for them on the device.
#[derive(Debug)]
pub struct PolicyHead<B: Backend> {
    capacity: usize,
    rows: usize,
    selected: B::Indices,
    targets: B::Indices,
    hidden: B::Buffer,
    grad_hidden: B::Buffer,
    /// The logits, and after the way back their gradients, `[rows, vocab]`.
    logits: B::Buffer,
    /// What the forward pass finds of each row.
    pub statistics: PolicyStatistics<B::Buffer>,
    /// What the backward pass starts from: the gradient of the loss with respect to each row's statistics.
    pub gradients: PolicyGradients<B::Buffer>,
}

impl<B: Backend> PolicyHead<B> {
    /// Room for so many rows at a time; their logits are the largest buffer of a model.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new(backend: &mut B, model: &Transformer<B>, rows: usize) -> Result<Self, B::Error> {
        let (hidden, vocab) = (model.config.hidden_size, model.config.vocab_size);
        Ok(Self {
            capacity: rows,
            rows: 0,
            selected: backend.allocate_indices(rows)?,
            targets: backend.allocate_indices(rows)?,
            hidden: backend.allocate(rows * hidden)?,
            grad_hidden: backend.allocate(rows * hidden)?,
            logits: backend.allocate(rows * vocab)?,
            statistics: policy_statistics(backend, rows)?,
            gradients: policy_gradients(backend, rows)?,
        })
    }

    /// The logits of the last forward pass, as another head's reference.
    pub fn logits(&self) -> &B::Buffer {
        &self.logits
    }

    /// Finds the statistics of each selected row of `activations.hidden` and its target.
    ///
    /// The rows are in ascending order, so that sums over them have a fixed one.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If there are more rows than room, or not one target for each.
    #[expect(clippy::too_many_arguments, reason = "the model owns no buffer")]
    pub fn forward(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        activations: &Activations<B::Buffer>,
        selected: &[u32],
        targets: &[u32],
        ref_logits: Option<&B::Buffer>,
    ) -> Result<(), B::Error> {
        assert!(selected.len() <= self.capacity, "{} rows in room for {}", selected.len(), self.capacity);
        assert_eq!(selected.len(), targets.len(), "selected rows and their targets");
        self.rows = selected.len();
        backend.write_indices(selected, &mut self.selected)?;
        backend.write_indices(targets, &mut self.targets)?;
        let gather = self.row_dims(model, activations.rows());
        backend.gather_rows_forward(gather, &activations.hidden, &self.selected, &mut self.hidden)?;
        model.lm_head_forward(backend, weights, self.rows, &self.hidden, &mut self.logits)?;
        backend.policy_forward(self.vocab_dims(model), &self.logits, ref_logits, &self.targets, &mut self.statistics)
    }

    /// From `self.gradients` to those of the head's weights and `scratch.grad_hidden`, which it adds to.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn backward(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        ref_logits: Option<&B::Buffer>,
        scratch: &mut Scratch<B::Buffer>,
        gradients: &mut Parameters<B::Buffer>,
    ) -> Result<(), B::Error> {
        let (dims, scatter) = (self.vocab_dims(model), self.row_dims(model, scratch.rows()));
        let Self { rows, selected, targets, hidden, grad_hidden, logits, statistics, gradients: of_statistics, .. } =
            self;
        backend.policy_backward(dims, ref_logits, targets, statistics, of_statistics, logits)?;
        model.lm_head_backward(backend, weights, *rows, hidden, logits, grad_hidden, gradients)?;
        backend.gather_rows_backward(scatter, grad_hidden, selected, &mut scratch.grad_hidden)
    }

    fn row_dims(&self, model: &Transformer<B>, table_rows: usize) -> RowDims {
        RowDims { rows: self.rows, table_rows, channels: model.config.hidden_size }
    }

    fn vocab_dims(&self, model: &Transformer<B>) -> VocabDims {
        VocabDims { rows: self.rows, vocab: model.config.vocab_size }
    }
}

pub(super) fn policy_statistics<B: Backend>(
    backend: &mut B,
    rows: usize,
) -> Result<PolicyStatistics<B::Buffer>, B::Error> {
    Ok(PolicyStatistics {
        log_prob: backend.allocate(rows)?,
        entropy: backend.allocate(rows)?,
        kl: backend.allocate(rows)?,
        log_sum_exp: backend.allocate(rows)?,
        ref_log_sum_exp: backend.allocate(rows)?,
    })
}

pub(super) fn policy_gradients<B: Backend>(
    backend: &mut B,
    rows: usize,
) -> Result<PolicyGradients<B::Buffer>, B::Error> {
    Ok(PolicyGradients {
        log_prob: backend.allocate(rows)?,
        entropy: backend.allocate(rows)?,
        kl: backend.allocate(rows)?,
    })
}

impl<Buffer> Scratch<Buffer> {
    /// Sets the gradient with respect to the last layer's outputs to zero, before heads add to it.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn clear_hidden<B: Backend<Buffer = Buffer>>(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
    ) -> Result<(), B::Error> {
        backend.fill(self.rows() * model.config.hidden_size, B::Scalar::zero(), &mut self.grad_hidden)
    }
}
