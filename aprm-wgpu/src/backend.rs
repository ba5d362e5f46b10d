//! The kernels as a backend: lengths are checked here, and grids laid out.

mod product;

use aprm_core::backend::{
    AttentionDims, Backend, CacheDims, ClassDims, LinearDims, NormDims, PolicyGradients, PolicyStatistics, Ragged,
    RopeDims, RowDims, SwigluDims, VocabDims,
};
use aprm_core::gae::Discounts;
use aprm_core::optimizer::AdamMoments;
use aprm_core::policy::Sampler;
use aprm_core::ppo::ClipRange;

use crate::bfloat16;
use crate::buffer::Buffer;
use crate::kernel::{Form, Kernel, Means, Tier};
use crate::queue::{Queue, Work, fold};
use crate::{GpuError, Refusal};
pub(crate) use product::PATCH_ROWS;
use product::{Operand, Tiles};

/// Entries of a workgroup of `entries.wgsl`.
const ENTRIES: usize = 1024;
/// Numbers of an entry of `entry.wide.wgsl`.
const WIDTH: usize = 4;
/// Numbers of a workgroup of `sum_of_squares.wgsl`.
const SQUARES: usize = 4096;
/// Rows that `linear_backward_bias.wgsl`, and groups that `rms_norm_backward_weight.wgsl`, sum up at a time.
const ROWS_OF_PARTIAL: usize = 64;
/// Columns of a workgroup of these.
const COLUMNS_OF_PARTIAL: usize = 64;
/// Queries of a workgroup of attention, and keys of one of their gradient.
const ATTENTION_QUERIES: usize = 64;
const ATTENTION_KEYS: usize = 32;
/// The widest head that attention has room for.
const MOST_HEAD_DIM: usize = 256;
/// Workgroups that fill a device: a weight gradient with fewer blocks is cut into parts of its rows, and a product with
/// as many large blocks is made of these.
const FULL: usize = 256;

/// A GPU, with the memory for intermediate results that its kernels need.
#[derive(Debug)]
pub struct Gpu {
    queue: Queue,
    scratch: Option<Buffer>,
    /// What is bound where nothing is needed.
    nothing: Option<Buffer>,
    tiles: Option<Tiles>,
    /// What a product's matrices are of, where that is not left to how many blocks it has.
    pub(crate) patch_rows: Option<u32>,
    refusal: Option<Refusal>,
}

fn word(n: usize) -> u32 {
    u32::try_from(n).expect("no buffer has as many entries")
}

impl Gpu {
    pub(crate) fn new(
        adapter: String,
        device: wgpu::Device,
        queue: wgpu::Queue,
        means: Means,
        binding_size: u64,
    ) -> Self {
        let queue = Queue::new(adapter, device, queue, means, binding_size);
        Self { queue, scratch: None, nothing: None, tiles: None, patch_rows: None, refusal: None }
    }

    pub(crate) fn refused(self, refusal: Option<Refusal>) -> Self {
        Self { refusal, ..self }
    }

    /// The adapter's name.
    pub fn adapter(&self) -> &str {
        self.queue.adapter()
    }

    /// What shaders use.
    pub fn tier(&self) -> Tier {
        self.queue.tier()
    }

    /// Why it has less than [`Tier::Matrices`], if that was asked for.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// What it was given to do so far.
    pub fn work(&self) -> Work {
        self.queue.work()
    }

    /// Hands over what is recorded, without waiting for it.
    ///
    /// # Errors
    /// What went wrong since the last call.
    pub fn submit(&mut self) -> Result<(), GpuError> {
        self.queue.submit()
    }

    /// Loses the device, as a driver may at any time: all calls from here on fail with [`GpuError::Lost`].
    pub fn destroy(&mut self) {
        self.queue.destroy();
    }

    /// Records a kernel that works on entries one by one, as many as the first of `lens`, which are counted in numbers.
    fn entries(&mut self, kernel: Kernel, buffers: &[&Buffer], lens: &[usize], rest: &[u32]) -> Result<(), GpuError> {
        let (form, width) = if kernel.shader().has_wide() { form(lens) } else { (Form::Only, 1) };
        let words: Vec<u32> = lens.iter().map(|len| word(len / width)).chain(rest.iter().copied()).collect();
        self.queue.dispatch((kernel, form), buffers, &words, fold((lens[0] / width).div_ceil(ENTRIES)))
    }

