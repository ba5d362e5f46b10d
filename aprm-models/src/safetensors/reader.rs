use std::io::{BufReader, Read, Seek, SeekFrom};

use half::{bf16, f16};

use super::{Dtype, Header, ReadError, TensorInfo};

/// How much a reader believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The most bytes of a header; the format's own limit of 100 MB holds above this one.
    pub header_limit: u64,
    /// Whether NaN and infinity may be read.
    pub allow_non_finite: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { header_limit: 16 << 20, allow_non_finite: false }
    }
}

/// A file whose header has been read and checked; tensors are read one at a time.
///
/// ```
/// use std::io::Cursor;
/// use aprm_models::safetensors::{Options, Precision, SafeTensors, Tensor, write};
///
/// let mut file = Vec::new();
/// write(&mut file, Precision::BF16, &[Tensor { name: "w", shape: &[2, 2], entries: &[1.0, 0.1, -2.0, 0.0] }]).unwrap();
/// let mut file = SafeTensors::new(Cursor::new(file), Options::default()).unwrap();
/// assert_eq!(file.header().tensors["w"].shape, [2, 2]);
/// assert_eq!(file.read_f32("w").unwrap(), [1.0, 0.100_097_656, -2.0, 0.0]);
/// ```
#[derive(Debug)]
pub struct SafeTensors<R> {
    source: R,
    header: Header,
    data_start: u64,
    options: Options,
}

impl<R: Read + Seek> SafeTensors<R> {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// [`ReadError`], naming the tensor or the field.
    pub fn new(mut source: R, options: Options) -> Result<Self, ReadError> {
        let file_len = source.seek(SeekFrom::End(0))?;
        source.rewind()?;
        let mut first = Vec::with_capacity(8);
        source.by_ref().take(8).read_to_end(&mut first)?;
        let Ok(first) = first.try_into() else { return Err(ReadError::Truncated { end: 8, file_len }) };
        let (len, limit) = (u64::from_le_bytes(first), options.header_limit.min(100_000_000));
        if len > limit {
            return Err(foreign(first).map_or(ReadError::HeaderTooLong { len, limit }, ReadError::Foreign));
        }
        let data_start = 8 + len;
        let Some(data_len) = file_len.checked_sub(data_start) else {
            return Err(ReadError::Truncated { end: data_start, file_len });
        };
        let mut json = vec![0; len as usize];
        source.read_exact(&mut json)?;
        let header = Header::parse(&json, data_len)?;
        Ok(Self { source, header, data_start, options })
    }

    /// What the file holds.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The entries of a tensor of type F32, F16 or BF16.
    ///
    /// # Errors
    /// [`ReadError`], if there is no such tensor, its type would lose digits, or an entry is not finite.
    pub fn read_f32(&mut self, name: &str) -> Result<Vec<f32>, ReadError> {
        let entries = match self.dtype(name)? {
            Dtype::F32 => self.decode(name, f32::from_le_bytes),
            Dtype::F16 => self.decode(name, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::BF16 => self.decode(name, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            found => Err(ReadError::Type { tensor: name.into(), found, expected: "F32, F16 or BF16" }),
        }?;
        self.check_finite(name, entries.iter().map(|&entry| entry.into()))?;
        Ok(entries)
    }

    /// The entries of a tensor of any type of floats.
    ///
    /// # Errors
    /// As [`SafeTensors::read_f32`].
    pub fn read_f64(&mut self, name: &str) -> Result<Vec<f64>, ReadError> {
        let entries = match self.dtype(name)? {
            Dtype::F64 => self.decode(name, f64::from_le_bytes),
            _ => return Ok(self.read_f32(name)?.into_iter().map(f64::from).collect()),
        }?;
        self.check_finite(name, entries.iter().copied())?;
        Ok(entries)
    }

    /// The entries of a tensor of any type of integers.
    ///
    /// # Errors
    /// [`ReadError`], if there is no such tensor, or it holds floats.
    pub fn read_i64(&mut self, name: &str) -> Result<Vec<i64>, ReadError> {
        match self.dtype(name)? {
            Dtype::I64 => self.decode(name, i64::from_le_bytes),
            Dtype::I32 => self.decode(name, |bytes| i32::from_le_bytes(bytes).into()),
            Dtype::U32 => self.decode(name, |bytes| u32::from_le_bytes(bytes).into()),
            Dtype::U8 => self.decode(name, |bytes| u8::from_le_bytes(bytes).into()),
            found => Err(ReadError::Type { tensor: name.into(), found, expected: "I64, I32, U32 or U8" }),
        }
    }

    fn dtype(&self, name: &str) -> Result<Dtype, ReadError> {
        Ok(self.info(name)?.dtype)
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, ReadError> {
        self.header.tensors.get(name).ok_or_else(|| ReadError::NoTensor(name.into()))
    }

    /// The header has made sure that the tensor's bytes are whole entries that lie within the file.
    fn decode<T, const SIZE: usize>(
        &mut self,
        name: &str,
        entry: impl Fn([u8; SIZE]) -> T,
    ) -> Result<Vec<T>, ReadError> {
        let [begin, end] = self.info(name)?.data_offsets;
        let len = usize::try_from((end - begin) / SIZE as u64).map_err(|_| ReadError::TooLarge(name.into()))?;
        let mut entries = Vec::new();
        entries.try_reserve_exact(len).map_err(|_| ReadError::TooLarge(name.into()))?;
        self.source.seek(SeekFrom::Start(self.data_start + begin))?;
        let mut source = BufReader::with_capacity(1 << 16, &mut self.source);
        for _ in 0..len {
            let mut bytes = [0; SIZE];
            source.read_exact(&mut bytes)?;
            entries.push(entry(bytes));
        }
        Ok(entries)
    }

    fn check_finite(&self, name: &str, entries: impl Iterator<Item = f64>) -> Result<(), ReadError> {
        if self.options.allow_non_finite {
            return Ok(());
        }
        match entries.enumerate().find(|(_, value)| !value.is_finite()) {
            None => Ok(()),
            Some((index, value)) => Err(ReadError::NotFinite { tensor: name.into(), index, value }),
        }
    }
}

/// A format that begins otherwise; what any of these begin with is over the limit as a header's length.
fn foreign(first: [u8; 8]) -> Option<&'static str> {
    match &first {
        b"\x89HDF\r\n\x1a\n" => Some("HDF5"),
        b"version " => Some("a Git LFS pointer, whose file has not been fetched"),
        [b'G', b'G', b'U', b'F', ..] => Some("GGUF"),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Some("a NumPy array"),
        [b'P', b'K', 3, 4, ..] => Some("a zip archive, as PyTorch's .pt and .bin and NumPy's .npz are"),
        [0x80, 2..=5, ..] => Some("a Python pickle, as PyTorch's .pt and .bin are"),
        _ => None,
    }
}
