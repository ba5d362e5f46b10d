use std::io;

use super::{Dtype, MAX_NAME};

/// Why a file, or a tensor of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The device or the operating system failed, or the file shrank while it was read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is another format: of those that are mistaken for this one, some run code when they are opened.
    #[error("this is {0}, not safetensors; convert it where it is trusted")]
    Foreign(&'static str),
    /// It ends before its header does.
    #[error("the header should end at byte {end}, but the file has {file_len} bytes")]
    Truncated {
        /// Where the header ends.
        end: u64,
        /// The length of the file.
        file_len: u64,
    },
    /// The header is longer than is allowed.
    #[error("the header has {len} bytes, over the limit of {limit}")]
    HeaderTooLong {
        /// The header's length.
        len: u64,
        /// The limit.
        limit: u64,
    },
    /// The header is no JSON object of tensors, followed by spaces.
    #[error("the header cannot be parsed: {0}")]
    Header(serde_json::Error),
    /// The header begins with something else than `{` or ends with something else than `}` and spaces.
    #[error("the header is not one JSON object followed by spaces")]
    HeaderFrame,
    /// A name, or a key of the metadata, stands twice.
    #[error("{0:?} stands twice in the header")]
    Duplicate(String),
    /// A name is too long or has characters that no name needs.
    #[error("{0:?} is no tensor's name: expected 1 to {MAX_NAME} of A-Z a-z 0-9 _ . - / without \"..\"")]
    Name(String),
    /// The header describes a tensor in a way that is not known.
    #[error("{tensor:?}: {source}")]
    Entry {
        /// The tensor, or `__metadata__`.
        tensor: String,
        /// What is wrong with it, with line and column in its own JSON value.
        source: serde_json::Error,
    },
    /// A tensor's axes multiply to more than a file can hold.
    #[error("{tensor:?} has shape {shape:?}, which overflows")]
    Overflow {
        /// The tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<u64>,
    },
    /// A tensor's shape and its bytes are at odds.
    #[error("{tensor:?} has data_offsets {offsets:?}, but its shape and type take {bytes} bytes")]
    Length {
        /// The tensor.
        tensor: String,
        /// Its first byte, and the one behind its last, counted from the header's end.
        offsets: [u64; 2],
        /// The bytes that its shape and type take.
        bytes: u64,
    },
    /// A tensor does not begin where the one before it ends: there is a hole or an overlap.
    #[error("{tensor:?} begins at byte {begin} of the data, where byte {expected} is next")]
    Tiling {
        /// The tensor.
        tensor: String,
        /// Where it begins.
        begin: u64,
        /// Where it should.
        expected: u64,
    },
    /// The tensors end before or behind the end of the file.
    #[error("the tensors take {described} bytes, but the file has {present} behind its header")]
    DataLength {
        /// The bytes that the header describes.
        described: u64,
        /// The bytes that are there.
        present: u64,
    },
    /// No tensor has this name.
    #[error("there is no tensor {0:?}")]
    NoTensor(String),
    /// A tensor has a type from which what is asked for cannot be made without loss.
    #[error("{tensor:?} is {found}, where {expected} is expected")]
    Type {
        /// The tensor.
        tensor: String,
        /// Its type.
        found: Dtype,
        /// The types that would do.
        expected: &'static str,
    },
    /// A tensor is larger than this machine's memory can address.
    #[error("{0:?} does not fit into memory")]
    TooLarge(String),
    /// A tensor holds NaN or infinity.
    #[error("{tensor:?} is {value} at entry {index}; weights are expected to be finite")]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// The entry, counted over all axes.
        index: usize,
        /// NaN or an infinity.
        value: f64,
    },
}
