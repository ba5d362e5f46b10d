use aprm_core::backend::{Backend, ClassDims, VocabDims};
use aprm_core::policy::Sampler;
use aprm_core::ppo::ClipRange;
use num_traits::{One, Zero};

use super::ScoreHead;
use super::statistics::Statistics;

/// What a policy over the classes of rows does, and what that is worth.
#[derive(Clone, Debug, PartialEq)]
pub enum Actions<T> {
    /// A class is drawn for each row.
    Drawn {
        /// What it is drawn with, by inversion: a number in `[0, 1)` for each row.
        uniforms: Vec<T>,
        /// q, what each class would be worth, `[rows, classes]`; the mean under the policy is the baseline.
        action_values: Vec<T>,
    },
    /// A class was drawn for each row by a policy that has moved since.
    Taken {
        /// a.
        actions: Vec<u32>,
        /// `log p_old(a)`.
        old_log_prob: Vec<T>,
        /// A.
        advantages: Vec<T>,
        /// How far ratios are followed.
        clip_range: ClipRange<T>,
    },
}

/// Room for actions and what they are worth.
#[derive(Debug)]
pub(super) struct ActionRoom<B: Backend> {
    uniforms: B::Buffer,
    action_values: B::Buffer,
    actions: B::Indices,
    advantages: B::Buffer,
    old_log_prob: B::Buffer,
}

impl<B: Backend> ActionRoom<B> {
    pub(super) fn new(backend: &mut B, rows: usize, classes: usize) -> Result<Self, B::Error> {
        Ok(Self {
            uniforms: backend.allocate(rows)?,
            action_values: backend.allocate(rows * classes)?,
            actions: backend.allocate_indices(rows)?,
            advantages: backend.allocate(rows)?,
            old_log_prob: backend.allocate(rows)?,
        })
    }
}

impl<B: Backend> ScoreHead<B> {
    /// Adds to `grad_logits` the gradient of the clipped surrogate of the rows' actions.
    ///
    /// ```text
    /// L = Σ_r L_clip(p_r(a_r) / p_old,r(a_r), A_r),   A_r = q_{r,a_r} − Σ_c p_rc q_rc of what is drawn
    /// ```
    ///
    /// Weights of rows are multiplied into their values or advantages.
    /// Where actions are drawn, all ratios are one.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If there is not one of each for each row.
    pub fn policy_gradient(&mut self, backend: &mut B, of: &Actions<B::Scalar>) -> Result<(), B::Error> {
        let Self { rows, classes, logits, grad_logits, statistics, action_room, .. } = self;
        let (rows, classes, len) = (*rows, *classes, *rows * *classes);
        let dims = VocabDims { rows, vocab: classes };
        let ActionRoom { uniforms, action_values, actions, advantages, old_log_prob } = action_room;
        let Statistics { found, gradients, logits: copied, .. } = statistics;
        match of {
            Actions::Drawn { uniforms: numbers, action_values: values } => {
                assert_eq!((numbers.len(), values.len()), (rows, len), "numbers to draw with, and values");
                backend.write(numbers, uniforms, 0)?;
                backend.write(values, action_values, 0)?;
                backend.sample(dims, Sampler::default(), logits, uniforms, actions, old_log_prob)?;
                let dims = ClassDims { rows, classes };
                backend.action_advantage(dims, logits, action_values, actions, advantages)?;
            }
            Actions::Taken { actions: taken, old_log_prob: old, advantages: known, .. } => {
                assert_eq!([taken.len(), old.len(), known.len()], [rows; 3], "actions");
                backend.write_indices(taken, actions)?;
                backend.write(old, old_log_prob, 0)?;
                backend.write(known, advantages, 0)?;
            }
        }
        backend.copy(len, logits, copied)?;
        backend.policy_forward(dims, copied, None, actions, found)?;
        let clip_range = match of {
            Actions::Drawn { .. } => {
                backend.copy(rows, &found.log_prob, old_log_prob)?;
                ClipRange { low: B::Scalar::zero(), high: B::Scalar::zero() }
            }
            Actions::Taken { clip_range, .. } => *clip_range,
        };
        let of_log_prob = &mut gradients.log_prob;
        backend.clipped_surrogate(rows, clip_range, &found.log_prob, old_log_prob, advantages, of_log_prob)?;
        backend.fill(rows, B::Scalar::zero(), &mut gradients.kl)?;
        backend.fill(rows, B::Scalar::zero(), &mut gradients.entropy)?;
        backend.policy_backward(dims, None, actions, found, gradients, copied)?;
        backend.axpy(len, B::Scalar::one(), copied, grad_logits)
    }

    /// Waits for the device: the action of each row in the last [`Self::policy_gradient`].
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn read_actions(&self, backend: &mut B) -> Result<Vec<u32>, B::Error> {
        let mut actions = vec![0; self.rows];
        backend.read_indices(&self.action_room.actions, &mut actions)?;
        Ok(actions)
    }
}
