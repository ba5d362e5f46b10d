//! The forward pass of generation: new tokens against a cache of what came before.

use aprm_core::backend::{Backend, CacheDims, RowDims, SwigluDims};

use super::low_rank::Room;
use super::map::Map;
use super::{Parameters, Transformer};
use crate::layout::LayerIndices;

/// Keys and values of the tokens so far, for so many sequences side by side.
#[derive(Clone, Debug)]
pub struct Cache<Buffer> {
    /// How many sequences there is room for.
    pub slots: usize,
    /// How many positions each has.
    pub capacity: usize,
    /// Keys and values of each layer.
    layers: Vec<[Buffer; 2]>,
}

impl<Buffer> Cache<Buffer> {
    /// Room for `slots` sequences of up to `capacity` tokens.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new<B: Backend<Buffer = Buffer>>(
        backend: &mut B,
        model: &Transformer<B>,
        slots: usize,
        capacity: usize,
    ) -> Result<Self, B::Error> {
        let dims = model.attention_dims();
        let len = slots * capacity * dims.kv_heads * dims.head_dim;
        let layers = (0..model.config.num_hidden_layers).map(|_| Ok([backend.allocate(len)?, backend.allocate(len)?]));
        Ok(Self { slots, capacity, layers: layers.collect::<Result<_, _>>()? })
    }
}

/// New tokens: which, in which slot of the cache, at which position; one entry per row.
#[derive(Debug)]
pub struct CachedRows<Indices> {
    /// How many there are.
    pub rows: usize,
    /// Their ids.
    pub tokens: Indices,
    /// Their sequences' slots.
    pub slots: Indices,
    /// Their positions in their sequences.
    pub positions: Indices,
}

impl<Indices> CachedRows<Indices> {
    /// Room for so many rows.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new<B: Backend<Indices = Indices>>(backend: &mut B, rows: usize) -> Result<Self, B::Error> {
        let mut allocate = || backend.allocate_indices(rows);
        Ok(Self { rows: 0, tokens: allocate()?, slots: allocate()?, positions: allocate()? })
    }

    /// Takes new rows.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn set<B: Backend<Indices = Indices>>(
        &mut self,
        backend: &mut B,
        tokens: &[u32],
        slots: &[u32],
        positions: &[u32],
    ) -> Result<(), B::Error> {
        self.rows = tokens.len();
        backend.write_indices(tokens, &mut self.tokens)?;
        backend.write_indices(slots, &mut self.slots)?;
        backend.write_indices(positions, &mut self.positions)
    }
}

/// Activations of the rows on their way through the layers; nothing is kept for a backward pass.
#[derive(Clone, Debug)]
pub struct CachedScratch<Buffer> {
    /// The last layer's outputs, normalised, `[rows, hidden]`.
    pub hidden: Buffer,
    stream: Buffer,
    normed: Buffer,
    rstd: Buffer,
    raw_qkv: Buffer,
    qkv: Buffer,
    attended: Buffer,
    gate_up: Buffer,
    gated: Buffer,
    room: Room<Buffer>,
}

impl<Buffer> CachedScratch<Buffer> {
    /// Room for so many rows.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new<B: Backend<Buffer = Buffer>>(
        backend: &mut B,
        model: &Transformer<B>,
        rows: usize,
    ) -> Result<Self, B::Error> {
        let (config, dims) = (&model.config, model.attention_dims());
        let mut allocate = |width: usize| backend.allocate(rows * width);
        Ok(Self {
            hidden: allocate(config.hidden_size)?,
            stream: allocate(config.hidden_size)?,
            normed: allocate(config.hidden_size)?,
            rstd: allocate(dims.heads)?,
            raw_qkv: allocate(dims.qkv_width())?,
            qkv: allocate(dims.qkv_width())?,
            attended: allocate(dims.heads * dims.head_dim)?,
            gate_up: allocate(2 * config.intermediate_size)?,
            gated: allocate(config.intermediate_size)?,
            room: Room::new(),
        })
    }
}

