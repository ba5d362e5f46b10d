use aprm_core::backend::{Backend, VocabDims};
use aprm_core::scalar::Scalar;

use super::ScoreHead;
use super::statistics::Statistics;

/// The weights of divergence from a reference and of entropy, one of each for each row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regularisation<T> {
    /// Of `KL(p ‖ p_ref)`.
    pub kl: Vec<T>,
    /// Of `KL(p_ref ‖ p)`, if that is to count.
    pub reverse_kl: Option<Vec<T>>,
    /// Of `H(p)`.
    pub entropy: Vec<T>,
}

impl<B: Backend> ScoreHead<B> {
    /// Adds to `grad_logits` the gradient of the rows' divergence from a reference's, if there is one, and of their entropy.
    ///
    /// ```text
    /// L = Σ_r ( a_r KL(p_r ‖ p_ref,r) + a'_r KL(p_ref,r ‖ p_r) + b_r H(p_r) ),   p = softmax(logits)
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
        Regularisation { kl, reverse_kl, entropy }: &Regularisation<B::Scalar>,
    ) -> Result<(), B::Error> {
        let Self { rows, classes, logits, grad_logits, statistics, .. } = self;
        let reverse = reverse_kl.as_ref().zip(reference);
        assert_eq!((kl.len(), entropy.len()), (*rows, *rows), "weights of divergence and entropy");
        assert!(reverse.is_none_or(|(reverse_kl, _)| reverse_kl.len() == *rows), "weights of the reverse divergence");
        let (dims, len) = (VocabDims { rows: *rows, vocab: *classes }, *rows * *classes);
        let Statistics { targets, found, gradients, logits: copied } = statistics;
        let ref_logits = reference.map(|reference| &reference.logits);
        backend.fill(*rows, B::Scalar::of(0.0), &mut gradients.log_prob)?;
        // The reverse divergence pulls by p − p_ref, each of which is a distribution's gradient of the same
        // log-probability, up to a term that they share.
        if let Some((reverse_kl, _)) = reverse {
            backend.write(reverse_kl, &mut gradients.log_prob, 0)?;
            backend.scale(*rows, B::Scalar::of(-1.0), &mut gradients.log_prob)?;
        }
        backend.write(kl, &mut gradients.kl, 0)?;
        backend.write(entropy, &mut gradients.entropy, 0)?;
        backend.copy(len, logits, copied)?;
        backend.policy_forward(dims, copied, ref_logits, targets, found)?;
        backend.policy_backward(dims, ref_logits, targets, found, gradients, copied)?;
        backend.axpy(len, B::Scalar::of(1.0), copied, grad_logits)?;
        if let Some((_, reference)) = reverse {
            backend.fill(*rows, B::Scalar::of(0.0), &mut gradients.kl)?;
            backend.fill(*rows, B::Scalar::of(0.0), &mut gradients.entropy)?;
            backend.copy(len, &reference.logits, copied)?;
            backend.policy_forward(dims, copied, None, targets, found)?;
            backend.policy_backward(dims, None, targets, found, gradients, copied)?;
            backend.axpy(len, B::Scalar::of(-1.0), copied, grad_logits)?;
        }
        Ok(())
    }
}