    /// Room for `len` numbers, which the next kernel may overwrite.
    fn take_scratch(&mut self, len: usize) -> Result<Buffer, GpuError> {
        match self.scratch.take() {
            Some(scratch) if scratch.len >= len => Ok(scratch),
            _ => self.queue.allocate(len.next_power_of_two().max(1 << 10)),
        }
    }

    /// Takes the buffer that stands for none out, to be put back.
    fn take_nothing(&mut self) -> Result<Buffer, GpuError> {
        self.nothing.take().map_or_else(|| self.queue.allocate(WIDTH), Ok)
    }

    /// `out += Σ_p partial[p]`.
    fn add_partials(&mut self, len: usize, partials: usize, scratch: &Buffer, out: &Buffer) -> Result<(), GpuError> {
        self.entries(Kernel::AddPartials, &[scratch, out], &[len], &[word(partials)])
    }

    fn rope(&mut self, kernel: Kernel, dims: RopeDims, buffers: [&Buffer; 4]) -> Result<(), GpuError> {
        let RopeDims { rows, stride, heads, head_dim } = dims;
        let [positions, _, _, x] = buffers;
        positions.holds(rows);
        x.holds(rows * stride);
        let half = head_dim / 2;
        self.entries(kernel, &buffers, &[rows * heads * half], &[word(stride), word(heads), word(half)])
    }
}

/// The form of a kernel that can work on four numbers at a time, and on how many it does: `lens` are of what lies together.
fn form(lens: &[usize]) -> (Form, usize) {
    if lens[0] > 0 && lens.iter().all(|len| len.is_multiple_of(WIDTH)) { (Form::Wide, WIDTH) } else { (Form::Only, 1) }
}

/// A workgroup for each part of the rows and of the columns.
fn grid_of_partials(partials: usize, columns: usize) -> [u32; 3] {
    let [x, y, _] = fold(partials);
    [x, y, word(columns.div_ceil(COLUMNS_OF_PARTIAL))]
}

/// Sequences, blocks of so many rows in the longest, query heads, key-value heads, the factor of scores.
fn attention_words(dims: AttentionDims, sequences: Ragged<'_, Buffer>, rows: usize) -> [u32; 5] {
    let blocks = sequences.longest.div_ceil(rows);
    let scale = 1.0 / (dims.head_dim as f32).sqrt();
    [word(sequences.sequences), word(blocks), word(dims.heads), word(dims.kv_heads), scale.to_bits()]
}

/// The form of a norm's kernel, and what it is told.
fn norm(dims: NormDims<f32>) -> (Form, [u32; 7]) {
    let NormDims { stride, offset, channels, .. } = dims;
    let (form, width) = form(&[channels, stride, offset]);
    (form, norm_words(dims, width))
}

fn norm_words(dims: NormDims<f32>, width: usize) -> [u32; 7] {
    let NormDims { rows, stride, offset, groups, channels, epsilon, accumulate } = dims;
    let [stride, offset, channels] = [stride, offset, channels].map(|len| word(len / width));
    [word(rows), stride, offset, word(groups), channels, epsilon.to_bits(), accumulate.into()]
}

fn check_head_dim(kernel: &'static str, head_dim: usize) -> Result<(), GpuError> {
    if head_dim > MOST_HEAD_DIM {
        return Err(GpuError::Dimension { kernel, dimension: "head_dim", value: head_dim, limit: MOST_HEAD_DIM });
    }
    Ok(())
}

impl Backend for Gpu {
    type Scalar = f32;
    type Buffer = Buffer;
    type Indices = Buffer;
    type Error = GpuError;

    fn allocate(&mut self, len: usize) -> Result<Buffer, GpuError> {
        self.queue.allocate(len)
    }

    fn allocate_indices(&mut self, len: usize) -> Result<Buffer, GpuError> {
        self.queue.allocate(len)
    }

