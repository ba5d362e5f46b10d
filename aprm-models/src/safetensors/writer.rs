use core::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use half::{bf16, f16};

use super::header::{METADATA, byte_len, is_name};
use super::{Dtype, Float, MAX_RANK, MAX_TENSORS};

/// The type in which weights are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// Rounded to the nearest of 11 bits; weights of 65 520 and above do not fit.
    F16,
    /// Rounded to the nearest of 8 bits.
    BF16,
}

impl Precision {
    fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::BF16 => Dtype::BF16,
        }
    }
}

/// A tensor to be written.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a, T = f32> {
    /// Its name.
    pub name: &'a str,
    /// Its axes, the slowest first.
    pub shape: &'a [u64],
    /// Its entries in C order.
    pub entries: &'a [T],
}

/// Why tensors cannot be written: a reader with default options would refuse them.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The device or the operating system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// More tensors than a reader takes, or more axes.
    #[error("more than {MAX_TENSORS} tensors, or a tensor of more than {MAX_RANK} axes")]
    TooMany,
    /// No reader would take this name, or it stands twice.
    #[error("{0:?} is no tensor's name, or stands twice")]
    Name(String),
    /// A shape's product is not the number of entries.
    #[error("{0:?} has a shape that its entries do not fill exactly")]
    Shape(String),
    /// An entry is NaN or infinite in the type in which it is written.
    #[error("{tensor:?} is {value} at entry {index}, which is not finite in {dtype}")]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// The entry, counted over all axes.
        index: usize,
        /// The entry.
        value: f64,
        /// The type in which it would have been written.
        dtype: Dtype,
    },
}

/// Writes tensors in the order of their names, whatever order they come in: equal tensors give equal bytes.
///
/// # Errors
/// [`WriteError`]; all but the entries are checked before the first byte is written.
pub fn write(out: &mut impl Write, precision: Precision, tensors: &[Tensor<'_>]) -> Result<(), WriteError> {
    let tensors: Vec<_> = tensors.iter().map(|&tensor| (precision, tensor)).collect();
    write_mixed(out, &tensors)
}

/// Writes tensors of several types: those of larger entries first, so that all are aligned, then in the order of names.
///
/// # Errors
/// [`WriteError`]; all but the entries are checked before the first byte is written.
pub fn write_mixed(out: &mut impl Write, tensors: &[(Precision, Tensor<'_>)]) -> Result<(), WriteError> {
    let mut in_order: Vec<_> = tensors.iter().map(|&(precision, tensor)| (precision.dtype(), tensor)).collect();
    in_order.sort_unstable_by_key(|(dtype, tensor)| (Reverse(dtype.size()), tensor.name));
    write_header(out, &in_order)?;
    for (dtype, tensor) in in_order {
        match dtype {
            Dtype::F16 => write_entries(out, dtype, tensor, |x| {
                let x = f16::from_f32(x);
                (x.is_finite(), x.to_le_bytes())
            }),
            Dtype::BF16 => write_entries(out, dtype, tensor, |x| {
                let x = bf16::from_f32(x);
                (x.is_finite(), x.to_le_bytes())
            }),
            _ => write_entries(out, dtype, tensor, |x| (x.is_finite(), x.to_le_bytes())),
        }?;
    }
    Ok(())
}

/// Writes without rounding, numbers of 32 or 64 bits.
///
/// # Errors
/// As [`write()`].
pub fn write_exact<T: Float>(out: &mut impl Write, tensors: &[Tensor<'_, T>]) -> Result<(), WriteError> {
    let mut in_order: Vec<_> = tensors.iter().map(|&tensor| (T::DTYPE, tensor)).collect();
    in_order.sort_unstable_by_key(|(_, tensor)| tensor.name);
    write_header(out, &in_order)?;
    let mut tensors = in_order.into_iter();
    tensors.try_for_each(|(dtype, tensor)| write_entries(out, dtype, tensor, |x| (x.is_finite(), x.to_le_bytes())))
}

fn write_entries<T: Float, Bytes: AsRef<[u8]>>(
    out: &mut impl Write,
    dtype: Dtype,
    tensor: Tensor<'_, T>,
    convert: impl Fn(T) -> (bool, Bytes),
) -> Result<(), WriteError> {
    for (index, &value) in tensor.entries.iter().enumerate() {
        let (is_finite, bytes) = convert(value);
        if !is_finite {
            let (tensor, value) = (tensor.name.into(), value.widen());
            return Err(WriteError::NotFinite { tensor, index, value, dtype });
        }
        out.write_all(bytes.as_ref())?;
    }
    Ok(())
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Metadata { format: &'static str },
    Tensor { dtype: String, shape: &'a [u64], data_offsets: [u64; 2] },
}

fn write_header<T>(out: &mut impl Write, in_order: &[(Dtype, Tensor<'_, T>)]) -> Result<(), WriteError> {
    if in_order.len() > MAX_TENSORS || in_order.iter().any(|(_, tensor)| tensor.shape.len() > MAX_RANK) {
        return Err(WriteError::TooMany);
    }
    // transformers asks for this key.
    let mut entries = BTreeMap::from([(METADATA, Entry::Metadata { format: "pt" })]);
    let mut begin = 0;
    for &(dtype, Tensor { name, shape, entries: values }) in in_order {
        let end = match byte_len(dtype, shape) {
            Some(bytes) if bytes == values.len() as u64 * dtype.size() => begin + bytes,
            _ => return Err(WriteError::Shape(name.into())),
        };
        let entry = Entry::Tensor { dtype: dtype.to_string(), shape, data_offsets: [begin, end] };
        if !is_name(name) || entries.insert(name, entry).is_some() {
            return Err(WriteError::Name(name.into()));
        }
        begin = end;
    }
    let mut json = serde_json::to_vec(&entries).map_err(io::Error::from)?;
    // The data begin where entries of any type are aligned.
    json.resize(json.len().next_multiple_of(8), b' ');
    out.write_all(&(json.len() as u64).to_le_bytes())?;
    Ok(out.write_all(&json)?)
}
