use core::fmt;

/// The type of a tensor's entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
#[expect(missing_docs, reason = "the names are those of the format")]
pub enum Dtype {
    F64,
    F32,
    F16,
    BF16,
    I64,
    I32,
    U32,
    U8,
}

impl Dtype {
    const ALL: [Self; 8] = [Self::F64, Self::F32, Self::F16, Self::BF16, Self::I64, Self::I32, Self::U32, Self::U8];

    /// Bytes of an entry.
    pub fn size(self) -> u64 {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::U8 => 1,
        }
    }

    /// Whether a model's weights may have this type: every entry is an `f32`.
    pub fn is_weight(self) -> bool {
        matches!(self, Self::F32 | Self::F16 | Self::BF16)
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl TryFrom<String> for Dtype {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|dtype| dtype.to_string() == name);
        known.ok_or_else(|| format!("dtype {name:?} is not one of {:?}", Self::ALL))
    }
}
