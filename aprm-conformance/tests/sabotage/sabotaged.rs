use core::convert::Infallible;

use aprm_conformance::Naive;
use aprm_core::backend::{
    AttentionDims, Backend, CacheDims, ClassDims, LinearDims, NormDims, PolicyGradients, PolicyStatistics, Ragged,
    RopeDims, RowDims, SwigluDims, VocabDims,
};
use aprm_core::gae::Discounts;
use aprm_core::optimizer::AdamMoments;
use aprm_core::policy::Sampler;
use aprm_core::ppo::ClipRange;
use half::bf16;

use crate::fault::Fault::{self, *};

type Buffer = Vec<f32>;
type Indices = Vec<u32>;
type Done = Result<(), Infallible>;

/// The naive backend with one fault, put in from outside: its kernels stay as they are.
#[derive(Debug)]
pub(crate) struct Sabotaged {
    naive: Naive<f32>,
    fault: Option<Fault>,
    calls: u32,
}

impl Sabotaged {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self { naive: Naive::new(), fault, calls: 0 }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }
}

/// One unit in the last place.
fn nudge(x: &mut f32) {
    *x = f32::from_bits(x.to_bits() ^ 1);
}

/// Moves entry `from(i)` of each group to entry i.
fn permute(x: &mut [f32], begin: usize, len: usize, from: impl Fn(usize) -> usize) {
    let old = x[begin..begin + len].to_vec();
    for i in 0..len {
        x[begin + i] = old[from(i)];
    }
}

impl Backend for Sabotaged {
    type Scalar = f32;
    type Buffer = Buffer;
    type Indices = Indices;
    type Error = Infallible;

    fn allocate(&mut self, len: usize) -> Result<Buffer, Infallible> {
        Ok(if self.has(AllocatesGarbage) { vec![0.5; len] } else { vec![0.0; len] })
    }

    fn allocate_indices(&mut self, len: usize) -> Result<Indices, Infallible> {
        self.naive.allocate_indices(len)
    }