    fn allocate_bf16(&mut self, source: &[f32]) -> Result<Option<Buffer>, GpuError> {
        let words = bfloat16::pack(source);
        let mut buffer = self.queue.allocate(words.len())?;
        self.queue.write(bytemuck::cast_slice(&words), &buffer, 0)?;
        (buffer.len, buffer.is_packed) = (source.len(), true);
        Ok(Some(buffer))
    }

    fn write(&mut self, source: &[f32], buffer: &mut Buffer, start: usize) -> Result<(), GpuError> {
        buffer.is_not_packed("write")?;
        self.queue.write(bytemuck::cast_slice(source), buffer.holds(start + source.len()), start)
    }

    fn write_indices(&mut self, source: &[u32], indices: &mut Buffer) -> Result<(), GpuError> {
        indices.is_not_packed("write_indices")?;
        self.queue.write(bytemuck::cast_slice(source), indices.holds(source.len()), 0)
    }

    fn read(&mut self, buffer: &Buffer, start: usize, out: &mut [f32]) -> Result<(), GpuError> {
        let buffer = buffer.holds(start + out.len());
        if !buffer.is_packed {
            return self.queue.read(buffer, start, bytemuck::cast_slice_mut(out));
        }
        let first = start / 2;
        let mut words = vec![0_u32; (start + out.len()).div_ceil(2) - first];
        self.queue.read(buffer, first, bytemuck::cast_slice_mut(&mut words))?;
        bfloat16::unpack(&words, start % 2, out);
        Ok(())
    }

    fn read_indices(&mut self, indices: &Buffer, out: &mut [u32]) -> Result<(), GpuError> {
        indices.is_not_packed("read_indices")?;
        self.queue.read(indices.holds(out.len()), 0, bytemuck::cast_slice_mut(out))
    }

    fn fill(&mut self, len: usize, value: f32, x: &mut Buffer) -> Result<(), GpuError> {
        self.entries(Kernel::Fill, &[x.holds(len)], &[len], &[value.to_bits()])
    }

    fn copy(&mut self, len: usize, x: &Buffer, y: &mut Buffer) -> Result<(), GpuError> {
        self.entries(Kernel::Copy, &[x.holds(len), y.holds(len)], &[len], &[])
    }

    fn axpy(&mut self, len: usize, alpha: f32, x: &Buffer, y: &mut Buffer) -> Result<(), GpuError> {
        self.entries(Kernel::Axpy, &[x.holds(len), y.holds(len)], &[len], &[alpha.to_bits()])
    }

    fn scale(&mut self, len: usize, alpha: f32, x: &mut Buffer) -> Result<(), GpuError> {
        self.entries(Kernel::Scale, &[x.holds(len)], &[len], &[alpha.to_bits()])
    }

    fn sum_of_squares(&mut self, len: usize, x: &Buffer, total: &mut Buffer) -> Result<(), GpuError> {
        let partials = len.div_ceil(SQUARES);
        if partials == 0 {
            return Ok(());
        }
        let scratch = self.take_scratch(partials)?;
        let (form, width) = form(&[len]);
        let (kernel, words) = ((Kernel::SumOfSquares, form), [word(len / width)]);
        self.queue.dispatch(kernel, &[x.holds(len), &scratch], &words, fold(partials))?;
        self.queue.dispatch_folded(Kernel::AddTotal, &[&scratch, total.holds(1)], &[word(partials)], 1)?;
        self.scratch = Some(scratch);
        Ok(())
    }

    fn clip(&mut self, len: usize, max_norm: f32, squared_norm: &Buffer, x: &mut Buffer) -> Result<(), GpuError> {
        self.entries(Kernel::Clip, &[squared_norm.holds(1), x.holds(len)], &[len], &[max_norm.to_bits()])
    }

