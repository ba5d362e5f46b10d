/// Where sequences begin in a batch of rows laid end to end.
#[derive(Debug)]
pub struct Ragged<'a, Indices> {
    /// The first row of each sequence, and the number of rows: `sequences + 1` entries, ascending.
    pub offsets: &'a Indices,
    /// How many sequences there are; some may be empty.
    pub sequences: usize,
    /// The last offset.
    pub rows: usize,
    /// The length of the longest sequence.
    pub longest: usize,
}

impl<Indices> Clone for Ragged<'_, Indices> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Indices> Copy for Ragged<'_, Indices> {}

/// Rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowDims {
    /// How many rows are gathered.
    pub rows: usize,
    /// How many rows the table has; every index is below it.
    pub table_rows: usize,
    /// Entries of a row.
    pub channels: usize,
}

/// A linear map of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearDims {
    /// How many rows are mapped.
    pub rows: usize,
    /// Entries of a row before.
    pub inputs: usize,
    /// Entries of a row after.
    pub outputs: usize,
    /// Whether the result is added to what is there.
    pub accumulate: bool,
}

/// Groups of channels that are normalised, within rows that may hold more.
///
/// Group g of row r begins at entry `r · stride + offset + g · channels`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormDims<T> {
    /// How many rows there are.
    pub rows: usize,
    /// Entries from one row to the next.
    pub stride: usize,
    /// Entries before the first group of a row.
    pub offset: usize,
    /// Groups in a row: 1, or the heads of a query or key norm.
    pub groups: usize,
    /// Entries of a group.
    pub channels: usize,
    /// ε.
    pub epsilon: T,
    /// Whether the backward pass adds to the gradient of the input that is there.
    pub accumulate: bool,
}

/// Heads that are rotated, at the beginning of rows that may hold more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RopeDims {
    /// How many rows there are.
    pub rows: usize,
    /// Entries from one row to the next.
    pub stride: usize,
    /// How many heads are rotated: those of queries and keys.
    pub heads: usize,
    /// Entries of a head; even.
    pub head_dim: usize,
}

/// Attention with grouped queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionDims {
    /// Query heads; a multiple of `kv_heads`.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Entries of a head.
    pub head_dim: usize,
}

impl AttentionDims {
    /// Entries of a row of queries, keys and values.
    pub const fn qkv_width(&self) -> usize {
        (self.heads + 2 * self.kv_heads) * self.head_dim
    }
}

/// Attention over a cache of keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheDims {
    /// The heads.
    pub attention: AttentionDims,
    /// How many rows are stored, or attend.
    pub rows: usize,
    /// How many sequences the cache has room for; every slot is below it.
    pub slots: usize,
    /// How many positions each slot has; every position is below it.
    pub capacity: usize,
}

/// A gated linear unit of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwigluDims {
    /// How many rows there are.
    pub rows: usize,
    /// Gates of a row, and as many ups.
    pub channels: usize,
}

/// Distributions over a vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VocabDims {
    /// How many distributions there are.
    pub rows: usize,
    /// Tokens of the vocabulary.
    pub vocab: usize,
}

/// Distributions over a few classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassDims {
    /// How many distributions there are.
    pub rows: usize,
    /// How many classes.
    pub classes: usize,
}
