use aprm_core::backend::{Backend, Ragged};
use aprm_core::gae::Discounts;

use super::ScoreHead;

/// What was paid along trajectories whose states are rows, laid end to end.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectories<T> {
    /// States of each; it ends in a final one, which is no row.
    pub lengths: Vec<usize>,
    /// What each step was paid, `[rows]`.
    pub rewards: Vec<T>,
    /// γ and λ.
    pub discounts: Discounts<T>,
}

/// Room for what is paid and what could be expected.
#[derive(Debug)]
pub(super) struct ReturnRoom<B: Backend> {
    offsets: B::Indices,
    rewards: B::Buffer,
    advantages: B::Buffer,
}

impl<B: Backend> ReturnRoom<B> {
    pub(super) fn new(backend: &mut B, rows: usize) -> Result<Self, B::Error> {
        Ok(Self {
            offsets: backend.allocate_indices(rows + 1)?,
            rewards: backend.allocate(rows)?,
            advantages: backend.allocate(rows)?,
        })
    }
}

impl<B: Backend> ScoreHead<B> {
    /// Squared error of each number against its λ-return.
    ///
    /// ```text
    /// L = (w / 2) Σ_r (V_r − R_r)²,   R_r = V_r + A_r held fixed,   A by generalised advantage estimation
    /// ```
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the head does not give one number, if there is not one reward for each row, or if a trajectory has no state.
    pub fn return_error(
        &mut self,
        backend: &mut B,
        Trajectories { lengths, rewards, discounts }: &Trajectories<B::Scalar>,
        weight: B::Scalar,
    ) -> Result<(), B::Error> {
        let Self { rows, classes, logits, grad_logits, returns, .. } = self;
        assert_eq!((*classes, rewards.len(), lengths.iter().sum()), (1, *rows, *rows), "numbers and rewards");
        assert!(!lengths.contains(&0), "a trajectory without a state");
        let mut offsets = vec![0];
        offsets.extend(lengths.iter().scan(0, |end, &length| {
            *end += length as u32;
            Some(*end)
        }));
        backend.write_indices(&offsets, &mut returns.offsets)?;
        backend.write(rewards, &mut returns.rewards, 0)?;
        let trajectories = Ragged {
            offsets: &returns.offsets,
            sequences: lengths.len(),
            rows: *rows,
            longest: lengths.iter().copied().max().unwrap_or(0),
        };
        backend.gae(*discounts, trajectories, &returns.rewards, logits, &mut returns.advantages)?;
        // V − R = −A.
        backend.copy(*rows, &returns.advantages, grad_logits)?;
        backend.scale(*rows, -weight, grad_logits)
    }

    /// Waits for the device: the advantages that the last [`Self::return_error`] found, `[rows]`.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn read_advantages(&self, backend: &mut B) -> Result<Vec<B::Scalar>, B::Error> {
        let mut advantages = vec![B::Scalar::default(); self.rows];
        backend.read(&self.returns.advantages, 0, &mut advantages)?;
        Ok(advantages)
    }
}
