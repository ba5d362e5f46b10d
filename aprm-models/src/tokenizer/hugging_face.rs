use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;

use serde::Deserialize;
use tokenizers::Tokenizer as Inner;

use super::{EncodeError, NotOneToken, Tokenizer};
use crate::checkpoint::{LoadError, PlainFolder};

const FILE: &str = "tokenizer.json";
const CONFIG: &str = "tokenizer_config.json";
/// Several times the largest that is published.
const FILE_LIMIT: u64 = 128 << 20;

/// The tokenizer of a Hugging Face folder: `tokenizer.json`, and `tokenizer_config.json` where there is one.
#[derive(Debug)]
pub struct HuggingFaceTokenizer {
    inner: Inner,
    vocab_size: usize,
    begin_of_text: Option<u32>,
    end_of_text: Option<u32>,
}

/// Why a folder's tokenizer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HuggingFaceError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] LoadError),
    /// `tokenizer.json` is not what such a file looks like.
    #[error("{FILE}: {0}")]
    Tokenizer(String),
    /// The tokenizers library panicked on `tokenizer.json`.
    #[error("{FILE}: no tokenizer can be made of it (the tokenizers library panicked)")]
    Panicked,
    /// `tokenizer_config.json` is not what such a file looks like.
    #[error("{CONFIG}: {0}")]
    Config(#[from] serde_json::Error),
    /// `tokenizer_config.json` names a token that `tokenizer.json` has not.
    #[error("{CONFIG} names {0:?}, which is no token of {FILE}")]
    NoSuchToken(String),
}

/// The fields of `tokenizer_config.json` that are read.
#[derive(Default, Deserialize)]
struct Config {
    bos_token: Option<Named>,
    eos_token: Option<Named>,
}

/// A token by its content, or with switches around it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Content(String),
    Added { content: String },
}

impl HuggingFaceTokenizer {
    /// Reads a folder.
    ///
    /// # Errors
    /// [`HuggingFaceError`].
    pub fn load(folder: &Path) -> Result<Self, HuggingFaceError> {
        let folder = PlainFolder(folder);
        let config = if folder.has(CONFIG) { Some(folder.read(CONFIG, 16 << 20)?) } else { None };
        Self::parse(&folder.read(FILE, FILE_LIMIT)?, config.as_deref())
    }

    /// Makes a tokenizer of the contents of `tokenizer.json` and `tokenizer_config.json`.
    ///
    /// A panic of the tokenizers library, which some files cause, is an error here.
    ///
    /// # Errors
    /// [`HuggingFaceError`].
    pub fn parse(json: &[u8], config: Option<&[u8]>) -> Result<Self, HuggingFaceError> {
        let config: Config = config.map(serde_json::from_slice).transpose()?.unwrap_or_default();
        let made = catch_unwind(|| {
            let mut inner = Inner::from_bytes(json)?;
            // Nothing may be cut off or filled up behind the caller's back, and text forges no special token.
            inner.with_truncation(None)?.with_padding(None).set_encode_special_tokens(true);
            let ids = inner.get_vocab(true);
            tokenizers::Result::Ok((inner, ids.into_values().max().map_or(0, |id| id as usize + 1)))
        });
        let made = made.map_err(|_| HuggingFaceError::Panicked)?;
        let (inner, vocab_size) = made.map_err(|error| HuggingFaceError::Tokenizer(error.to_string()))?;
        let id = |named: Option<Named>| match named {
            None => Ok(None),
            Some(Named::Content(content) | Named::Added { content }) => match inner.token_to_id(&content) {
                Some(id) => Ok(Some(id)),
                None => Err(HuggingFaceError::NoSuchToken(content)),
            },
        };
        let (begin_of_text, end_of_text) = (id(config.bos_token)?, id(config.eos_token)?);
        Ok(Self { inner, vocab_size, begin_of_text, end_of_text })
    }
}

impl Tokenizer for HuggingFaceTokenizer {
    fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
        match catch_unwind(AssertUnwindSafe(|| self.inner.encode_fast(text, false))) {
            Ok(Ok(encoding)) => Ok(encoding.get_ids().to_vec()),
            Ok(Err(error)) => Err(EncodeError::Failed(error.to_string())),
            Err(_) => Err(EncodeError::Failed("the tokenizers library panicked".into())),
        }
    }

    fn decode(&self, ids: &[u32]) -> String {
        match catch_unwind(AssertUnwindSafe(|| self.inner.decode(ids, false))) {
            Ok(Ok(text)) => text,
            _ => "\u{fffd}".into(),
        }
    }

    fn token_id(&self, token: &str) -> Result<u32, NotOneToken> {
        let is_special = self.inner.get_added_vocabulary().is_special_token(token);
        if let Some(id) = self.inner.token_to_id(token).filter(|_| is_special) {
            return Ok(id);
        }
        match self.encode(token).as_deref() {
            Ok(&[id]) => Ok(id),
            ids => Err(NotOneToken { token: token.into(), tokens: ids.map_or(0, <[u32]>::len) }),
        }
    }

    fn begin_of_text(&self) -> Option<u32> {
        self.begin_of_text
    }

    fn end_of_text(&self) -> Option<u32> {
        self.end_of_text
    }
}