    fn adam_direction(
        &mut self,
        len: usize,
        moments: AdamMoments<f32>,
        gradient: &Buffer,
        first_moment: &mut Buffer,
        second_moment: &mut Buffer,
        direction: &mut Buffer,
    ) -> Result<(), GpuError> {
        let AdamMoments { beta1, beta2, first_correction, second_correction, epsilon } = moments;
        let [beta1, beta2, c1, c2, epsilon] =
            [beta1, beta2, first_correction, second_correction, epsilon].map(f32::to_bits);
        let buffers = [gradient, first_moment, second_moment, direction].map(|buffer| buffer.holds(len));
        self.entries(Kernel::AdamDirection, &buffers, &[len], &[beta1, beta2, c1, c2, epsilon])
    }

    fn gather_rows_forward(
        &mut self,
        dims: RowDims,
        table: &Buffer,
        indices: &Buffer,
        out: &mut Buffer,
    ) -> Result<(), GpuError> {
        let RowDims { rows, table_rows, channels } = dims;
        let buffers = [indices.holds(rows), table.holds(table_rows * channels), out.holds(rows * channels)];
        self.entries(Kernel::GatherRowsForward, &buffers, &[rows * channels], &[word(channels)])
    }

    fn gather_rows_backward(
        &mut self,
        dims: RowDims,
        grad_out: &Buffer,
        indices: &Buffer,
        grad_table: &mut Buffer,
    ) -> Result<(), GpuError> {
        let RowDims { rows, table_rows, channels } = dims;
        let buffers = [grad_out.holds(rows * channels), indices.holds(rows), grad_table.holds(table_rows * channels)];
        self.queue.dispatch_folded(Kernel::GatherRowsBackward, &buffers, &[word(rows), word(channels)], rows)
    }

    fn linear_forward(
        &mut self,
        dims: LinearDims,
        x: &Buffer,
        weight: &Buffer,
        bias: Option<&Buffer>,
        out: &mut Buffer,
    ) -> Result<(), GpuError> {
        let LinearDims { rows, inputs, outputs, accumulate } = dims;
        let nothing = self.take_nothing()?;
        let words = [word(rows), word(inputs), word(outputs), accumulate.into(), bias.is_some().into()];
        let bias = bias.map_or(&nothing, |bias| bias.holds(outputs));
        let operands = [
            Operand { buffer: x, shape: [rows, inputs], along_k: true },
            Operand { buffer: weight, shape: [outputs, inputs], along_k: true },
        ];
        let rest = [bias, out.holds(rows * outputs)];
        self.product(Kernel::LinearForward, operands, &rest, &words, [rows, outputs, 1])?;
        self.nothing = Some(nothing);
        Ok(())
    }

    fn linear_backward_input(
        &mut self,
        dims: LinearDims,
        grad_out: &Buffer,
        weight: &Buffer,
        grad_x: &mut Buffer,
    ) -> Result<(), GpuError> {
        let LinearDims { rows, inputs, outputs, accumulate } = dims;
        let words = [word(rows), word(inputs), word(outputs), accumulate.into()];
        let operands = [
            Operand { buffer: grad_out, shape: [rows, outputs], along_k: true },
            Operand { buffer: weight, shape: [inputs, outputs], along_k: false },
        ];
        let rest = [grad_x.holds(rows * inputs)];
        self.product(Kernel::LinearBackwardInput, operands, &rest, &words, [rows, inputs, 1])
    }