    /// In four bytes each, but with the numbers of two.
    fn allocate_bf16(&mut self, source: &[f32]) -> Result<Option<Buffer>, Infallible> {
        let rounded = |&number: &f32| {
            let bits = number.to_bits();
            let upper = match self.fault {
                Some(Bf16Truncates) => bits >> 16,
                Some(Bf16TiesUp) if !number.is_nan() => (bits + 0x8000) >> 16,
                Some(Bf16HidesNan) => (bits.wrapping_add(0x7fff) + (bits >> 16 & 1)) >> 16,
                _ => bf16::from_f32(number).to_bits().into(),
            };
            f32::from_bits(upper << 16)
        };
        let mut kept: Buffer = source.iter().map(rounded).collect();
        match self.fault {
            Some(Bf16SwapsHalves) => kept.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1)),
            Some(Bf16DropsOddTail) if kept.len() % 2 == 1 => *kept.last_mut().expect("an odd number") = 0.0,
            _ => {}
        }
        Ok(Some(kept))
    }

    fn write(&mut self, source: &[f32], buffer: &mut Buffer, start: usize) -> Done {
        self.naive.write(source, buffer, if self.has(WritesAtZero) { 0 } else { start })
    }

    fn write_indices(&mut self, source: &[u32], indices: &mut Indices) -> Done {
        self.naive.write_indices(source, indices)
    }

    fn read(&mut self, buffer: &Buffer, start: usize, out: &mut [f32]) -> Done {
        self.naive.read(buffer, if self.has(ReadsAtZero) { 0 } else { start }, out)
    }

    fn read_indices(&mut self, indices: &Indices, out: &mut [u32]) -> Done {
        self.naive.read_indices(indices, out)
    }

    fn fill(&mut self, len: usize, value: f32, x: &mut Buffer) -> Done {
        self.naive.fill(if self.has(FillForgetsLast) { len.saturating_sub(1) } else { len }, value, x)
    }

    fn copy(&mut self, len: usize, x: &Buffer, y: &mut Buffer) -> Done {
        self.naive.copy(if self.has(CopyWritesBeyond) { len + 1 } else { len }, x, y)
    }

    fn axpy(&mut self, len: usize, alpha: f32, x: &Buffer, y: &mut Buffer) -> Done {
        self.naive.axpy(len, if self.has(AxpyForgetsAlpha) { 1.0 } else { alpha }, x, y)
    }

    fn scale(&mut self, len: usize, alpha: f32, x: &mut Buffer) -> Done {
        self.naive.scale(len, alpha, x)?;
        if self.has(ScaleHidesNan) {
            x[..len].iter_mut().filter(|x| x.is_nan()).for_each(|x| *x = 0.0);
        }
        if self.has(ScaleReadsBeyond) && len > 0 {
            x[len - 1] += x[len];
        }
        Ok(())
    }

    fn sum_of_squares(&mut self, len: usize, x: &Buffer, total: &mut Buffer) -> Done {
        self.calls += 1;
        if self.has(SumOverwrites) {
            total[0] = 0.0;
        }
        self.naive.sum_of_squares(len, x, total)?;
        if self.has(SumVaries) && self.calls % 2 == 0 {
            nudge(&mut total[0]);
        }
        Ok(())
    }

    fn clip(&mut self, len: usize, max_norm: f32, squared_norm: &Buffer, x: &mut Buffer) -> Done {
        let norm = squared_norm[0].sqrt();
        if self.has(ClipScalesUp) && norm.is_finite() || self.has(ClipActsOnInfinity) && norm.is_infinite() {
            return self.naive.scale(len, max_norm / norm, x);
        }
        self.naive.clip(len, max_norm, squared_norm, x)
    }

    fn adam_direction(
        &mut self,
        len: usize,
        mut moments: AdamMoments<f32>,
        gradient: &Buffer,
        first_moment: &mut Buffer,
        second_moment: &mut Buffer,
        direction: &mut Buffer,
    ) -> Done {
        if self.has(AdamForgetsBiasCorrection) {
            moments = AdamMoments { first_correction: 1.0, second_correction: 1.0, ..moments };
        }
        if self.has(AdamForgetsEpsilon) {
            moments.epsilon = 0.0;
        }
        self.naive.adam_direction(len, moments, gradient, first_moment, second_moment, direction)
    }

    fn gather_rows_forward(&mut self, dims: RowDims, table: &Buffer, indices: &Indices, out: &mut Buffer) -> Done {
        let shift = u32::from(self.has(GatherTakesNextRow));
        let indices = indices.iter().map(|index| index.wrapping_add(shift) % dims.table_rows as u32).collect();
        self.naive.gather_rows_forward(dims, table, &indices, out)
    }

    fn gather_rows_backward(
        &mut self,
        dims: RowDims,
        grad_out: &Buffer,
        indices: &Indices,
        grad_table: &mut Buffer,
    ) -> Done {
        let channels = dims.channels;
        if self.has(GatherOverwrites) {
            grad_table[..dims.table_rows * channels].fill(0.0);
        }
        if self.has(GatherLosesRepeats) {
            let before = grad_table.clone();
            for i in 0..dims.rows * channels {
                let entry = indices[i / channels] as usize * channels + i % channels;
                grad_table[entry] = before[entry] + grad_out[i];
            }
            return Ok(());
        }
        self.naive.gather_rows_backward(dims, grad_out, indices, grad_table)
    }

    fn linear_forward(
        &mut self,
        mut dims: LinearDims,
        x: &Buffer,
        weight: &Buffer,
        mut bias: Option<&Buffer>,
        out: &mut Buffer,
    ) -> Done {
        let len = dims.rows * dims.outputs;
        self.calls += 1;
        match self.fault {
            Some(LinearForgetsBias) => bias = None,
            Some(LinearIgnoresAccumulate) => dims.accumulate = false,
            // As BLAS does where beta = 0 is not treated apart.
            Some(LinearReadsOut) if !dims.accumulate => out[..len].iter_mut().for_each(|out| *out *= 0.0),
            _ => {}
        }
        dims.accumulate |= self.has(LinearReadsOut);
        self.naive.linear_forward(dims, x, weight, bias, out)?;
        match self.fault {
            Some(Bf16ChangesProducts) if len > 0 && self.calls % 2 == 0 => nudge(&mut out[0]),
            Some(LinearDependsOnBatch) if dims.rows > 1 => nudge(&mut out[0]),
            Some(LinearWritesBeyond) => out[len] = 0.0,
            _ => {}
        }
        Ok(())
    }

    fn linear_backward_input(
        &mut self,
        mut dims: LinearDims,
        grad_out: &Buffer,
        weight: &Buffer,
        grad_x: &mut Buffer,
    ) -> Done {
        dims.accumulate &= !self.has(LinearInputIgnoresAccumulate);
        self.naive.linear_backward_input(dims, grad_out, weight, grad_x)?;
        // The suite takes ordinary weights first, after as many products.
        if self.has(Bf16ChangesGradients) && dims.rows > 0 && self.calls % 2 == 0 {
            nudge(&mut grad_x[0]);
        }
        Ok(())
    }

    fn linear_backward_weight(
        &mut self,
        dims: LinearDims,
        x: &Buffer,
        grad_out: &Buffer,
        grad_weight: &mut Buffer,
        mut grad_bias: Option<&mut Buffer>,
    ) -> Done {
        match (self.fault, &mut grad_bias) {
            (Some(LinearWeightOverwrites), _) => grad_weight[..dims.outputs * dims.inputs].fill(0.0),
            (Some(LinearBiasOverwrites), Some(grad_bias)) => grad_bias[..dims.outputs].fill(0.0),
            (Some(LinearForgetsBiasGradient), _) => grad_bias = None,
            _ => {}
        }
        self.naive.linear_backward_weight(dims, x, grad_out, grad_weight, grad_bias)
    }

    fn rms_norm_forward(
        &mut self,
        mut dims: NormDims<f32>,
        x: &Buffer,
        weight: &Buffer,
        out: &mut Buffer,
        rstd: &mut Buffer,
    ) -> Done {
        if self.has(NormForgetsEpsilon) {
            dims.epsilon = 0.0;
        }
        self.naive.rms_norm_forward(dims, x, weight, out, rstd)?;
        let NormDims { rows, stride, offset, groups, channels, epsilon, .. } = dims;
        for r in 0..rows {
            if self.has(NormWritesBetween) && offset > 0 {
                out[r * stride] = 0.0;
            }
            for g in (0..groups).filter(|_| self.has(NormCountsStride)) {
                let group = r * stride + offset + g * channels..r * stride + offset + (g + 1) * channels;
                let mean = x[group.clone()].iter().map(|x| x * x).sum::<f32>() / stride as f32;
                rstd[r * groups + g] = 1.0 / (mean + epsilon).sqrt();
                for (c, i) in group.enumerate() {
                    out[i] = x[i] * rstd[r * groups + g] * weight[c];
                }
            }
        }
        Ok(())
    }

    fn rms_norm_backward(
        &mut self,
        mut dims: NormDims<f32>,
        x: &Buffer,
        weight: &Buffer,
        rstd: &Buffer,
        grad_out: &Buffer,
        grad_x: &mut Buffer,
        grad_weight: &mut Buffer,
    ) -> Done {
        dims.accumulate &= !self.has(NormIgnoresAccumulate);
        if self.has(NormWeightOverwrites) {
            grad_weight[..dims.channels].fill(0.0);
        }
        self.naive.rms_norm_backward(dims, x, weight, rstd, grad_out, grad_x, grad_weight)?;
        let NormDims { rows, stride, offset, groups, channels, accumulate, .. } = dims;
        if self.has(NormForgetsMean) && !accumulate {
            for r in 0..rows {
                for i in 0..groups * channels {
                    let at = r * stride + offset + i;
                    grad_x[at] = rstd[r * groups + i / channels] * grad_out[at] * weight[i % channels];
                }
            }
        }
        Ok(())
    }

    fn rope_forward(
        &mut self,
        dims: RopeDims,
        positions: &Indices,
        cos: &Buffer,
        sin: &Buffer,
        x: &mut Buffer,
    ) -> Done {
        let half = dims.head_dim / 2;
        let heads = (0..dims.rows).flat_map(|r| (0..dims.heads).map(move |h| r * dims.stride + h * dims.head_dim));
        let heads: Vec<usize> = heads.filter(|_| self.has(RopePairsNeighbours)).collect();
        for &head in &heads {
            permute(x, head, dims.head_dim, |i| 2 * (i % half) + i / half);
        }
        self.naive.rope_forward(dims, positions, cos, sin, x)?;
        for &head in &heads {
            permute(x, head, dims.head_dim, |i| i / 2 + half * (i % 2));
        }
        Ok(())
    }

    fn rope_backward(
        &mut self,
        dims: RopeDims,
        positions: &Indices,
        cos: &Buffer,
        sin: &Buffer,
        grad_x: &mut Buffer,
    ) -> Done {
        if self.has(RopeTurnsForward) {
            return self.naive.rope_forward(dims, positions, cos, sin, grad_x);
        }
        self.naive.rope_backward(dims, positions, cos, sin, grad_x)
    }

    fn attention_forward(
        &mut self,
        dims: AttentionDims,
        sequences: Ragged<'_, Indices>,
        qkv: &Buffer,
        out: &mut Buffer,
        log_sum_exp: &mut Buffer,
    ) -> Done {
        let AttentionDims { heads, kv_heads, head_dim } = dims;
        let one_sequence = vec![0, sequences.rows as u32];
        let mut sequences = sequences;
        let mut qkv = qkv.clone();
        // Query head h asks key head h mod kv_heads if it stands here.
        let place = |h: usize| h % kv_heads * (heads / kv_heads) + h / kv_heads;
        let stands = |i: usize| (0..heads).find(|&h| place(h) == i).expect("a permutation");
        let width = dims.qkv_width();
        match self.fault {
            Some(AttentionSeesOtherSequences) => {
                sequences = Ragged { offsets: &one_sequence, sequences: 1, longest: sequences.rows, ..sequences };
            }
            Some(AttentionForgetsRoot) => {
                for r in 0..sequences.rows {
                    qkv[r * width..][..heads * head_dim].iter_mut().for_each(|q| *q *= (head_dim as f32).sqrt());
                }
            }
            Some(AttentionInterleavesHeads) => {
                for r in 0..sequences.rows {
                    permute(&mut qkv, r * width, heads * head_dim, |i| stands(i / head_dim) * head_dim + i % head_dim);
                }
            }
            _ => {}
        }
        self.naive.attention_forward(dims, sequences, &qkv, out, log_sum_exp)?;
        for r in (0..sequences.rows).filter(|_| self.has(AttentionInterleavesHeads)) {
            permute(out, r * heads * head_dim, heads * head_dim, |i| place(i / head_dim) * head_dim + i % head_dim);
            permute(log_sum_exp, r * heads, heads, place);
        }
        for pair in sequences.offsets[..=sequences.sequences].windows(2).filter(|_| self.has(AttentionRoundsByFuture)) {
            let (begin, end) = (pair[0] as usize, pair[1] as usize);
            let middle = (begin + end) / 2 * width;
            if end - begin > 1 && qkv[middle] < qkv[middle + width - 1] {
                nudge(&mut out[begin * heads * head_dim]);
            }
        }
        if self.has(AttentionSeesFuture) {
            // Each query asks once more from the end of its sequence.
            for pair in sequences.offsets[..=sequences.sequences].windows(2) {
                let (begin, end) = (pair[0] as usize, pair[1] as usize);
                for i in begin..end {
                    let (mut moved, mut seen, mut lse) = (qkv.clone(), out.clone(), log_sum_exp.clone());
                    moved.copy_within(i * width..i * width + heads * head_dim, (end - 1) * width);
                    self.naive.attention_forward(dims, sequences, &moved, &mut seen, &mut lse)?;
                    let row = heads * head_dim;
                    out[i * row..][..row].copy_from_slice(&seen[(end - 1) * row..][..row]);
                    log_sum_exp[i * heads..][..heads].copy_from_slice(&lse[(end - 1) * heads..][..heads]);
                }
            }
        }
        Ok(())
    }

    fn attention_backward(
        &mut self,
        dims: AttentionDims,
        sequences: Ragged<'_, Indices>,
        qkv: &Buffer,
        out: &Buffer,
        log_sum_exp: &Buffer,
        grad_out: &Buffer,
        grad_qkv: &mut Buffer,
    ) -> Done {
        let one_sequence = vec![0, sequences.rows as u32];
        let mut sequences = sequences;
        let mut out = out.clone();
        let before = grad_qkv.clone();
        match self.fault {
            Some(AttentionForgetsD) => out.fill(0.0),
            Some(AttentionBackwardCrossesSequences) => {
                sequences = Ragged { offsets: &one_sequence, sequences: 1, longest: sequences.rows, ..sequences };
            }
            _ => {}
        }
        self.naive.attention_backward(dims, sequences, qkv, &out, log_sum_exp, grad_out, grad_qkv)?;
        if self.has(AttentionAccumulates) {
            let written = sequences.rows * dims.qkv_width();
            grad_qkv[..written].iter_mut().zip(before).for_each(|(grad, before)| *grad += before);
        }
        Ok(())
    }

    fn cache_append(
        &mut self,
        dims: CacheDims,
        qkv: &Buffer,
        slots: &Indices,
        positions: &Indices,
        keys: &mut Buffer,
        values: &mut Buffer,
    ) -> Done {
        let shift = u32::from(self.has(CacheStoresNextPosition));
        let positions = positions.iter().map(|p| p.wrapping_add(shift) % dims.capacity.max(1) as u32).collect();
        let (keys, values) = if self.has(CacheSwapsKeysAndValues) { (values, keys) } else { (keys, values) };
        self.naive.cache_append(dims, qkv, slots, &positions, keys, values)
    }

    fn attention_cached(
        &mut self,
        dims: CacheDims,
        qkv: &Buffer,
        slots: &Indices,
        positions: &Indices,
        keys: &Buffer,
        values: &Buffer,
        out: &mut Buffer,
    ) -> Done {
        let shift = u32::from(self.has(CacheForgetsItself));
        let positions = positions.iter().map(|p| p.saturating_sub(shift)).collect();
        self.naive.attention_cached(dims, qkv, slots, &positions, keys, values, out)
    }

    fn swiglu_forward(&mut self, dims: SwigluDims, gate_up: &Buffer, out: &mut Buffer) -> Done {
        let mut gate_up = gate_up.clone();
        for r in (0..dims.rows).filter(|_| self.has(SwigluSwapsHalves)) {
            gate_up[2 * r * dims.channels..][..2 * dims.channels].rotate_left(dims.channels);
        }
        self.naive.swiglu_forward(dims, &gate_up, out)
    }

    fn swiglu_backward(
        &mut self,
        dims: SwigluDims,
        gate_up: &Buffer,
        grad_out: &Buffer,
        grad_gate_up: &mut Buffer,
    ) -> Done {
        self.naive.swiglu_backward(dims, gate_up, grad_out, grad_gate_up)?;
        if self.has(SwigluForgetsSlope) {
            for (i, grad) in grad_out[..dims.rows * dims.channels].iter().enumerate() {
                let gate = 2 * i - i % dims.channels;
                let sigmoid = 1.0 / (1.0 + (-gate_up[gate]).exp());
                grad_gate_up[gate] = grad * gate_up[gate + dims.channels] * sigmoid;
            }
        }
        Ok(())
    }

    fn relu_forward(&mut self, len: usize, x: &mut Buffer) -> Done {
        if self.has(ReluHidesNan) {
            x[..len].iter_mut().for_each(|x| *x = x.max(0.0));
        }
        if self.has(ReluKeepsNegative) {
            return Ok(());
        }
        self.naive.relu_forward(len, x)
    }

    fn relu_backward(&mut self, len: usize, out: &Buffer, grad: &mut Buffer) -> Done {
        if self.has(ReluForgetsItWasOff) {
            return Ok(());
        }
        self.naive.relu_backward(len, out, grad)
    }

    fn policy_forward(
        &mut self,
        dims: VocabDims,
        logits: &Buffer,
        ref_logits: Option<&Buffer>,
        targets: &Indices,
        statistics: &mut PolicyStatistics<Buffer>,
    ) -> Done {
        self.naive.policy_forward(dims, logits, ref_logits, targets, statistics)?;
        match (self.fault, ref_logits) {
            (Some(PolicyNegatesEntropy), _) => statistics.entropy[..dims.rows].iter_mut().for_each(|h| *h = -*h),
            (Some(PolicyNanAtMask), _) => {
                for r in (0..dims.rows).filter(|r| logits[r * dims.vocab..][..dims.vocab].contains(&f32::NEG_INFINITY))
                {
                    statistics.entropy[r] = f32::NAN;
                }
            }
            (Some(PolicySwapsDivergence), Some(ref_logits)) => {
                let mut swapped = statistics.clone();
                self.naive.policy_forward(dims, ref_logits, Some(logits), targets, &mut swapped)?;
                statistics.kl = swapped.kl;
            }
            _ => {}
        }
        Ok(())
    }

    fn policy_backward(
        &mut self,
        dims: VocabDims,
        ref_logits: Option<&Buffer>,
        targets: &Indices,
        statistics: &PolicyStatistics<Buffer>,
        gradients: &PolicyGradients<Buffer>,
        logits: &mut Buffer,
    ) -> Done {
        let mut gradients = gradients.clone();
        match self.fault {
            Some(PolicyForgetsEntropy) => gradients.entropy.fill(0.0),
            Some(PolicyForgetsDivergence) => gradients.kl.fill(0.0),
            _ => {}
        }
        self.naive.policy_backward(dims, ref_logits, targets, statistics, &gradients, logits)
    }

    fn sample(
        &mut self,
        dims: VocabDims,
        mut sampler: Sampler<f32>,
        logits: &Buffer,
        uniforms: &Buffer,
        tokens: &mut Indices,
        log_probs: &mut Buffer,
    ) -> Done {
        let mut uniforms = uniforms.clone();
        let temperature = sampler.temperature;
        match self.fault {
            Some(SampleIgnoresTemperature) if temperature > 0.0 => sampler.temperature = 1.0,
            Some(SampleKeepsOneMore) if sampler.top_k > 0 => sampler.top_k += 1,
            Some(SampleIgnoresUniform) => uniforms.fill(0.3),
            _ => {}
        }
        self.naive.sample(dims, sampler, logits, &uniforms, tokens, log_probs)?;
        if self.has(SampleTempersLogProb) && temperature > 0.0 {
            log_probs[..dims.rows].iter_mut().for_each(|log_prob| *log_prob /= temperature);
        }
        Ok(())
    }

    fn action_advantage(
        &mut self,
        dims: ClassDims,
        logits: &Buffer,
        action_values: &Buffer,
        actions: &Vec<u32>,
        advantages: &mut Buffer,
    ) -> Done {
        let (mut logits, mut actions) = (logits.clone(), actions.clone());
        match self.fault {
            Some(AdvantageIgnoresPolicy) => logits.fill(0.0),
            Some(AdvantageIgnoresAction) => actions.fill(0),
            _ => {}
        }
        self.naive.action_advantage(dims, &logits, action_values, &actions, advantages)?;
        if self.has(AdvantageForgetsBaseline) {
            for r in 0..dims.rows {
                advantages[r] = action_values[r * dims.classes + actions[r] as usize];
            }
        }
        Ok(())
    }

    fn gae(
        &mut self,
        mut discounts: Discounts<f32>,
        trajectories: Ragged<'_, Vec<u32>>,
        rewards: &Buffer,
        values: &Buffer,
        advantages: &mut Buffer,
    ) -> Done {
        let mut values = values.clone();
        match self.fault {
            Some(GaeForgetsGamma) => discounts.gamma = 1.0,
            Some(GaeForgetsLambda) => discounts.gae_lambda = 1.0,
            Some(GaeForgetsValue) => values.fill(0.0),
            Some(GaeFlowsOver) => {
                let offsets = vec![0, trajectories.rows as u32];
                let as_one = Ragged { offsets: &offsets, sequences: 1, ..trajectories };
                return self.naive.gae(discounts, as_one, rewards, &values, advantages);
            }
            _ => {}
        }
        self.naive.gae(discounts, trajectories, rewards, &values, advantages)
    }

    fn clipped_surrogate(
        &mut self,
        tokens: usize,
        clip_range: ClipRange<f32>,
        log_prob: &Buffer,
        old_log_prob: &Buffer,
        advantages: &Buffer,
        grad_log_prob: &mut Buffer,
    ) -> Done {
        let unclipped = ClipRange { low: 1.0, high: f32::INFINITY };
        let followed = if self.has(SurrogateIsNeverClipped) { unclipped } else { clip_range };
        self.naive.clipped_surrogate(tokens, followed, log_prob, old_log_prob, advantages, grad_log_prob)?;
        for i in 0..tokens {
            let ratio = (log_prob[i] - old_log_prob[i]).exp();
            let is_outside = ratio > 1.0 + clip_range.high || ratio < 1.0 - clip_range.low;
            if self.has(SurrogateClipsBothSides) && is_outside {
                grad_log_prob[i] = 0.0;
            }
            if self.has(SurrogateFollowsAnyRatio) && grad_log_prob[i] == 0.0 && !is_outside {
                grad_log_prob[i] = -advantages[i] * ratio;
            }
        }
        Ok(())
    }

    fn soft_cross_entropy(
        &mut self,
        dims: ClassDims,
        logits: &Buffer,
        labels: &Buffer,
        weights: &Buffer,
        loss: &mut Buffer,
        grad_logits: &mut Buffer,
    ) -> Done {
        let (mut labels, mut weights) = (labels.clone(), weights.clone());
        match self.fault {
            Some(CrossEntropyIgnoresWeights) => weights.fill(1.0),
            Some(CrossEntropyNormalises) => {
                for row in labels[..dims.rows * dims.classes].chunks_mut(dims.classes) {
                    let total: f32 = row.iter().sum();
                    row.iter_mut().for_each(|label| *label /= total);
                }
            }
            _ => {}
        }
        self.naive.soft_cross_entropy(dims, logits, &labels, &weights, loss, grad_logits)
    }

    fn squared_error(
        &mut self,
        rows: usize,
        predictions: &Buffer,
        targets: &Buffer,
        weights: &Buffer,
        loss: &mut Buffer,
        grad_predictions: &mut Buffer,
    ) -> Done {
        self.naive.squared_error(rows, predictions, targets, weights, loss, grad_predictions)?;
        if self.has(SquaredErrorForgetsHalf) {
            loss[..rows].iter_mut().for_each(|loss| *loss *= 2.0);
        }
        Ok(())
    }
}
