use core::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use aprm_models::aprm::collection::NothingCollected;
use aprm_models::aprm::config::SettingError;
use aprm_models::aprm::error::RunError;
use aprm_models::aprm::gsm8k_task::NoProblem;
use aprm_models::arithmetic::DistributionError;
use aprm_models::checkpoint::{LoadError, SaveError};
use aprm_models::config::ConfigError;
use aprm_models::data::RowError;
use aprm_models::tokenizer::AlphabetError;
use aprm_models::training_state::{OpenError, RestoreError, SaveStateError, StateError};

use crate::device::{DeviceError, NoDevice};
use crate::json_lines::JsonLinesError;
use crate::report::ReportError;

/// Why a run could not be made, or came to an end before its time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrainError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Toml { path: PathBuf, source: Box<toml::de::Error> },
    #[error("{}: {problem}", path.display())]
    Settings { path: PathBuf, problem: String },
    #[error("--set {set}: {problem}")]
    Set { set: String, problem: String },
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("arm {arm}: {error}")]
    ArmSetting { arm: String, error: SettingError },
    #[error("the problems: {0}")]
    Problems(#[from] DistributionError),
    #[error("the set {set}: {error}")]
    OfSet { set: &'static str, error: DistributionError },
    #[error("GSM8K: {0}")]
    Gsm8k(#[from] NoProblem),
    #[error(transparent)]
    Collection(#[from] NothingCollected),
    #[error(transparent)]
    DataRow(#[from] RowError),
    #[error("the model: {0}")]
    Model(#[from] ConfigError),
    #[error("{} is not empty; name another --out, or go on with --resume", .0.display())]
    Occupied(PathBuf),
    #[error("{} was begun with other settings; name another --out", .0.display())]
    OtherSettings(PathBuf),
    #[error(
        "{} was edited since the run began; put it back as {} has it, or begin another run", path.display(), copy.display()
    )]
    Edited { path: PathBuf, copy: PathBuf },
    #[error("{} has {found} problems where {expected} are expected; delete it to have them attempted anew", path.display())]
    Attempts { path: PathBuf, found: usize, expected: usize },
    #[error("{} is no run: it has no config.toml", .0.display())]
    NoRun(PathBuf),
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{}:{line}: {problem}", path.display())]
    Row { path: PathBuf, line: usize, problem: String },
    #[error(transparent)]
    Lines(#[from] JsonLinesError),
    #[error("{}: {source}; without this file the run is judged again", path.display())]
    Summary { path: PathBuf, source: serde_json::Error },
    #[error("the solver wrote no solution that could be labelled; train it longer, or raise labelling.problems")]
    NoSolutions,
    #[error("{} has another {what} than this run's settings say", path.display())]
    OtherModel { path: PathBuf, what: &'static str },
    #[error("cannot load {}", path.display())]
    Load { path: PathBuf, source: LoadError },
    #[error("cannot save {}", path.display())]
    Save { path: PathBuf, source: SaveError },
    #[error("the alphabet: {0}")]
    Alphabet(#[from] AlphabetError),
    #[error("the markers: {0}")]
    Markers(#[from] aprm_models::step_text::SetupError),
    #[error(transparent)]
    OpenStates(#[from] OpenError),
    #[error(transparent)]
    States(#[from] StateError),
    #[error("cannot save the state")]
    SaveState(#[from] SaveStateError),
    #[error("the state is not that of this run: {0}")]
    Restore(DeviceError),
    #[error(transparent)]
    Run(DeviceError),
    #[error("the device failed")]
    Device(#[source] DeviceError),
    #[error("the device failed; go on from the last state with --resume {0}, or --resume {0} --backend cpu", folder.display())]
    Stopped { folder: PathBuf, source: DeviceError },
    #[error(transparent)]
    NoDevice(#[from] NoDevice),
    #[error("the run was interrupted; go on with --resume {}", .0.display())]
    Interrupted(PathBuf),
    #[error("the study was interrupted; the same command goes on with what {} has", .0.display())]
    StudyInterrupted(PathBuf),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("cannot print")]
    Print(#[from] io::Error),
    #[error("cannot start threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl<E: Error + Send + Sync + 'static> From<RunError<E>> for TrainError {
    fn from(error: RunError<E>) -> Self {
        match error {
            RunError::Device(error) => Self::device(error),
            error => Self::Run(Box::new(error)),
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<RestoreError<E>> for TrainError {
    fn from(error: RestoreError<E>) -> Self {
        Self::Restore(Box::new(error))
    }
}

impl TrainError {
    pub(crate) fn device(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Device(Box::new(error))
    }

    /// Says where a run whose device failed can be gone on with.
    pub(crate) fn in_run(self, folder: &Path) -> Self {
        match self {
            Self::Device(source) => Self::Stopped { folder: folder.into(), source },
            error => error,
        }
    }

    /// 2 for bad input, 1 for work that failed.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Read { .. }
            | Self::Toml { .. }
            | Self::Settings { .. }
            | Self::Set { .. }
            | Self::Setting(_)
            | Self::ArmSetting { .. }
            | Self::Edited { .. }
            | Self::Attempts { .. }
            | Self::Problems(_)
            | Self::OfSet { .. }
            | Self::Gsm8k(_)
            | Self::DataRow(_)
            | Self::Model(_)
            | Self::Occupied(_)
            | Self::OtherSettings(_)
            | Self::NoRun(_)
            | Self::Row { .. }
            | Self::Lines(_)
            | Self::Summary { .. }
            | Self::Alphabet(_)
            | Self::OtherModel { .. }
            | Self::Load { .. }
            | Self::OpenStates(_)
            | Self::States(_)
            | Self::Restore(_)
            | Self::NoDevice(_) => 2,
            _ => 1,
        }
    }
}
