//! Text to ids and back, and special tokens that text cannot forge.

mod characters;
#[cfg(feature = "tokenizers")]
mod hugging_face;