    fn linear_backward_weight(
        &mut self,
        dims: LinearDims,
        x: &Buffer,
        grad_out: &Buffer,
        grad_weight: &mut Buffer,
        grad_bias: Option<&mut Buffer>,
    ) -> Result<(), GpuError> {
        let LinearDims { rows, inputs, outputs, .. } = dims;
        x.is_not_packed("linear_backward_weight")?;
        let operands = [
            Operand { buffer: grad_out, shape: [outputs, rows], along_k: false },
            Operand { buffer: x, shape: [inputs, rows], along_k: false },
        ];
        let grad_weight = grad_weight.holds(outputs * inputs);
        if rows == 0 {
            return Ok(());
        }
        let block = self.block();
        let [across, down] = [inputs, outputs].map(|side| side.div_ceil(block));
        let parts = (FULL / (across * down).max(1)).clamp(1, rows.div_ceil(block));
        let rows_of_part = rows.div_ceil(parts).next_multiple_of(block);
        let parts = rows.div_ceil(rows_of_part);
        let words = [word(rows), word(inputs), word(outputs), word(rows_of_part), (parts == 1).into()];
        let kernel = Kernel::LinearBackwardWeight;
        if parts == 1 {
            self.product(kernel, operands, &[grad_weight], &words, [outputs, inputs, parts])?;
        } else {
            let scratch = self.take_scratch(parts * outputs * inputs)?;
            self.product(kernel, operands, &[&scratch], &words, [outputs, inputs, parts])?;
            self.add_partials(outputs * inputs, parts, &scratch, grad_weight)?;
            self.scratch = Some(scratch);
        }
        if let Some(grad_bias) = grad_bias {
            let partials = rows.div_ceil(ROWS_OF_PARTIAL);
            let scratch = self.take_scratch(partials * outputs)?;
            let words = [word(rows), word(outputs)];
            let grid = grid_of_partials(partials, outputs);
            self.queue.dispatch((Kernel::LinearBackwardBias, Form::Only), &[grad_out, &scratch], &words, grid)?;
            self.add_partials(outputs, partials, &scratch, grad_bias.holds(outputs))?;
            self.scratch = Some(scratch);
        }
        Ok(())
    }

    fn rms_norm_forward(
        &mut self,
        dims: NormDims<f32>,
        x: &Buffer,
        weight: &Buffer,
        out: &mut Buffer,
        rstd: &mut Buffer,
    ) -> Result<(), GpuError> {
        let NormDims { rows, stride, groups, channels, .. } = dims;
        let buffers =
            [x.holds(rows * stride), weight.holds(channels), out.holds(rows * stride), rstd.holds(rows * groups)];
        let (form, words) = norm(dims);
        self.queue.dispatch((Kernel::RmsNormForward, form), &buffers, &words, fold(rows * groups))
    }

    fn rms_norm_backward(
        &mut self,
        dims: NormDims<f32>,
        x: &Buffer,
        weight: &Buffer,
        rstd: &Buffer,
        grad_out: &Buffer,
        grad_x: &mut Buffer,
        grad_weight: &mut Buffer,
    ) -> Result<(), GpuError> {
        let NormDims { rows, stride, groups, channels, .. } = dims;
        let [x, grad_out, grad_x] = [x, grad_out, &*grad_x].map(|buffer| buffer.holds(rows * stride));
        let (weight, rstd) = (weight.holds(channels), rstd.holds(rows * groups));
        let (form, words) = norm(dims);
        let buffers = [x, weight, rstd, grad_out, grad_x];
        self.queue.dispatch((Kernel::RmsNormBackward, form), &buffers, &words, fold(rows * groups))?;
        let partials = (rows * groups).div_ceil(ROWS_OF_PARTIAL);
        let scratch = self.take_scratch(partials * channels)?;
        let buffers = [x, rstd, grad_out, &scratch];
        let (words, grid) = (norm_words(dims, 1), grid_of_partials(partials, channels));
        self.queue.dispatch((Kernel::RmsNormBackwardWeight, Form::Only), &buffers, &words, grid)?;
        self.add_partials(channels, partials, &scratch, grad_weight.holds(channels))?;
        self.scratch = Some(scratch);
        Ok(())
    }

    fn rope_forward(
        &mut self,
        dims: RopeDims,
        positions: &Buffer,
        cos: &Buffer,
        sin: &Buffer,
        x: &mut Buffer,
    ) -> Result<(), GpuError> {
        self.rope(Kernel::RopeForward, dims, [positions, cos, sin, x])
    }

    fn rope_backward(
        &mut self,
        dims: RopeDims,
        positions: &Buffer,
        cos: &Buffer,
        sin: &Buffer,
        grad_x: &mut Buffer,
    ) -> Result<(), GpuError> {
        self.rope(Kernel::RopeBackward, dims, [positions, cos, sin, grad_x])
    }

