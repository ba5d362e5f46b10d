use std::collections::BTreeMap;
use std::io::{self, Write};

use half::{bf16, f16};

use super::header::{METADATA, byte_len, is_name};
use super::{Dtype, MAX_RANK, MAX_TENSORS};

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
pub struct Tensor<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its axes, the slowest first.
    pub shape: &'a [u64],
    /// Its entries in C order.
    pub entries: &'a [f32],
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
    #[error("{tensor:?} is {value} at entry {index}, which is not finite in {precision:?}")]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// The entry, counted over all axes.
        index: usize,
        /// The entry.
        value: f32,
        /// The type in which it would have been written.
        precision: Precision,
    },
}

/// Writes tensors in the order of their names, whatever order they come in: equal tensors give equal bytes.
///
/// # Errors
/// [`WriteError`]; all but the entries are checked before the first byte is written.
pub fn write(out: &mut impl Write, precision: Precision, tensors: &[Tensor<'_>]) -> Result<(), WriteError> {
    let mut in_order = tensors.to_vec();
    in_order.sort_unstable_by_key(|tensor| tensor.name);
    let mut json = header(precision, &in_order)?;
    // The data begin where entries of any type are aligned.
    json.resize(json.len().next_multiple_of(8), b' ');
    out.write_all(&(json.len() as u64).to_le_bytes())?;
    out.write_all(&json)?;
    for tensor in in_order {
        match precision {
            Precision::F32 => write_entries(out, precision, tensor, |x| (x.is_finite(), x.to_le_bytes())),
            Precision::F16 => write_entries(out, precision, tensor, |x| {
                let x = f16::from_f32(x);
                (x.is_finite(), x.to_le_bytes())
            }),
            Precision::BF16 => write_entries(out, precision, tensor, |x| {
                let x = bf16::from_f32(x);
                (x.is_finite(), x.to_le_bytes())
            }),
        }?;
    }
    Ok(())
}

fn write_entries<const SIZE: usize>(
    out: &mut impl Write,
    precision: Precision,
    tensor: Tensor<'_>,
    convert: impl Fn(f32) -> (bool, [u8; SIZE]),
) -> Result<(), WriteError> {
    for (index, &value) in tensor.entries.iter().enumerate() {
        let (is_finite, bytes) = convert(value);
        if !is_finite {
            return Err(WriteError::NotFinite { tensor: tensor.name.into(), index, value, precision });
        }
        out.write_all(&bytes)?;
    }
    Ok(())
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Metadata { format: &'static str },
    Tensor { dtype: String, shape: &'a [u64], data_offsets: [u64; 2] },
}

fn header(precision: Precision, in_order: &[Tensor<'_>]) -> Result<Vec<u8>, WriteError> {
    if in_order.len() > MAX_TENSORS || in_order.iter().any(|tensor| tensor.shape.len() > MAX_RANK) {
        return Err(WriteError::TooMany);
    }
    // transformers asks for this key.
    let mut entries = BTreeMap::from([(METADATA, Entry::Metadata { format: "pt" })]);
    let dtype = precision.dtype();
    let mut begin = 0;
    for &Tensor { name, shape, entries: values } in in_order {
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
    Ok(serde_json::to_vec(&entries).map_err(io::Error::from)?)
}
