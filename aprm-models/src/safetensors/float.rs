use std::io::{Read, Seek};

use aprm_core::scalar::Scalar;

use super::{Dtype, ReadError, SafeTensors};

/// A number type whose bits a file holds as they are.
pub trait Float: Scalar {
    /// What the format calls it.
    const DTYPE: Dtype;
    /// The bytes of an entry.
    type Bytes: AsRef<[u8]>;

    /// The bytes of an entry, least significant first.
    fn to_le_bytes(self) -> Self::Bytes;

    /// The entries of a tensor of this very type.
    ///
    /// # Errors
    /// [`ReadError`], if there is no such tensor, its type is another, or an entry is not finite.
    fn read<R: Read + Seek>(file: &mut SafeTensors<R>, name: &str) -> Result<Vec<Self>, ReadError>;
}

impl Float for f32 {
    const DTYPE: Dtype = Dtype::F32;
    type Bytes = [u8; 4];

    fn to_le_bytes(self) -> [u8; 4] {
        f32::to_le_bytes(self)
    }

    fn read<R: Read + Seek>(file: &mut SafeTensors<R>, name: &str) -> Result<Vec<f32>, ReadError> {
        check(file, name, Self::DTYPE, "F32")?;
        file.read_f32(name)
    }
}

impl Float for f64 {
    const DTYPE: Dtype = Dtype::F64;
    type Bytes = [u8; 8];

    fn to_le_bytes(self) -> [u8; 8] {
        f64::to_le_bytes(self)
    }

    fn read<R: Read + Seek>(file: &mut SafeTensors<R>, name: &str) -> Result<Vec<f64>, ReadError> {
        check(file, name, Self::DTYPE, "F64")?;
        file.read_f64(name)
    }
}

fn check<R>(file: &SafeTensors<R>, name: &str, dtype: Dtype, expected: &'static str) -> Result<(), ReadError>
where
    R: Read + Seek,
{
    match file.header().tensors.get(name) {
        Some(info) if info.dtype != dtype => Err(ReadError::Type { tensor: name.into(), found: info.dtype, expected }),
        _ => Ok(()),
    }
}