    fn attention_forward(
        &mut self,
        dims: AttentionDims,
        sequences: Ragged<'_, Buffer>,
        qkv: &Buffer,
        out: &mut Buffer,
        log_sum_exp: &mut Buffer,
    ) -> Result<(), GpuError> {
        let AttentionDims { heads, head_dim, .. } = dims;
        check_head_dim("attention_forward", head_dim)?;
        let rows = sequences.rows;
        let words = attention_words(dims, sequences, ATTENTION_QUERIES);
        let buffers = [
            sequences.offsets.holds(sequences.sequences + 1),
            qkv.holds(rows * dims.qkv_width()),
            out.holds(rows * heads * head_dim),
            log_sum_exp.holds(rows * heads),
        ];
        let grid = fold(sequences.sequences * heads * words[1] as usize);
        self.queue.dispatch((Kernel::AttentionForward, Form::HeadDim(word(head_dim))), &buffers, &words, grid)
    }

    fn attention_backward(
        &mut self,
        dims: AttentionDims,
        sequences: Ragged<'_, Buffer>,
        qkv: &Buffer,
        out: &Buffer,
        log_sum_exp: &Buffer,
        grad_out: &Buffer,
        grad_qkv: &mut Buffer,
    ) -> Result<(), GpuError> {
        let AttentionDims { heads, kv_heads, head_dim } = dims;
        check_head_dim("attention_backward", head_dim)?;
        let rows = sequences.rows;
        let [out, grad_out] = [out, grad_out].map(|buffer| buffer.holds(rows * heads * head_dim));
        let dots = self.take_scratch(rows * heads)?;
        self.entries(Kernel::AttentionBackwardDots, &[out, grad_out, &dots], &[rows * heads], &[word(head_dim)])?;
        let buffers = [
            sequences.offsets.holds(sequences.sequences + 1),
            qkv.holds(rows * dims.qkv_width()),
            log_sum_exp.holds(rows * heads),
            grad_out,
            &dots,
            grad_qkv.holds(rows * dims.qkv_width()),
        ];
        for (kernel, heads, block) in [
            (Kernel::AttentionBackwardQueries, heads, ATTENTION_QUERIES),
            (Kernel::AttentionBackwardKeysValues, kv_heads, ATTENTION_KEYS),
        ] {
            let words = attention_words(dims, sequences, block);
            let grid = fold(sequences.sequences * heads * words[1] as usize);
            self.queue.dispatch((kernel, Form::HeadDim(word(head_dim))), &buffers, &words, grid)?;
        }
        self.scratch = Some(dots);
        Ok(())
    }

    fn cache_append(
        &mut self,
        dims: CacheDims,
        qkv: &Buffer,
        slots: &Buffer,
        positions: &Buffer,
        keys: &mut Buffer,
        values: &mut Buffer,
    ) -> Result<(), GpuError> {
        let CacheDims { attention: AttentionDims { heads, kv_heads, head_dim }, rows, slots: places, capacity } = dims;
        let width = kv_heads * head_dim;
        let buffers = [
            qkv.holds(rows * dims.attention.qkv_width()),
            slots.holds(rows),
            positions.holds(rows),
            keys.holds(places * capacity * width),
            values.holds(places * capacity * width),
        ];
        let words = [heads, kv_heads, head_dim, capacity].map(word);
        self.entries(Kernel::CacheAppend, &buffers, &[rows * width], &words)
    }

    fn attention_cached(
        &mut self,
        dims: CacheDims,
        qkv: &Buffer,
        slots: &Buffer,
        positions: &Buffer,
        keys: &Buffer,
        values: &Buffer,
        out: &mut Buffer,
    ) -> Result<(), GpuError> {
        let CacheDims { attention: AttentionDims { heads, kv_heads, head_dim }, rows, slots: places, capacity } = dims;
        check_head_dim("attention_cached", head_dim)?;
        let width = kv_heads * head_dim;
        let buffers = [
            qkv.holds(rows * dims.attention.qkv_width()),
            slots.holds(rows),
            positions.holds(rows),
            keys.holds(places * capacity * width),
            values.holds(places * capacity * width),
            out.holds(rows * heads * head_dim),
        ];
        let scale = 1.0 / (head_dim as f32).sqrt();
        let [rows_word, heads_word, kv_heads, head_dim, capacity] =
            [rows, heads, kv_heads, head_dim, capacity].map(word);
        let words = [rows_word, heads_word, kv_heads, head_dim, capacity, scale.to_bits()];
        self.queue.dispatch_folded(Kernel::AttentionCached, &buffers, &words, rows * heads)
    }

