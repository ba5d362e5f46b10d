use core::fmt;
use core::num::NonZeroUsize;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::manifest::Manifest;
use super::sums::{self, Hashing, SUMS};
use super::{OpenError, SaveStateError, StateError, StateTensor, TrainingState};
use crate::durable_file::Disk;
use crate::durable_folder::{self, FolderTree, PARTIAL};
use crate::safetensors::{Float, Options, SafeTensors, Tensor, WriteError, write_exact};

pub(super) const TENSORS: &str = "state.safetensors";
pub(super) const JSON: &str = "state.json";
const LOCK: &str = "states.lock";

/// A folder of states, to which one run at a time saves.
///
/// A state is a folder `save-SSSSSS-step-NNNNNNNN`: the newest is that of the highest save, so a run that goes on from an
/// older state, or saves twice at one step, overwrites nothing.
///
/// # Reference
/// Pillai et al. 2014, "All file systems are not created equal", for what a crash may leave.
#[derive(Debug)]
pub struct StateFolder<F = Disk> {
    folder: F,
    keep: NonZeroUsize,
    // Held until it is dropped, or the process dies.
    _lock: Option<File>,
}

/// A state, and where it comes from.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The state.
    pub state: TrainingState<T>,
    /// The folder's name.
    pub folder: String,
    /// Newer ones that are not whole, and why: to be shown to whoever runs this.
    pub rejected: Vec<Rejected>,
}

/// A saved state that is not believed.
#[derive(Debug)]
pub struct Rejected {
    /// The folder's name.
    pub folder: String,
    /// What is wrong with it.
    pub reason: Box<StateError>,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.folder, self.reason)
    }
}

impl StateFolder {
    /// Takes a folder for one run, and makes it if its parent is there; the newest `keep` states stay in it.
    ///
    /// # Errors
    /// [`OpenError`], if another run has taken it, or it cannot be written to.
    pub fn open(path: &Path, keep: NonZeroUsize) -> Result<Self, OpenError> {
        let failed = |file: &Path, source| OpenError::Io { file: file.display().to_string(), source };
        durable_folder::make(path).map_err(|error| failed(path, error))?;
        let lock_path = path.join(LOCK);
        let lock = File::create(&lock_path).map_err(|error| failed(&lock_path, error))?;
        // A process that another thread starts holds every lock of this one until it runs its own program.
        let mut patience = 20;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { folder: Disk(path.into()), keep, _lock: Some(lock) }),
                Err(TryLockError::WouldBlock) if patience > 0 => thread::sleep(Duration::from_millis(10)),
                Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(path.display().to_string())),
                Err(TryLockError::Error(error)) => return Err(failed(&lock_path, error)),
            }
            patience -= 1;
        }
    }
}

impl<F: FolderTree> StateFolder<F> {
    /// A folder of the host's, who sees to it that one run at a time saves to it.
    pub const fn unlocked(folder: F, keep: NonZeroUsize) -> Self {
        Self { folder, keep, _lock: None }
    }

    /// Saves a state, and returns its folder's name.
    ///
    /// Once this returns `Ok`, the state survives a power cut; before, and if it fails, the one before does.
    /// Then, and only then, states older than the newest few are removed; what a process left that died is removed first.
    ///
    /// # Errors
    /// [`SaveStateError`].
    pub fn save<T: Float>(&self, state: &TrainingState<T>) -> Result<String, SaveStateError> {
        let failed = |file: &str| {
            let file = file.to_owned();
            |source| SaveStateError::Io { file, source }
        };
        if let Some(name) = state.learners.keys().find(|name| !is_learner(name)) {
            return Err(SaveStateError::Learner(name.clone()));
        }
        let names = self.folder.names().map_err(failed("the folder of states"))?;
        for partial in names.iter().filter(|name| name.strip_suffix(PARTIAL).is_some_and(|name| save(name).is_some())) {
            self.folder.remove_folder(partial).map_err(failed(partial))?;
        }
        let number = names.iter().filter_map(|name| save(name.strip_suffix(PARTIAL).unwrap_or(name))).max();
        let name = format!("save-{:06}-step-{:08}", number.map_or(0, |number| number.saturating_add(1)), state.step);
        let mut lines = String::new();
        durable_folder::create(&self.folder, &name, &[TENSORS, JSON, SUMS], |file, out| {
            let mut hashing = Hashing::new(&mut *out);
            match file {
                TENSORS => write_tensors(&mut hashing, state)?,
                JSON => serde_json::to_writer_pretty(&mut hashing, &Manifest::of(state)).map_err(io::Error::from)?,
                _ => return Ok(out.write_all(lines.as_bytes())?),
            }
            lines += &hashing.line(file);
            Ok(())
        })
        .map_err(|(file, error)| {
            let file = if file.starts_with(&name) { file } else { format!("{name}/{file}") };
            match error {
                WriteError::Io(source) => SaveStateError::Io { file, source },
                source => SaveStateError::Tensors { file, source },
            }
        })?;
        let mut older: Vec<&String> = names.iter().filter(|name| save(name).is_some()).collect();
        older.sort_unstable_by_key(|name| save(name));
        for old in older.iter().rev().skip(self.keep.get() - 1) {
            durable_folder::remove(&self.folder, old).map_err(failed(old))?;
        }
        Ok(name)
    }

