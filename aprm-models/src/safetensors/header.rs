use core::fmt;
use core::marker::PhantomData;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Dtype, ReadError};

/// The most tensors in a file.
pub const MAX_TENSORS: usize = 65_536;
/// The most axes of a tensor.
pub const MAX_RANK: usize = 8;
/// The most bytes of a tensor's name.
pub const MAX_NAME: usize = 256;

pub(super) const METADATA: &str = "__metadata__";

/// What the header says of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// The type of its entries.
    pub dtype: Dtype,
    /// Its axes, the slowest first; none for a single number.
    pub shape: Vec<u64>,
    /// Its first byte, and the one behind its last, counted from the header's end.
    pub data_offsets: [u64; 2],
}

/// What a file holds; whatever it says has been compared with the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The tensors by name.
    pub tensors: BTreeMap<String, TensorInfo>,
    /// Whatever the writer added.
    pub metadata: BTreeMap<String, String>,
}

impl Header {
    /// Reads the JSON of a header in front of so many bytes of data.
    ///
    /// # Errors
    /// [`ReadError`], naming the tensor or the field.
    pub fn parse(json: &[u8], data_len: u64) -> Result<Self, ReadError> {
        // Other than JSON's, the format's padding is spaces only, and behind the object only.
        let object = &json[..json.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1)];
        if !(object.starts_with(b"{") && object.ends_with(b"}")) {
            return Err(ReadError::HeaderFrame);
        }
        let entries: Entries<&RawValue> = serde_json::from_slice(object).map_err(ReadError::Header)?;
        let mut entries = entries.into_map().map_err(ReadError::Duplicate)?;
        let metadata = entries.remove(METADATA).map_or_else(|| Ok(BTreeMap::new()), parse_metadata)?;
        let mut tensors = BTreeMap::new();
        for (name, value) in entries {
            if !is_name(&name) {
                return Err(ReadError::Name(name.chars().take(MAX_NAME).collect()));
            }
            let info = parse_info(&name, value)?;
            tensors.insert(name, info);
        }
        check_tiling(&tensors, data_len)?;
        Ok(Self { tensors, metadata })
    }
}

pub(super) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain) && !name.contains("..")
}

/// The bytes of a tensor; axes of zero are left out of the product, so that their place among the others is no matter.
/// A shape whose product does not fit in the widest type fits in none: what is read in one type can be written in all.
pub(super) fn byte_len(dtype: Dtype, shape: &[u64]) -> Option<u64> {
    let axes = shape.iter().filter(|&&axis| axis != 0);
    let widest = axes.copied().try_fold(Dtype::F64.size(), u64::checked_mul)?;
    Some(if shape.contains(&0) { 0 } else { widest / Dtype::F64.size() * dtype.size() })
}

fn parse_metadata(value: &RawValue) -> Result<BTreeMap<String, String>, ReadError> {
    let in_metadata = |source| ReadError::Entry { tensor: METADATA.into(), source };
    serde_json::from_str::<Entries<String>>(value.get()).map_err(in_metadata)?.into_map().map_err(ReadError::Duplicate)
}

fn parse_info(name: &str, value: &RawValue) -> Result<TensorInfo, ReadError> {
    let of_tensor = |source| ReadError::Entry { tensor: name.into(), source };
    // A derived structure would be read from a list as well.
    if !value.get().starts_with('{') {
        return Err(of_tensor(Error::custom("expected an object")));
    }
    let Described { dtype, shape: Shape(shape), data_offsets: offsets } =
        serde_json::from_str(value.get()).map_err(of_tensor)?;
    let Some(bytes) = byte_len(dtype, &shape) else { return Err(ReadError::Overflow { tensor: name.into(), shape }) };
    if offsets[1].checked_sub(offsets[0]) != Some(bytes) {
        return Err(ReadError::Length { tensor: name.into(), offsets, bytes });
    }
    Ok(TensorInfo { dtype, shape, data_offsets: offsets })
}

/// Tensors in the order of their bytes follow each other without a hole or an overlap, from the first byte to the last.
fn check_tiling(tensors: &BTreeMap<String, TensorInfo>, data_len: u64) -> Result<(), ReadError> {
    let mut in_order: Vec<_> = tensors.iter().map(|(name, info)| (info.data_offsets, name)).collect();
    in_order.sort_unstable();
    let mut next = 0;
    for ([begin, end], tensor) in in_order {
        if begin != next {
            return Err(ReadError::Tiling { tensor: tensor.clone(), begin, expected: next });
        }
        next = end;
    }
    if next != data_len {
        return Err(ReadError::DataLength { described: next, present: data_len });
    }
    Ok(())
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    dtype: Dtype,
    shape: Shape,
    data_offsets: [u64; 2],
}

/// At most [`MAX_RANK`] axes.
struct Shape(Vec<u64>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Axes;
        impl<'de> Visitor<'de> for Axes {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MAX_RANK} axes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
                let mut shape = Vec::new();
                while let Some(axis) = list.next_element()? {
                    if shape.len() == MAX_RANK {
                        return Err(A::Error::custom(format_args!("more than {MAX_RANK} axes")));
                    }
                    shape.push(axis);
                }
                Ok(Shape(shape))
            }
        }
        deserializer.deserialize_seq(Axes)
    }
}

/// The entries of a JSON object as they stand: a map would keep the last of equal keys in silence.
pub(crate) struct Entries<V>(Vec<(String, V)>);

impl<V> Entries<V> {
    /// The entries by key, or a key that stands twice.
    pub(crate) fn into_map(self) -> Result<BTreeMap<String, V>, String> {
        let mut map = BTreeMap::new();
        for (key, value) in self.0 {
            match map.entry(key) {
                Entry::Vacant(entry) => _ = entry.insert(value),
                Entry::Occupied(entry) => return Err(entry.key().clone()),
            }
        }
        Ok(map)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Pairs<V> {
            type Value = Entries<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    // One more than the tensors, for the metadata.
                    if entries.len() > MAX_TENSORS {
                        return Err(A::Error::custom(format_args!("more than {MAX_TENSORS} entries")));
                    }
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}
