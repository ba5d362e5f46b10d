use std::path::Path;

use super::characters::FILE as CHARACTERS;
use super::{AlphabetError, CharacterTokenizer, Tokenizer};
use crate::checkpoint::PlainFolder;

const HUGGING_FACE: &str = "tokenizer.json";

/// Why a folder has no tokenizer.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is neither file.
    #[error("there is no {HUGGING_FACE} and no {CHARACTERS}, so text cannot be cut into this model's tokens")]
    None,
    /// There are both, and which of them is meant is not known.
    #[error("there are both {HUGGING_FACE} and {CHARACTERS}; remove the one that is not meant")]
    Two,
    /// The alphabet cannot be used.
    #[error(transparent)]
    Characters(#[from] AlphabetError),
    /// The tokenizer cannot be used.
    #[cfg(feature = "tokenizers")]
    #[error(transparent)]
    HuggingFace(#[from] super::HuggingFaceError),
    /// The file is there, but what reads it is not built in.
    #[cfg(not(feature = "tokenizers"))]
    #[error("{HUGGING_FACE} is read with the feature `tokenizers` of aprm-models, which is not built in")]
    NotBuilt,
}

/// Reads the tokenizer of a model's folder, whichever it has.
///
/// # Errors
/// [`FolderError`].
pub fn load_tokenizer(folder: &Path) -> Result<Box<dyn Tokenizer>, FolderError> {
    let plain = PlainFolder(folder);
    match (plain.has(HUGGING_FACE), plain.has(CHARACTERS)) {
        (true, true) => Err(FolderError::Two),
        (false, false) => Err(FolderError::None),
        (false, true) => Ok(Box::new(CharacterTokenizer::load(folder)?)),
        #[cfg(feature = "tokenizers")]
        (true, false) => Ok(Box::new(super::HuggingFaceTokenizer::load(folder)?)),
        #[cfg(not(feature = "tokenizers"))]
        (true, false) => Err(FolderError::NotBuilt),
    }
}
