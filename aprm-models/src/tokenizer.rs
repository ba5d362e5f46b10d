//! From text to token ids and back.

mod characters;
mod folder;
#[cfg(feature = "tokenizers")]
mod hugging_face;

pub use characters::{Alphabet, AlphabetError, CharacterTokenizer, END_OF_TEXT, STEP_END};
pub use folder::{FolderError, load_tokenizer};
#[cfg(feature = "tokenizers")]
pub use hugging_face::{HuggingFaceError, HuggingFaceTokenizer};

/// A vocabulary, and how text is cut into it.
///
/// Text is only ever text: what reads like a special token in it is cut into ordinary tokens, so that no text can end a
/// step or a turn. Special tokens enter a sequence by [`Tokenizer::token_id`].
///
/// # For callers
/// Players of different tokenizers meet as text. A sequence of tokens belongs to one of them.
pub trait Tokenizer {
    /// The number of token ids; every id is below it.
    fn vocab_size(&self) -> usize;

    /// The token ids of a text, without any special tokens around them.
    ///
    /// # Errors
    /// [`EncodeError`], if the vocabulary has no tokens for it.
    fn encode(&self, text: &str) -> Result<Vec<u32>, EncodeError>;

    /// The text of token ids; a special token gives its name, an id beyond the vocabulary the character U+FFFD.
    fn decode(&self, ids: &[u32]) -> String;

    /// The id of the special token of this name, or else of the one token that this text is.
    ///
    /// # Errors
    /// [`NotOneToken`], if the text is no token or several: a marker of several tokens marks no position.
    fn token_id(&self, token: &str) -> Result<u32, NotOneToken>;

    /// The token that begins every sequence, if the model was trained with one.
    fn begin_of_text(&self) -> Option<u32> {
        None
    }

    /// The token that ends a text, if there is one.
    fn end_of_text(&self) -> Option<u32> {
        None
    }
}

/// Why a text has no token ids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A character is not in the alphabet.
    #[error("the character {character:?} at byte {offset} is not in the alphabet; train with it, or map it to <unk>")]
    Character {
        /// The first such character.
        character: char,
        /// Where it begins, in bytes from the text's beginning.
        offset: usize,
    },
    /// The tokenizer's own code gave up.
    #[error("the tokenizer failed: {0}")]
    Failed(String),
}

/// A text that should be one token and is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{token:?} is {tokens} tokens of this tokenizer instead of one, so it can mark no position; name another")]
pub struct NotOneToken {
    /// The text.
    pub token: String,
    /// How many tokens it is.
    pub tokens: usize,
}
