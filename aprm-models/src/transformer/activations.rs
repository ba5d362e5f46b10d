use aprm_core::backend::Backend;

use super::low_rank::Room;
use crate::config::ModelConfig;

/// What a forward pass leaves behind for the backward pass.
#[derive(Clone, Debug)]
pub struct Activations<Buffer> {
    rows: usize,
    entries: usize,
    /// The residual stream before each layer and after the last, `[rows, hidden]`.
    pub(super) streams: Vec<Buffer>,
    /// One for each layer, or one that all layers use in turn.
    pub(super) layers: Vec<LayerActivations<Buffer>>,
    /// The layer that wrote last.
    pub(super) latest: usize,
    pub(super) room: Room<Buffer>,
    /// `[rows]`.
    pub(super) final_rstd: Buffer,
    /// The last layer's outputs, normalised, `[rows, hidden]`.
    pub hidden: Buffer,
}

/// What one layer leaves behind.
#[derive(Clone, Debug)]
pub(super) struct LayerActivations<Buffer> {
    /// `[rows]`.
    pub(super) input_rstd: Buffer,
    /// The input of attention's linear map, `[rows, hidden]`.
    pub(super) normed: Buffer,
    /// Queries, keys and values before their norms, `[rows, qkv]`; only where there are such norms.
    pub(super) raw_qkv: Option<RawQkv<Buffer>>,
    /// Queries, keys and values as attention sees them, `[rows, qkv]`.
    pub(super) qkv: Buffer,
    /// `[rows, heads]`.
    pub(super) log_sum_exp: Buffer,
    /// What the heads give, `[rows, heads · head_dim]`.
    pub(super) attended: Buffer,
    /// The residual stream between attention and the feed-forward layer, `[rows, hidden]`.
    pub(super) middle: Buffer,
    /// `[rows]`.
    pub(super) post_rstd: Buffer,
    /// The input of the feed-forward layer, `[rows, hidden]`.
    pub(super) post_normed: Buffer,
    /// `[rows, 2 · intermediate]`.
    pub(super) gate_up: Buffer,
    /// `[rows, intermediate]`.
    pub(super) gated: Buffer,
}

/// Queries and keys before their norms, and what the norms leave behind.
#[derive(Clone, Debug)]
pub(super) struct RawQkv<Buffer> {
    pub(super) qkv: Buffer,
    /// `[rows, heads]` and `[rows, kv_heads]`.
    pub(super) rstd: [Buffer; 2],
}

/// Gradients of activations on their way back, used anew in every layer.
#[derive(Clone, Debug)]
pub struct Scratch<Buffer> {
    rows: usize,
    /// The gradient with respect to the last layer's outputs, which the loss writes, `[rows, hidden]`.
    pub grad_hidden: Buffer,
    pub(super) grad_stream: Buffer,
    pub(super) grad_normed: Buffer,
    pub(super) grad_qkv: Buffer,
    /// Present where queries and keys have norms.
    pub(super) grad_raw_qkv: Option<Buffer>,
    pub(super) grad_attended: Buffer,
    pub(super) grad_gate_up: Buffer,
    pub(super) grad_gated: Buffer,
    /// What low-rank maps work on.
    pub(super) rooms: [Room<Buffer>; 2],
    /// The gradient of norms that do not learn.
    pub(super) discarded: Room<Buffer>,
}

/// Entries per row of each kind of activation.
pub(super) struct Widths {
    hidden: usize,
    heads: usize,
    kv_heads: usize,
    attended: usize,
    qkv: usize,
    intermediate: usize,
    has_qk_norms: bool,
}

impl Widths {
    pub(super) fn new(config: &ModelConfig) -> Self {
        let (heads, kv_heads) = (config.num_attention_heads, config.num_key_value_heads);
        Self {
            hidden: config.hidden_size,
            heads,
            kv_heads,
            attended: heads * config.head_dim,
            qkv: (heads + 2 * kv_heads) * config.head_dim,
            intermediate: config.intermediate_size,
            has_qk_norms: config.family == crate::config::Family::Qwen3,
        }
    }
}

