//! From the last layer's outputs to logits over the vocabulary.

use aprm_core::backend::Backend;

use super::{Parameters, Transformer};

impl<B: Backend> Transformer<B> {
    /// The logits of the first `rows` rows of `hidden`, `[rows, vocab]`.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn lm_head_forward(
        &self,
        backend: &mut B,
        weights: &Parameters<B::Buffer>,
        rows: usize,
        hidden: &B::Buffer,
        logits: &mut B::Buffer,
    ) -> Result<(), B::Error> {
        let head = self.lm_head();
        backend.linear_forward(self.linear_dims(rows, head), hidden, self.weight(&weights.0, head), None, logits)
    }

    /// From the gradient with respect to the logits to those of the head's weights and, overwritten, of `hidden`.
    ///
    /// # Errors
    /// Whatever the device reports.
    #[expect(clippy::too_many_arguments, reason = "the model owns no buffer")]
    pub fn lm_head_backward(
        &self,
        backend: &mut B,
        weights: &Parameters<B::Buffer>,
        rows: usize,
        hidden: &B::Buffer,
        grad_logits: &B::Buffer,
        grad_hidden: &mut B::Buffer,
        gradients: &mut Parameters<B::Buffer>,
    ) -> Result<(), B::Error> {
        let head = self.lm_head();
        let dims = self.linear_dims(rows, head);
        backend.linear_backward_input(dims, grad_logits, self.weight(&weights.0, head), grad_hidden)?;
        if !self.learns(head) {
            return Ok(());
        }
        backend.linear_backward_weight(dims, hidden, grad_logits, &mut gradients.0[head], None)
    }

    /// What is not a language model predicts by its embedding, as one whose embeddings are tied does.
    fn lm_head(&self) -> usize {
        self.layout.lm_head.unwrap_or(self.layout.embedding)
    }
}