    fn swiglu_forward(&mut self, dims: SwigluDims, gate_up: &Buffer, out: &mut Buffer) -> Result<(), GpuError> {
        let len = dims.rows * dims.channels;
        let buffers = [gate_up.holds(2 * len), out.holds(len)];
        self.entries(Kernel::SwigluForward, &buffers, &[len, dims.channels], &[])
    }

    fn swiglu_backward(
        &mut self,
        dims: SwigluDims,
        gate_up: &Buffer,
        grad_out: &Buffer,
        grad_gate_up: &mut Buffer,
    ) -> Result<(), GpuError> {
        let len = dims.rows * dims.channels;
        let buffers = [gate_up.holds(2 * len), grad_out.holds(len), grad_gate_up.holds(2 * len)];
        self.entries(Kernel::SwigluBackward, &buffers, &[len, dims.channels], &[])
    }

    fn relu_forward(&mut self, len: usize, x: &mut Buffer) -> Result<(), GpuError> {
        self.entries(Kernel::ReluForward, &[x.holds(len)], &[len], &[])
    }

    fn relu_backward(&mut self, len: usize, out: &Buffer, grad: &mut Buffer) -> Result<(), GpuError> {
        self.entries(Kernel::ReluBackward, &[out.holds(len), grad.holds(len)], &[len], &[])
    }

    fn policy_forward(
        &mut self,
        dims: VocabDims,
        logits: &Buffer,
        ref_logits: Option<&Buffer>,
        targets: &Buffer,
        statistics: &mut PolicyStatistics<Buffer>,
    ) -> Result<(), GpuError> {
        let VocabDims { rows, vocab } = dims;
        let nothing = self.take_nothing()?;
        let (form, width) = form(&[vocab]);
        let words = [word(rows), word(vocab / width), ref_logits.is_some().into()];
        let ref_rows = if ref_logits.is_some() { rows } else { 0 };
        let PolicyStatistics { log_prob, entropy, kl, log_sum_exp, ref_log_sum_exp } = &*statistics;
        let buffers = [
            logits.holds(rows * vocab),
            ref_logits.map_or(&nothing, |ref_logits| ref_logits.holds(rows * vocab)),
            targets.holds(rows),
            log_prob.holds(rows),
            entropy.holds(rows),
            kl.holds(rows),
            log_sum_exp.holds(rows),
            ref_log_sum_exp.holds(ref_rows),
        ];
        self.queue.dispatch((Kernel::PolicyForward, form), &buffers, &words, fold(rows))?;
        self.nothing = Some(nothing);
        Ok(())
    }

    fn policy_backward(
        &mut self,
        dims: VocabDims,
        ref_logits: Option<&Buffer>,
        targets: &Buffer,
        statistics: &PolicyStatistics<Buffer>,
        gradients: &PolicyGradients<Buffer>,
        logits: &mut Buffer,
    ) -> Result<(), GpuError> {
        let VocabDims { rows, vocab } = dims;
        let nothing = self.take_nothing()?;
        let coefficients = self.take_scratch(8 * rows)?;
        let ref_log_sum_exp =
            if ref_logits.is_some() { statistics.ref_log_sum_exp.holds(rows) } else { &statistics.kl };
        let buffers = [
            gradients.log_prob.holds(rows),
            gradients.entropy.holds(rows),
            gradients.kl.holds(rows),
            statistics.entropy.holds(rows),
            statistics.kl.holds(rows),
            statistics.log_sum_exp.holds(rows),
            ref_log_sum_exp,
            &coefficients,
        ];
        self.entries(Kernel::PolicyCoefficients, &buffers, &[rows], &[])?;
        let (form, width) = form(&[vocab]);
        let words = [word(rows), word(vocab / width), ref_logits.is_some().into()];
        let buffers = [
            ref_logits.map_or(&nothing, |ref_logits| ref_logits.holds(rows * vocab)),
            targets.holds(rows),
            &coefficients,
            logits.holds(rows * vocab),
        ];
        self.queue.dispatch((Kernel::PolicyBackward, form), &buffers, &words, fold(rows))?;
        self.nothing = Some(nothing);
        self.scratch = Some(coefficients);
        Ok(())
    }

