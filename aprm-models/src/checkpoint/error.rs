use core::fmt;
use std::io;

use crate::config::ConfigError;
use crate::safetensors::{Dtype, ReadError, WriteError};

/// Why a folder cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The operating system failed, or the file is not there.
    #[error("{file:?}: {source}")]
    Io {
        /// The file.
        file: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The index names a file otherwise than by a plain name that ends in `.safetensors`.
    #[error("the index names {0:?}, which is not a plain `NAME.safetensors` in the folder itself")]
    FileName(String),
    /// It is a link, a folder, a device or a pipe.
    #[error("{0:?} is not a regular file; links are resolved by copying the folder with `cp -rL`")]
    NotAFile(String),
    /// It is longer than such a file may be.
    #[error("{file:?} is longer than {limit} bytes")]
    TooLong {
        /// The file.
        file: String,
        /// The limit.
        limit: u64,
    },
    /// There is neither `model.safetensors` nor an index of its shards.
    #[error("there is no model.safetensors and no model.safetensors.index.json; pickled weights are not read")]
    NoWeights,
    /// There are both, and which of them is meant is not known.
    #[error("there are both model.safetensors and model.safetensors.index.json; remove the one that is not meant")]
    TwoWeights,
    /// The configuration cannot be used.
    #[error("config.json: {0}")]
    Config(#[from] ConfigError),
    /// The index is not what an index looks like.
    #[error("model.safetensors.index.json: {0}")]
    Index(serde_json::Error),
    /// The index names a tensor twice.
    #[error("model.safetensors.index.json: {0:?} stands twice")]
    IndexDuplicate(String),
    /// A tensor is not in the file in which the index has it, or is in one in which the index does not have it.
    #[error("the index and {file:?} disagree on whether {tensor:?} is in that file")]
    IndexDisagrees {
        /// The tensor.
        tensor: String,
        /// The shard.
        file: String,
    },
    /// A file of weights cannot be read.
    #[error("{file:?}: {source}")]
    Weights {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: ReadError,
    },
    /// The configuration has more layers than there are tensors.
    #[error("config.json has {layers} layers, but there are only {tensors} tensors")]
    Layers {
        /// Layers in the configuration.
        layers: usize,
        /// Tensors that are there.
        tensors: usize,
    },
    /// The tensors are not those of the layout.
    #[error("the tensors are not those of config.json: {0}")]
    Mismatch(#[from] Mismatch),
    /// The configuration ties the embeddings, but there is a different `lm_head.weight`.
    #[error("config.json ties lm_head.weight to model.embed_tokens.weight, but they differ")]
    NotTied,
}

/// All tensors that differ from a layout's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Tensors that the layout has and the checkpoint has not.
    pub missing: Vec<String>,
    /// Tensors that the checkpoint has and the layout has not.
    pub unexpected: Vec<String>,
    /// Tensors of another shape, or of a type that is not for weights.
    pub misshapen: Vec<Misshapen>,
}

/// A tensor of another shape than the layout's, or of a type that is not for weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen {
    /// The tensor.
    pub tensor: String,
    /// Its type.
    pub dtype: Dtype,
    /// Its shape.
    pub shape: Vec<u64>,
    /// The layout's shape.
    pub expected: Vec<u64>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let misshapen = self.misshapen.iter().map(|Misshapen { tensor, dtype, shape, expected }| {
            format!("{tensor} is {dtype} {shape:?} instead of F32, F16 or BF16 {expected:?}")
        });
        let missing = self.missing.iter().map(|tensor| format!("{tensor} is missing"));
        let unexpected = self.unexpected.iter().map(|tensor| format!("{tensor} is not expected"));
        f.write_str(&missing.chain(unexpected).chain(misshapen).collect::<Vec<_>>().join("; "))
    }
}

impl core::error::Error for Mismatch {}

/// Why a folder cannot be saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The operating system failed.
    #[error("{file:?}: {source}")]
    Io {
        /// The file.
        file: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The folder's `config.json` cannot be read, so it cannot be said to be of this model.
    #[error(transparent)]
    Config(LoadError),
    /// The folder is of another model.
    #[error("config.json is there already, and is of another model; save this one to a folder of its own")]
    OtherModel,
    /// The folder holds shards, which would stay beside the new weights.
    #[error("the folder holds the shards of a model; save this one to a folder of its own")]
    Sharded,
    /// The weights cannot be written so that they would be read again.
    #[error("model.safetensors: {0}")]
    Weights(#[from] WriteError),
}
