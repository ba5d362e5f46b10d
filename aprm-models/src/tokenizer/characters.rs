use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{EncodeError, NotOneToken, Tokenizer};
use crate::checkpoint::{LoadError, PlainFolder};
use crate::durable_file::{Disk, replace};

/// The name of the special token that ends a text.
pub const END_OF_TEXT: &str = "<end>";
/// The name of the special token that ends a step.
pub const STEP_END: &str = "<step>";
/// The name of the special token that stands for characters outside the alphabet.
const UNKNOWN: &str = "<unk>";
pub(super) const FILE: &str = "characters.json";
const FILE_LIMIT: u64 = 1 << 16;

/// What a character tokenizer is made of; it is what `characters.json` holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alphabet {
    /// The characters, each one token: printable ASCII or newline, in the order of their ids from 0 on.
    pub characters: String,
    /// The names of special tokens beside [`END_OF_TEXT`] and [`STEP_END`].
    #[serde(default)]
    pub special_tokens: Vec<String>,
    /// Whether other characters become `<unk>` instead of an error.
    #[serde(default)]
    pub maps_unknown: bool,
}

/// Each character a token: the tokenizer of models that are trained from scratch.
///
/// Ids count the characters first, then `<end>`, `<step>`, the further special tokens and, where it exists, `<unk>`.
///
/// ```
/// use aprm_models::tokenizer::{Alphabet, CharacterTokenizer, STEP_END, Tokenizer};
///
/// let alphabet = Alphabet { characters: "0123456789+=".into(), ..Alphabet::default() };
/// let tokenizer = CharacterTokenizer::new(alphabet).unwrap();
/// assert_eq!(tokenizer.encode("1+2=3").unwrap(), [1, 10, 2, 11, 3]);
/// assert_eq!(tokenizer.token_id(STEP_END), Ok(13));
/// assert_eq!(tokenizer.decode(&[1, 11, 1, 13]), "1=1<step>");
/// assert!(tokenizer.encode("1-2").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharacterTokenizer {
    alphabet: Alphabet,
    /// The id of each ASCII character.
    ids: [Option<u8>; 128],
    /// In the order of their ids, which follow those of the characters.
    special_tokens: Vec<String>,
}

/// Why there is no such tokenizer.
#[derive(Debug, thiserror::Error)]
pub enum AlphabetError {
    /// The alphabet has no characters.
    #[error("the alphabet has no characters")]
    Empty,
    /// A character is neither printable ASCII nor a newline.
    #[error("the alphabet's character {0:?} is neither printable ASCII nor a newline")]
    Character(char),
    /// A character or a special token stands twice.
    #[error("{0:?} stands twice among the characters and special tokens")]
    Duplicate(String),
    /// A special token has no name.
    #[error("a special token is empty")]
    EmptySpecialToken,
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] LoadError),
    /// The file is not what such a file looks like.
    #[error("{FILE}: {0}")]
    Json(#[from] serde_json::Error),
}

impl CharacterTokenizer {
    /// Counts characters and special tokens.
    ///
    /// # Errors
    /// [`AlphabetError`], naming the character or the special token.
    pub fn new(alphabet: Alphabet) -> Result<Self, AlphabetError> {
        let mut ids = [None; 128];
        for (id, character) in alphabet.characters.chars().enumerate() {
            if !matches!(character, ' '..='~' | '\n') {
                return Err(AlphabetError::Character(character));
            }
            let stands_twice = ids[character as usize].replace(id as u8).is_some();
            if stands_twice {
                return Err(AlphabetError::Duplicate(character.into()));
            }
        }
        if alphabet.characters.is_empty() {
            return Err(AlphabetError::Empty);
        }
        let further = alphabet.special_tokens.iter().map(String::as_str);
        let unknown = alphabet.maps_unknown.then_some(UNKNOWN);
        let mut special_tokens: Vec<String> = Vec::new();
        for token in [END_OF_TEXT, STEP_END].into_iter().chain(further).chain(unknown) {
            let is_character = |token: &str| token.len() == 1 && alphabet.characters.contains(token);
            match token {
                "" => return Err(AlphabetError::EmptySpecialToken),
                token if is_character(token) || special_tokens.iter().any(|other| other == token) => {
                    return Err(AlphabetError::Duplicate(token.into()));
                }
                token => special_tokens.push(token.into()),
            }
        }
        Ok(Self { alphabet, ids, special_tokens })
    }

    /// Reads `characters.json` of a model's folder.
    ///
    /// # Errors
    /// [`AlphabetError`].
    pub fn load(folder: &Path) -> Result<Self, AlphabetError> {
        Self::new(serde_json::from_slice(&PlainFolder(folder).read(FILE, FILE_LIMIT)?)?)
    }

    /// Writes `characters.json` into a model's folder, as [`replace`] does.
    ///
    /// # Errors
    /// Whatever the operating system reports.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        let json = serde_json::to_string_pretty(&self.alphabet)?;
        replace(&Disk(folder.into()), FILE, |out| writeln!(out, "{json}"))
    }

    /// What it is made of.
    pub fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }

    fn special_id(&self, token: &str) -> Option<u32> {
        let index = self.special_tokens.iter().position(|other| other == token)?;
        Some((self.alphabet.characters.len() + index) as u32)
    }
}

impl Tokenizer for CharacterTokenizer {
    fn vocab_size(&self) -> usize {
        self.alphabet.characters.len() + self.special_tokens.len()
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
        let unknown = self.alphabet.maps_unknown.then(|| self.special_id(UNKNOWN)).flatten();
        let id = |character| self.ids.get(character as usize).copied().flatten().map(u32::from).or(unknown);
        let encode = |(offset, character)| id(character).ok_or(EncodeError::Character { character, offset });
        text.char_indices().map(encode).collect()
    }

    fn decode(&self, ids: &[u32]) -> String {
        let characters = self.alphabet.characters.as_bytes();
        ids.iter().fold(String::new(), |mut text, &id| {
            let id = id as usize;
            let written = match (characters.get(id), id.checked_sub(characters.len())) {
                (Some(&character), _) => text.write_char(character.into()),
                (None, special) => {
                    let name = special.and_then(|special| self.special_tokens.get(special));
                    text.write_str(name.map_or("\u{fffd}", String::as_str))
                }
            };
            written.expect("a string takes whatever is written");
            text
        })
    }

    fn token_id(&self, token: &str) -> Result<u32, NotOneToken> {
        if let Some(id) = self.special_id(token) {
            return Ok(id);
        }
        match self.encode(token).as_deref() {
            Ok(&[id]) if (id as usize) < self.alphabet.characters.len() => Ok(id),
            ids => Err(NotOneToken { token: token.into(), tokens: ids.map_or(0, <[u32]>::len) }),
        }
    }

    fn end_of_text(&self) -> Option<u32> {
        self.special_id(END_OF_TEXT)
    }
}
