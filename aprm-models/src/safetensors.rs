//! The safetensors format, read strictly and written deterministically.
//!
//! A file is a length in eight little-endian bytes, a JSON header of that length, and the tensors' bytes.
//! What is accepted is a strict subset of the [specification](https://github.com/huggingface/safetensors#format):
//!
//! | refused here | although |
//! |---|---|
//! | a header over 16 MiB, or over a limit of at most 100 MB that the caller sets | 100 MB are allowed |
//! | more than 65 536 tensors, more than 8 axes | no limit is named |
//! | names other than 1 to 256 of `A-Z a-z 0-9 _ . - /`, or with `..` in them | any string is allowed |
//! | a name or a metadata key that stands twice, a field that is not known | the reference reader takes the last |
//! | a type that is neither a plain float nor an integer of [`Dtype`] | there are more types |
//! | a shape whose axes, zeros left out, multiply to over 2⁶⁴ | the reference's answer depends on their order |
//! | NaN and infinity, unless the caller allows them | values are not looked at |
//!
//! Tensors tile the bytes behind the header exactly, so nothing can hide between or behind them.
//! A tensor with a zero axis owns no byte: it lies at a border of other tensors, which it may share.
//!
//! Nothing is mapped into memory, no length is believed before it is compared with the file's, and sums and products
//! are checked in `u64`, so 32-bit machines accept and refuse the same files.

mod dtype;
mod error;
mod float;
mod header;
mod reader;
mod writer;

pub use dtype::Dtype;
pub use error::ReadError;
pub use float::Float;
pub(crate) use header::Entries;
pub use header::{Header, MAX_NAME, MAX_RANK, MAX_TENSORS, TensorInfo};
pub use reader::{Options, SafeTensors};
pub use writer::{Precision, Tensor, WriteError, write, write_exact, write_mixed};
