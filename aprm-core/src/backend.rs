//! What a device must be able to do for a transformer to run and learn on it.
//!
//! A backend owns kernels; the model owns the order in which they run and every buffer they work on.
//! Backends know nothing of games, models or files.

mod dims;

pub use dims::{
    AttentionDims, CacheDims, ClassDims, LinearDims, NormDims, Ragged, RopeDims, RowDims, SwigluDims, VocabDims,
};

use crate::gae::Discounts;
use crate::optimizer::AdamMoments;
use crate::policy::Sampler;
use crate::ppo::ClipRange;
use crate::scalar::Scalar;

/// Per-row statistics of a policy over a vocabulary, each of `rows` entries.
#[derive(Clone, Debug)]
pub struct PolicyStatistics<Buffer> {
    /// `log π(target)`.
    pub log_prob: Buffer,
    /// `H(π)`.
    pub entropy: Buffer,
    /// `KL(π ‖ π_ref)`, zero without a reference.
    pub kl: Buffer,
    /// `ln Σ_v exp(logits_v)`, which the backward pass reads.
    pub log_sum_exp: Buffer,
    /// The same of the reference; not written without one.
    pub ref_log_sum_exp: Buffer,
}

/// Gradients of a loss with respect to the statistics of a policy, each of `rows` entries.
#[derive(Clone, Debug)]
pub struct PolicyGradients<Buffer> {
    /// `∂L/∂ log π(target)`.
    pub log_prob: Buffer,
    /// `∂L/∂H`.
    pub entropy: Buffer,
    /// `∂L/∂KL`.
    pub kl: Buffer,
}

/// The kernels of a decoder-only transformer, and the memory they work on.
///
/// # The accumulation rule
/// Gradients of parameters accumulate (`+=`), gradients of activations overwrite (`=`), and nothing else accumulates
/// but what says so: [`Backend::linear_forward`] adds to the residual stream when told to.
///
/// # Rows and sequences
/// Activations are rows, one per token, of all sequences of a batch laid end to end; no padding exists.
/// What a row is computed from is its own sequence alone, so a sequence gives the same bits whatever stands beside it.
/// Only attention needs to know where sequences begin: [`Ragged`].
///
/// # For implementors
/// - Kernels may be queued. Only [`Backend::read`] and [`Backend::read_indices`] wait for the device.
/// - Buffers may be longer than the dimensions need; what lies beyond is neither read nor written.
/// - What a kernel overwrites may hold anything before, NaN included.
/// - Sum in a fixed order: equal inputs give equal bits on one device.
/// - Do not hide NaN: a NaN that enters a row leaves in that row.
/// - Storage in two bytes is optional: without [`Backend::allocate_bf16`] callers keep weights as all other numbers.
/// - `aprm-conformance` holds the tests that every backend must pass.
///
/// # For callers
/// A kernel panics if a buffer is shorter than its dimensions need.
/// The buffers of one call are distinct, as the borrow rules demand.
pub trait Backend {
    /// The number type of buffers.
    type Scalar: Scalar;
    /// A vector of numbers on the device.
    type Buffer;
    /// A vector of `u32` on the device: token ids, positions, offsets.
    type Indices;
    /// What can go wrong on the device: out of memory, device lost.
    type Error;

    // ---- memory ----

    /// A new buffer of zeros.
    ///
    /// # Errors
    /// Whatever the device reports; so for all methods below.
    fn allocate(&mut self, len: usize) -> Result<Self::Buffer, Self::Error>;

    /// A new vector of indices, all zero.
    fn allocate_indices(&mut self, len: usize) -> Result<Self::Indices, Self::Error>;