    fn sample(
        &mut self,
        dims: VocabDims,
        sampler: Sampler<f32>,
        logits: &Buffer,
        uniforms: &Buffer,
        tokens: &mut Buffer,
        log_probs: &mut Buffer,
    ) -> Result<(), GpuError> {
        let VocabDims { rows, vocab } = dims;
        let Sampler { temperature, top_k, top_p } = sampler;
        let top_k = u32::try_from(top_k).unwrap_or(0);
        let floats = [temperature, top_p, f32::NAN].map(f32::to_bits);
        let words = [word(rows), word(vocab), top_k, floats[0], floats[1], floats[2]];
        let buffers = [logits.holds(rows * vocab), uniforms.holds(rows), tokens.holds(rows), log_probs.holds(rows)];
        self.queue.dispatch_folded(Kernel::Sample, &buffers, &words, rows)
    }

    fn action_advantage(
        &mut self,
        dims: ClassDims,
        logits: &Buffer,
        action_values: &Buffer,
        actions: &Buffer,
        advantages: &mut Buffer,
    ) -> Result<(), GpuError> {
        let ClassDims { rows, classes } = dims;
        let [logits, action_values] = [logits, action_values].map(|buffer| buffer.holds(rows * classes));
        let buffers = [logits, action_values, actions.holds(rows), advantages.holds(rows)];
        self.entries(Kernel::ActionAdvantage, &buffers, &[rows], &[word(classes)])
    }

    fn gae(
        &mut self,
        Discounts { gamma, gae_lambda }: Discounts<f32>,
        trajectories: Ragged<'_, Buffer>,
        rewards: &Buffer,
        values: &Buffer,
        advantages: &mut Buffer,
    ) -> Result<(), GpuError> {
        let Ragged { offsets, sequences, rows, .. } = trajectories;
        let buffers = [offsets.holds(sequences + 1), rewards.holds(rows), values.holds(rows), advantages.holds(rows)];
        self.entries(Kernel::Gae, &buffers, &[sequences], &[gamma.to_bits(), gae_lambda.to_bits()])
    }

    fn clipped_surrogate(
        &mut self,
        tokens: usize,
        clip_range: ClipRange<f32>,
        log_prob: &Buffer,
        old_log_prob: &Buffer,
        advantages: &Buffer,
        grad_log_prob: &mut Buffer,
    ) -> Result<(), GpuError> {
        // Infinity means nothing to a shader; no ratio that is followed is as large.
        let bounds = [1.0 - clip_range.low, (1.0 + clip_range.high).min(f32::MAX)].map(f32::to_bits);
        let buffers = [log_prob, old_log_prob, advantages, grad_log_prob].map(|buffer| buffer.holds(tokens));
        self.entries(Kernel::ClippedSurrogate, &buffers, &[tokens], &bounds)
    }

    fn soft_cross_entropy(
        &mut self,
        dims: ClassDims,
        logits: &Buffer,
        labels: &Buffer,
        weights: &Buffer,
        loss: &mut Buffer,
        grad_logits: &mut Buffer,
    ) -> Result<(), GpuError> {
        let ClassDims { rows, classes } = dims;
        let len = rows * classes;
        let buffers =
            [logits.holds(len), labels.holds(len), weights.holds(rows), loss.holds(rows), grad_logits.holds(len)];
        self.entries(Kernel::SoftCrossEntropy, &buffers, &[rows], &[word(classes)])
    }

    fn squared_error(
        &mut self,
        rows: usize,
        predictions: &Buffer,
        targets: &Buffer,
        weights: &Buffer,
        loss: &mut Buffer,
        grad_predictions: &mut Buffer,
    ) -> Result<(), GpuError> {
        let buffers = [predictions, targets, weights, loss, grad_predictions].map(|buffer| buffer.holds(rows));
        self.entries(Kernel::SquaredError, &buffers, &[rows], &[])
    }
}
