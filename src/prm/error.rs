use core::error::Error;
use std::path::PathBuf;

use aprm_models::checkpoint::LoadError;
use aprm_models::config::Head;
use aprm_models::step_text::SetupError;
use aprm_models::tokenizer::FolderError;

use crate::device::{DeviceError, NoDevice};

/// Why a folder's model cannot score steps.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrmError {
    #[error("{} holds no model that can be loaded", path.display())]
    Model { path: PathBuf, source: LoadError },
    #[error("{} holds no tokenizer", path.display())]
    Tokenizer { path: PathBuf, source: FolderError },
    #[error("config.json does not say how steps are scored; choose --read-out: {choices}")]
    ReadOutInDoubt { choices: String },
    #[error("--read-out {asked} does not read this model's head; --read-out may be: {choices}")]
    OtherReadOut { asked: String, choices: String },
    #[error("no read-out reads the head {head:?}; `aprm score --logits` prints what it says")]
    NoReadOut { head: Head },
    #[error("the read-out cannot be used with this tokenizer")]
    Setup(#[from] SetupError),
    #[error("the read-out cannot be used with this model")]
    Scorer(#[source] DeviceError),
    #[error("the device failed")]
    Device(#[source] DeviceError),
    #[error(transparent)]
    NoDevice(#[from] NoDevice),
}

impl PrmError {
    pub(crate) fn device(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Device(Box::new(error))
    }
}