    /// A new buffer of weights that are only read, rounded to bfloat16 and kept in two bytes each; `None` where the
    /// backend has no such storage, as by default.
    ///
    /// ```text
    /// w_i = the nearest number to source_i of 8 significant bits and f32's exponents, the even one of two
    /// ```
    ///
    /// A NaN stays one, and what is nearer to 2¹²⁸ than to the largest such number becomes infinite.
    /// [`Backend::read`], [`Backend::gather_rows_forward`] as its table, [`Backend::linear_forward`] and
    /// [`Backend::linear_backward_input`] as their weight take such a buffer, and give what they give with a buffer of
    /// the numbers `w_i`, bit for bit.
    /// Whatever else is to work on it reports an error.
    fn allocate_bf16(&mut self, source: &[Self::Scalar]) -> Result<Option<Self::Buffer>, Self::Error> {
        let _ = source;
        Ok(None)
    }

    /// Copies host memory into a buffer from entry `start` on.
    fn write(&mut self, source: &[Self::Scalar], buffer: &mut Self::Buffer, start: usize) -> Result<(), Self::Error>;

    /// Copies host memory into indices from entry 0 on.
    fn write_indices(&mut self, source: &[u32], indices: &mut Self::Indices) -> Result<(), Self::Error>;

    /// Waits for the device and copies a buffer from entry `start` on into host memory.
    fn read(&mut self, buffer: &Self::Buffer, start: usize, out: &mut [Self::Scalar]) -> Result<(), Self::Error>;

    /// Waits for the device and copies indices from entry 0 on into host memory.
    fn read_indices(&mut self, indices: &Self::Indices, out: &mut [u32]) -> Result<(), Self::Error>;

    // ---- vectors ----

    /// `x_i ← value` for the first `len` entries.
    fn fill(&mut self, len: usize, value: Self::Scalar, x: &mut Self::Buffer) -> Result<(), Self::Error>;

    /// `y ← x` for the first `len` entries.
    fn copy(&mut self, len: usize, x: &Self::Buffer, y: &mut Self::Buffer) -> Result<(), Self::Error>;