impl<Buffer> Activations<Buffer> {
    /// Room for the activations of so many rows, all of which are kept for the backward pass.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new<B: Backend<Buffer = Buffer>>(
        backend: &mut B,
        config: &ModelConfig,
        rows: usize,
    ) -> Result<Self, B::Error> {
        Self::with_layers(backend, config, rows, config.num_hidden_layers)
    }

    /// Room for the activations of so many rows, of which the residual stream is kept and a single layer.
    ///
    /// The backward pass computes a layer anew unless it is the last that ran, up to its last linear map, from the stream that entered it.
    /// The kernels and their operands are the same, so the gradients are, bit for bit.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Reference
    /// Chen, Xu, Zhang and Guestrin 2016, arXiv 1604.06174, with one segment for each layer.
    pub fn recomputed<B: Backend<Buffer = Buffer>>(
        backend: &mut B,
        config: &ModelConfig,
        rows: usize,
    ) -> Result<Self, B::Error> {
        Self::with_layers(backend, config, rows, config.num_hidden_layers.min(1))
    }

    fn with_layers<B: Backend<Buffer = Buffer>>(
        backend: &mut B,
        config: &ModelConfig,
        rows: usize,
        layers: usize,
    ) -> Result<Self, B::Error> {
        let widths = Widths::new(config);
        let mut entries = 0;
        let mut allocate = |width: usize| {
            entries += rows * width;
            backend.allocate(rows * width)
        };
        let streams = (0..=config.num_hidden_layers).map(|_| allocate(widths.hidden)).collect::<Result<_, _>>()?;
        let layers = (0..layers).map(|_| LayerActivations::new(&widths, &mut allocate)).collect::<Result<_, _>>()?;
        let (final_rstd, hidden) = (allocate(1)?, allocate(widths.hidden)?);
        Ok(Self { rows, entries, streams, layers, latest: 0, room: Room::new(), final_rstd, hidden })
    }

    /// How many numbers it holds, of all buffers together.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Where a layer's activations belong.
    pub(super) fn slot(&self, layer: usize) -> usize {
        layer.min(self.layers.len() - 1)
    }

    /// Whether another layer has written its activations over this one's.
    pub(super) fn is_overwritten(&self, layer: usize) -> bool {
        self.latest != layer && self.slot(self.latest) == self.slot(layer)
    }

    /// How many rows there is room for.
    pub fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn assert_hold(&self, rows: usize) {
        assert!(rows <= self.rows, "a batch of {rows} tokens in activations for {}", self.rows);
    }
}

impl<Buffer> LayerActivations<Buffer> {
    pub(super) fn new<E>(widths: &Widths, allocate: &mut impl FnMut(usize) -> Result<Buffer, E>) -> Result<Self, E> {
        let raw_qkv = match widths.has_qk_norms {
            true => {
                Some(RawQkv { qkv: allocate(widths.qkv)?, rstd: [allocate(widths.heads)?, allocate(widths.kv_heads)?] })
            }
            false => None,
        };
        Ok(Self {
            input_rstd: allocate(1)?,
            normed: allocate(widths.hidden)?,
            raw_qkv,
            qkv: allocate(widths.qkv)?,
            log_sum_exp: allocate(widths.heads)?,
            attended: allocate(widths.attended)?,
            middle: allocate(widths.hidden)?,
            post_rstd: allocate(1)?,
            post_normed: allocate(widths.hidden)?,
            gate_up: allocate(2 * widths.intermediate)?,
            gated: allocate(widths.intermediate)?,
        })
    }
}

impl<Buffer> Scratch<Buffer> {
    /// Room for the gradients of so many rows.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new<B: Backend<Buffer = Buffer>>(
        backend: &mut B,
        config: &ModelConfig,
        rows: usize,
    ) -> Result<Self, B::Error> {
        let widths = Widths::new(config);
        let mut allocate = |width: usize| backend.allocate(rows * width);
        Ok(Self {
            rows,
            grad_hidden: allocate(widths.hidden)?,
            grad_stream: allocate(widths.hidden)?,
            grad_normed: allocate(widths.hidden)?,
            grad_qkv: allocate(widths.qkv)?,
            grad_raw_qkv: widths.has_qk_norms.then(|| allocate(widths.qkv)).transpose()?,
            grad_attended: allocate(widths.attended)?,
            grad_gate_up: allocate(2 * widths.intermediate)?,
            grad_gated: allocate(widths.intermediate)?,
            rooms: [Room::new(), Room::new()],
            discarded: Room::new(),
        })
    }

    /// How many rows there is room for.
    pub fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn assert_hold(&self, rows: usize) {
        assert!(rows <= self.rows, "a batch of {rows} tokens in scratch memory for {}", self.rows);
    }
}