impl<B: Backend> Transformer<B> {
    /// Runs new rows against the cache, which takes their keys and values, and leaves `scratch.hidden`.
    ///
    /// Rows of one sequence may come together, as a prompt does, or one by one.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn forward_cached(
        &self,
        backend: &mut B,
        weights: &Parameters<B::Buffer>,
        rows: &CachedRows<B::Indices>,
        cache: &mut Cache<B::Buffer>,
        scratch: &mut CachedScratch<B::Buffer>,
    ) -> Result<(), B::Error> {
        let (count, weights) = (rows.rows, &weights.0);
        let channels = self.config.hidden_size;
        let embedding = RowDims { rows: count, table_rows: self.config.vocab_size, channels };
        let table = self.weight(weights, self.layout.embedding);
        backend.gather_rows_forward(embedding, table, &rows.tokens, &mut scratch.stream)?;
        let dims =
            CacheDims { attention: self.attention_dims(), rows: count, slots: cache.slots, capacity: cache.capacity };
        for (&layer, [keys, values]) in self.layout.layers.iter().zip(&mut cache.layers) {
            self.qkv_cached(backend, weights, layer, rows, scratch)?;
            let CachedScratch { stream, normed, rstd, qkv, attended, gate_up, gated, room, .. } = scratch;
            backend.cache_append(dims, qkv, &rows.slots, &rows.positions, keys, values)?;
            backend.attention_cached(dims, qkv, &rows.slots, &rows.positions, keys, values, attended)?;
            let map = |tensor| Map::new(tensor, count);
            self.map_forward(backend, weights, map(layer.attention_out).adding(), attended, stream, room)?;
            let post_norm = self.weight(weights, layer.post_norm);
            backend.rms_norm_forward(self.norm_dims(count), stream, post_norm, normed, rstd)?;
            self.map_forward(backend, weights, map(layer.gate_up), normed, gate_up, room)?;
            let dims = SwigluDims { rows: count, channels: self.config.intermediate_size };
            backend.swiglu_forward(dims, gate_up, gated)?;
            self.map_forward(backend, weights, map(layer.down).adding(), gated, stream, room)?;
        }
        let CachedScratch { hidden, stream, rstd, .. } = scratch;
        let norm = self.weight(weights, self.layout.final_norm);
        backend.rms_norm_forward(self.norm_dims(count), stream, norm, hidden, rstd)
    }

    /// Queries, keys and values of the rows, normalised and rotated, into `scratch.qkv`.
    fn qkv_cached(
        &self,
        backend: &mut B,
        weights: &[B::Buffer],
        layer: LayerIndices,
        rows: &CachedRows<B::Indices>,
        scratch: &mut CachedScratch<B::Buffer>,
    ) -> Result<(), B::Error> {
        let count = rows.rows;
        let CachedScratch { stream, normed, rstd, raw_qkv, qkv, room, .. } = scratch;
        let input_norm = self.weight(weights, layer.input_norm);
        backend.rms_norm_forward(self.norm_dims(count), stream, input_norm, normed, rstd)?;
        let map = Map { bias: layer.qkv_bias, ..Map::new(layer.qkv, count) };
        match layer.qk_norms {
            Some(norms) => {
                self.map_forward(backend, weights, map, normed, raw_qkv, room)?;
                backend.copy(count * self.attention_dims().qkv_width(), raw_qkv, qkv)?;
                for (dims, norm) in self.qk_norm_dims(count).into_iter().zip(norms) {
                    backend.rms_norm_forward(dims, raw_qkv, self.weight(weights, norm), qkv, rstd)?;
                }
            }
            None => self.map_forward(backend, weights, map, normed, qkv, room)?,
        }
        backend.rope_forward(self.rope_dims(count), &rows.positions, &self.cos, &self.sin, qkv)
    }
}