    /// `y ← α x + y` for the first `len` entries.
    fn axpy(
        &mut self,
        len: usize,
        alpha: Self::Scalar,
        x: &Self::Buffer,
        y: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// `x ← α x` for the first `len` entries.
    fn scale(&mut self, len: usize, alpha: Self::Scalar, x: &mut Self::Buffer) -> Result<(), Self::Error>;

    /// `total[0] ← total[0] + Σ_i x_i²`: the global norm of many buffers gathers on the device.
    fn sum_of_squares(&mut self, len: usize, x: &Self::Buffer, total: &mut Self::Buffer) -> Result<(), Self::Error>;

    /// `x ← x min(1, max_norm / √squared_norm[0])`, and `x` as it is where the norm is not finite.
    fn clip(
        &mut self,
        len: usize,
        max_norm: Self::Scalar,
        squared_norm: &Self::Buffer,
        x: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// Takes a gradient into Adam's moments and writes the direction, as
    /// [`MomentSpace::adam_direction`](crate::optimizer::MomentSpace::adam_direction) does.
    fn adam_direction(
        &mut self,
        len: usize,
        moments: AdamMoments<Self::Scalar>,
        gradient: &Self::Buffer,
        first_moment: &mut Self::Buffer,
        second_moment: &mut Self::Buffer,
        direction: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    // ---- layers, each forward directly above its backward ----

    /// `out[r] ← table[indices[r]]`: token embedding, and the choice of rows to read a score from.
    fn gather_rows_forward(
        &mut self,
        dims: RowDims,
        table: &Self::Buffer,
        indices: &Self::Indices,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// `grad_table[indices[r]] += grad_out[r]`, summed over r in ascending order.
    fn gather_rows_backward(
        &mut self,
        dims: RowDims,
        grad_out: &Self::Buffer,
        indices: &Self::Indices,
        grad_table: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// `out ← x Wᵀ + b`, or `out ← out + x Wᵀ + b` where `dims.accumulate`.
    ///
    /// `x` is `[rows, inputs]`, `weight` `[outputs, inputs]`, `bias` `[outputs]`, `out` `[rows, outputs]`.
    fn linear_forward(
        &mut self,
        dims: LinearDims,
        x: &Self::Buffer,
        weight: &Self::Buffer,
        bias: Option<&Self::Buffer>,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// `grad_x ← grad_out W`, or `grad_x ← grad_x + grad_out W` where `dims.accumulate`.
    fn linear_backward_input(
        &mut self,
        dims: LinearDims,
        grad_out: &Self::Buffer,
        weight: &Self::Buffer,
        grad_x: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// `grad_weight += grad_outᵀ x`, `grad_bias += Σ_r grad_out[r]`; `dims.accumulate` is not read.
    fn linear_backward_weight(
        &mut self,
        dims: LinearDims,
        x: &Self::Buffer,
        grad_out: &Self::Buffer,
        grad_weight: &mut Self::Buffer,
        grad_bias: Option<&mut Self::Buffer>,
    ) -> Result<(), Self::Error>;

    /// Root-mean-square normalisation of each group of channels.
    ///
    /// ```text
    /// rstd = 1 / √(mean_c x_c² + ε),   out_c = x_c · rstd · weight_c
    /// ```
    ///
    /// `rstd` is `[rows, groups]`; `weight` `[channels]` is shared by the groups.
    /// `x` and `out` are laid out as [`NormDims`] says; entries between the groups are neither read nor written.
    ///
    /// # Reference
    /// Zhang and Sennrich 2019, arXiv 1910.07467.
    fn rms_norm_forward(
        &mut self,
        dims: NormDims<Self::Scalar>,
        x: &Self::Buffer,
        weight: &Self::Buffer,
        out: &mut Self::Buffer,
        rstd: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// ```text
    /// n_c = x_c · rstd,   g_c = grad_out_c · weight_c
    /// grad_x_c = rstd (g_c − n_c · mean_k(g_k n_k)),   grad_weight_c += Σ_{r, group} grad_out_c n_c
    /// ```
    ///
    /// `grad_x ← grad_x + …` where `dims.accumulate`: the residual stream's own gradient is there already.
    #[expect(clippy::too_many_arguments, reason = "a backward kernel reads what its forward read and wrote")]
    fn rms_norm_backward(
        &mut self,
        dims: NormDims<Self::Scalar>,
        x: &Self::Buffer,
        weight: &Self::Buffer,
        rstd: &Self::Buffer,
        grad_out: &Self::Buffer,
        grad_x: &mut Self::Buffer,
        grad_weight: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// Rotates the first `heads · head_dim` entries of each row in place by its position.
    ///
    /// ```text
    /// (a, b) ← (a cos − b sin, b cos + a sin),   a = x[i], b = x[i + D/2] within each head
    /// ```
    ///
    /// `cos` and `sin` are `[positions, head_dim / 2]`, made on the host.
    ///
    /// # Reference
    /// Su et al. 2021, arXiv 2104.09864; halves instead of neighbours, as Hugging Face's `rotate_half`.
    fn rope_forward(
        &mut self,
        dims: RopeDims,
        positions: &Self::Indices,
        cos: &Self::Buffer,
        sin: &Self::Buffer,
        x: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// The rotation by the negative angle, in place on the gradient.
    fn rope_backward(
        &mut self,
        dims: RopeDims,
        positions: &Self::Indices,
        cos: &Self::Buffer,
        sin: &Self::Buffer,
        grad_x: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// Causal attention within each sequence, query heads sharing key-value heads in consecutive groups.
    ///
    /// ```text
    /// s_ij = q_i · k_j / √D for j ≤ i,   lse_i = ln Σ_j exp(s_ij),   out_i = Σ_j exp(s_ij − lse_i) v_j
    /// ```
    ///
    /// `qkv` is `[rows, (heads + 2 kv_heads) · head_dim]`: queries, keys, values side by side.
    /// `out` is `[rows, heads · head_dim]`, `log_sum_exp` `[rows, heads]`.
    fn attention_forward(
        &mut self,
        dims: AttentionDims,
        sequences: Ragged<'_, Self::Indices>,
        qkv: &Self::Buffer,
        out: &mut Self::Buffer,
        log_sum_exp: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// ```text
    /// p_ij = exp(s_ij − lse_i),   d_i = grad_out_i · out_i,   e_ij = p_ij (grad_out_i · v_j − d_i) / √D
    /// grad_q_i = Σ_j e_ij k_j,   grad_k_j = Σ_i e_ij q_i,   grad_v_j = Σ_i p_ij grad_out_i
    /// ```
    ///
    /// Keys and values also sum over the query heads that share them.
    ///
    /// # Reference
    /// Dao et al. 2022, arXiv 2205.14135, appendix B.2.
    #[expect(clippy::too_many_arguments, reason = "a backward kernel reads what its forward read and wrote")]
    fn attention_backward(
        &mut self,
        dims: AttentionDims,
        sequences: Ragged<'_, Self::Indices>,
        qkv: &Self::Buffer,
        out: &Self::Buffer,
        log_sum_exp: &Self::Buffer,
        grad_out: &Self::Buffer,
        grad_qkv: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// Stores the keys and values of each row in its slot of a cache, at its position.
    ///
    /// `keys` and `values` are `[slots, capacity, kv_heads · head_dim]`, `slots` and `positions` have one entry per row.
    fn cache_append(
        &mut self,
        dims: CacheDims,
        qkv: &Self::Buffer,
        slots: &Self::Indices,
        positions: &Self::Indices,
        keys: &mut Self::Buffer,
        values: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// Attention of each row's query over positions `0 ..= position` of its slot.
    ///
    /// A row gives what [`Backend::attention_forward`] gives, up to rounding.
    #[expect(clippy::too_many_arguments, reason = "the cache is four of them")]
    fn attention_cached(
        &mut self,
        dims: CacheDims,
        qkv: &Self::Buffer,
        slots: &Self::Indices,
        positions: &Self::Indices,
        keys: &Self::Buffer,
        values: &Self::Buffer,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// ```text
    /// out_c = silu(gate_c) · up_c,   silu(x) = x / (1 + e^{−x})
    /// ```
    ///
    /// `gate_up` is `[rows, 2 · channels]`: gates, then ups; `out` is `[rows, channels]`.
    ///
    /// # Reference
    /// Shazeer 2020, arXiv 2002.05202.
    fn swiglu_forward(
        &mut self,
        dims: SwigluDims,
        gate_up: &Self::Buffer,
        out: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// ```text
    /// σ = 1 / (1 + e^{−gate}),   grad_gate = grad_out · up · σ (1 + gate (1 − σ)),   grad_up = grad_out · gate · σ
    /// ```
    fn swiglu_backward(
        &mut self,
        dims: SwigluDims,
        gate_up: &Self::Buffer,
        grad_out: &Self::Buffer,
        grad_gate_up: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// `x_i ← max(x_i, 0)` for the first `len` entries, in place.
    fn relu_forward(&mut self, len: usize, x: &mut Self::Buffer) -> Result<(), Self::Error>;

    /// `grad_i ← grad_i · 1[out_i > 0]` for the first `len` entries, in place; `out` is what the forward kernel left.
    fn relu_backward(&mut self, len: usize, out: &Self::Buffer, grad: &mut Self::Buffer) -> Result<(), Self::Error>;

    // ---- heads and losses ----

    /// The statistics of each row's policy over the vocabulary, in one pass over its logits.
    ///
    /// ```text
    /// log π = logits − lse,   H = −Σ_v π_v log π_v,   KL = Σ_v π_v (log π_v − log π_ref,v)
    /// ```
    ///
    /// A logit of −∞ has probability zero and takes no part in entropy and divergence.
    fn policy_forward(
        &mut self,
        dims: VocabDims,
        logits: &Self::Buffer,
        ref_logits: Option<&Self::Buffer>,
        targets: &Self::Indices,
        statistics: &mut PolicyStatistics<Self::Buffer>,
    ) -> Result<(), Self::Error>;

    /// Replaces the logits by the gradient with respect to them.
    ///
    /// ```text
    /// g_v = a (1[v = target] − π_v) − b π_v (log π_v + H) + c π_v (log π_v − log π_ref,v − KL)
    /// ```
    ///
    /// a, b, c are the gradients with respect to the row's log-probability, entropy and divergence.
    fn policy_backward(
        &mut self,
        dims: VocabDims,
        ref_logits: Option<&Self::Buffer>,
        targets: &Self::Indices,
        statistics: &PolicyStatistics<Self::Buffer>,
        gradients: &PolicyGradients<Self::Buffer>,
        logits: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// Draws a token for each row by inversion of its uniform number in `[0, 1)`, and gives the token's log-probability
    /// under the unmodified policy.
    ///
    /// The token is the one that [`Sampler::invert`] gives for that number.
    /// A row that is no distribution gives a token of the vocabulary and the log-probability NaN.
    fn sample(
        &mut self,
        dims: VocabDims,
        sampler: Sampler<Self::Scalar>,
        logits: &Self::Buffer,
        uniforms: &Self::Buffer,
        tokens: &mut Self::Indices,
        log_probs: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// What each row's action is worth over what its policy may expect, where every action's value is known.
    ///
    /// ```text
    /// A_r = q_{r,a_r} − Σ_c π_rc q_rc,   π_r = softmax(logits_r)
    /// ```
    ///
    /// `action_values` is `[rows, classes]`; every action is below `dims.classes`.
    fn action_advantage(
        &mut self,
        dims: ClassDims,
        logits: &Self::Buffer,
        action_values: &Self::Buffer,
        actions: &Self::Indices,
        advantages: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// Generalised advantage estimation over trajectories that all end in a final state, as [`gae`](crate::gae::gae)
    /// has it.
    ///
    /// ```text
    /// δ_t = r_t + γ V_{t+1} − V_t,   A_t = δ_t + γ λ A_{t+1},   both zero after the end
    /// ```
    ///
    /// # Reference
    /// Schulman et al. 2015, arXiv 1506.02438, equations 11 to 16.
    fn gae(
        &mut self,
        discounts: Discounts<Self::Scalar>,
        trajectories: Ragged<'_, Self::Indices>,
        rewards: &Self::Buffer,
        values: &Self::Buffer,
        advantages: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// The gradient of PPO's clipped surrogate with respect to the log-probabilities of tokens, as
    /// [`clipped_surrogate`](crate::ppo::clipped_surrogate) has it.
    ///
    /// ```text
    /// r_i = exp(log_prob_i − old_log_prob_i)
    /// grad_i = 0         where A_i > 0 and r_i > 1 + high, where A_i < 0 and r_i < 1 − low, or where ln r_i > 20
    ///        = −A_i r_i  elsewhere
    /// ```
    fn clipped_surrogate(
        &mut self,
        tokens: usize,
        clip_range: ClipRange<Self::Scalar>,
        log_prob: &Self::Buffer,
        old_log_prob: &Self::Buffer,
        advantages: &Self::Buffer,
        grad_log_prob: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// Cross-entropy against soft labels, and its gradient.
    ///
    /// ```text
    /// loss_r = −w_r Σ_c y_rc log softmax(logits_r)_c,   grad_rc = w_r (softmax(logits_r)_c Σ_k y_rk − y_rc)
    /// ```
    ///
    /// A step label is two classes, a Bradley-Terry pair two rewards with the label (1, 0).
    fn soft_cross_entropy(
        &mut self,
        dims: ClassDims,
        logits: &Self::Buffer,
        labels: &Self::Buffer,
        weights: &Self::Buffer,
        loss: &mut Self::Buffer,
        grad_logits: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;

    /// Squared error, and its gradient.
    ///
    /// ```text
    /// loss_r = w_r (x_r − y_r)² / 2,   grad_r = w_r (x_r − y_r)
    /// ```
    fn squared_error(
        &mut self,
        rows: usize,
        predictions: &Self::Buffer,
        targets: &Self::Buffer,
        weights: &Self::Buffer,
        loss: &mut Self::Buffer,
        grad_predictions: &mut Self::Buffer,
    ) -> Result<(), Self::Error>;
}