    /// The newest state that is whole, if any was saved.
    ///
    /// # Errors
    /// As [`load_newest`].
    pub fn load_newest<T: Float>(&self) -> Result<Option<Loaded<T>>, StateError> {
        load_newest(&self.folder)
    }
}

/// The newest state that is whole, if any was saved; nothing is changed, and no lock is needed.
///
/// # Errors
/// [`StateError::NoneWhole`], if there are states and none is whole, or the folder cannot be listed.
pub fn load_newest<T: Float, F: FolderTree>(folder: &F) -> Result<Option<Loaded<T>>, StateError> {
    let names = folder.names().map_err(|source| StateError::Io { file: "the folder of states".into(), source })?;
    let mut saves: Vec<String> = names.into_iter().filter(|name| save(name).is_some()).collect();
    saves.sort_unstable_by_key(|name| save(name));
    let mut rejected = Vec::new();
    for name in saves.into_iter().rev() {
        match load(&folder.at(&name)) {
            Ok(state) => return Ok(Some(Loaded { state, folder: name, rejected })),
            Err(reason) => rejected.push(Rejected { folder: name, reason: Box::new(reason) }),
        }
    }
    if rejected.is_empty() { Ok(None) } else { Err(StateError::NoneWhole(rejected)) }
}

fn load<T: Float, F: FolderTree>(folder: &F) -> Result<TrainingState<T>, StateError> {
    let failed = |file: &str| {
        let file = file.to_owned();
        |source| StateError::Io { file, source }
    };
    let mut sums = String::new();
    let opened = folder.open(SUMS).and_then(|file| file.take(1 << 10).read_to_string(&mut sums));
    opened.map_err(failed(SUMS))?;
    let lines: Vec<&str> = sums.split_inclusive('\n').collect();
    let [of_tensors, of_json] = lines[..] else { return Err(StateError::Sums) };
    let open = |file: &str, line: &str| {
        if !line.ends_with(&format!("  {file}\n")) {
            return Err(StateError::Sums);
        }
        let mut opened = folder.open(file).map_err(failed(file))?;
        let found = sums::line_of(file, &mut opened).and_then(|found| opened.rewind().map(|()| found));
        match found.map_err(failed(file))? == line {
            true => Ok(opened),
            false => Err(StateError::Digest { file: file.into() }),
        }
    };
    let mut json = Vec::new();
    open(JSON, of_json)?.read_to_end(&mut json).map_err(failed(JSON))?;
    let mut state = Manifest::parse::<T>(&json)?.into_state();
    let mut tensors = SafeTensors::new(open(TENSORS, of_tensors)?, Options::default())?;
    let infos: BTreeMap<_, _> = tensors.header().tensors.clone();
    for (name, info) in infos {
        let stray = || StateError::Stray(name.clone());
        let (learner, tensor) = name.split_once('/').ok_or_else(stray)?;
        let learner = state.learners.get_mut(learner).ok_or_else(stray)?;
        let entries = T::read(&mut tensors, &name)?;
        learner.tensors.insert(tensor.into(), StateTensor { shape: info.shape, entries });
    }
    Ok(state)
}

fn write_tensors<T: Float>(out: &mut impl Write, state: &TrainingState<T>) -> Result<(), WriteError> {
    let tensors = state.learners.iter().flat_map(|(learner, state)| {
        state.tensors.iter().map(move |(name, tensor)| (format!("{learner}/{name}"), tensor))
    });
    let tensors: Vec<_> = tensors.collect();
    let tensors: Vec<_> =
        tensors.iter().map(|(name, StateTensor { shape, entries })| Tensor { name, shape, entries }).collect();
    write_exact(out, &tensors)
}

/// The number of the save, if it is the name of a state's folder.
fn save(name: &str) -> Option<u64> {
    let (number, step) = name.strip_prefix("save-")?.split_once("-step-")?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(number) && digits(step) && !step.is_empty()).then(|| number.parse().ok())?
}

fn is_learner(name: &str) -> bool {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_plain && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
}
