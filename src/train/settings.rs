//! Settings: defaults, a file over them, flags over that; and what a run was begun with.

mod file;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use aprm_models::aprm::config::{GameConfig, RunConfig, SettingError, Strictness};
use aprm_models::aprm::labelled::Labels;
use aprm_models::durable_file::{Disk, replace};
use serde::Deserialize;
use toml::{Table, Value};

use super::TrainError;
use super::summary::LIKELIHOOD;
use file::SettingsFile;

pub(crate) const FILE: &str = "config.toml";
/// Where a copy of it lies, by which it is seen whether it was edited.
const COPY: &str = "states";
const ARMS: &str = "arms";
/// Folders and rows of a run that are no arm's.
const RESERVED: [&str; 8] =
    ["attempts", "base", "generator-0", "labelled", LIKELIHOOD, "solver", "states", "verifier-0"];

/// A run, and the arms that it ends in.
pub(crate) struct Settings {
    pub(crate) run: RunConfig,
    pub(crate) arms: Vec<Arm>,
    /// The arms as they were written.
    written: Table,
}

/// A reward model that is trained from the common beginning.
#[derive(Clone, Debug)]
pub(crate) struct Arm {
    pub(crate) name: String,
    /// What its oracle lets pass; solvers are judged by the run's.
    pub(crate) oracle: Strictness,
    /// What labels its steps, where that is no oracle.
    pub(crate) labels: Option<Labels>,
    pub(crate) game: GameConfig,
}

/// The settings of a new run.
pub(crate) fn read(file: Option<&Path>, overrides: &[String], seed: Option<u64>) -> Result<Settings, TrainError> {
    read_with(file, None, overrides, seed)
}

/// Arms from files of their own, named after them.
pub(crate) struct Arms {
    pub(crate) table: Table,
    files: BTreeMap<String, SettingsFile>,
}

impl Arms {
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, TrainError> {
        let mut arms = Self { table: Table::new(), files: BTreeMap::new() };
        for path in paths {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            let file = SettingsFile::read(path)?;
            if arms.table.contains_key(&name) {
                return Err(file.problem(format!("a second arm of the name {name}")));
            }
            arms.table.insert(name.clone(), Value::Table(file.table.clone()));
            arms.files.insert(name, file);
        }
        Ok(arms)
    }
}

/// The same with arms that stand in the place of any others.
pub(crate) fn read_with(
    path: Option<&Path>,
    arms: Option<&Arms>,
    overrides: &[String],
    seed: Option<u64>,
) -> Result<Settings, TrainError> {
    let mut table = defaults();
    let file = path.map(SettingsFile::read).transpose()?;
    if let Some(file) = &file {
        if arms.is_some() && file.table.contains_key(ARMS) {
            return Err(file.problem(format!("the arms of a study are files of their own, not [{ARMS}]")));
        }
        lay(&mut table, file.table.clone());
        Settings::of(table.clone()).map_err(|problem| file.refused(problem))?;
    }
    if let Some(arms) = arms {
        // One by one, so that it is seen whose file is refused.
        table.insert(ARMS.into(), Value::Table(Table::new()));
        for (name, file) in &arms.files {
            let so_far = table.get_mut(ARMS).and_then(Value::as_table_mut).expect("it is there");
            so_far.insert(name.clone(), Value::Table(file.table.clone()));
            Settings::of(table.clone()).map_err(|problem| file.refused_arm(problem))?;
        }
    }
    for set in overrides {
        let failed = |problem: String| TrainError::Set { set: set.clone(), problem };
        let (key, value) = set.split_once('=').ok_or_else(|| failed("expected KEY=VALUE".into()))?;
        let is_new =
            |arm: &str| arms.is_some_and(|arms| !arms.table.contains_key(arm.split('.').next().unwrap_or(arm)));
        if arms.is_some() && key == ARMS || key.strip_prefix("arms.").is_some_and(is_new) {
            return Err(failed("the study has no such arm: give it a file of its own".into()));
        }
        insert(&mut table, key, parsed(value)).map_err(failed)?;
        Settings::of(table.clone()).map_err(failed)?;
    }
    let failed = |problem| TrainError::Settings { path: FILE.into(), problem };
    let mut settings = Settings::of(table).map_err(failed)?;
    settings.run.seed = seed.unwrap_or(settings.run.seed);
    let written = Written { overrides, arms, file: file.as_ref() };
    settings.run.validate().map_err(|error| written.invalid(None, error))?;
    for arm in &settings.arms {
        let whole = RunConfig { game: arm.game.clone(), ..settings.run.clone() };
        whole.validate().map_err(|error| written.invalid(Some(&arm.name), error))?;
    }
    Ok(settings)
}

/// Where settings were written, the last word first.
struct Written<'a> {
    overrides: &'a [String],
    arms: Option<&'a Arms>,
    file: Option<&'a SettingsFile>,
}

impl Written<'_> {
    /// What makes no sense, of an arm or the run, with the place where it was written.
    fn invalid(&self, arm: Option<&str>, error: SettingError) -> TrainError {
        let of_run: Vec<&str> = error.setting.split('.').collect();
        let of_arm = arm.map(|arm| [&[ARMS, arm], &of_run[1..]].concat());
        let problem = error.to_string();
        for keys in of_arm.iter().chain([&of_run]) {
            let (key, within) = (keys.join("."), |outer: &str| format!("{outer}."));
            let is_set = |set: &&String| {
                let set = set.split('=').next().unwrap_or_default();
                set == key || key.starts_with(&within(set)) || set.starts_with(&within(&key))
            };
            if let Some(set) = self.overrides.iter().rev().find(is_set) {
                return TrainError::Set { set: set.clone(), problem };
            }
            let of_file = match (self.arms, &keys[..]) {
                (Some(arms), [ARMS, arm, keys @ ..]) => arms.files.get(*arm).map(|file| (file, keys)),
                _ => self.file.map(|file| (file, &keys[..])),
            };
            if let Some(error) = of_file.and_then(|(file, keys)| file.invalid(keys, problem.clone())) {
                return error;
            }
        }
        match arm {
            None => TrainError::Setting(error),
            Some(arm) => TrainError::ArmSetting { arm: arm.into(), error },
        }
    }
}

impl Settings {
    fn of(mut table: Table) -> Result<Self, String> {
        let written = match table.remove(ARMS) {
            Some(Value::Table(arms)) => arms,
            _ => return Err(format!("{ARMS} is no table")),
        };
        let game = table.get("game").and_then(Value::as_table).cloned().unwrap_or_default();
        let run = RunConfig::deserialize(table).map_err(|error| error.to_string().trim_end().replace('\n', ", "))?;
        let arms = written.iter().map(|(name, arm)| {
            let in_arm = |problem: &str| format!("{ARMS}.{name}: {problem}");
            let mut arm = arm.as_table().ok_or_else(|| in_arm("expected a table"))?.clone();
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_name) || RESERVED.contains(&&name[..]) {
                return Err(in_arm("a name is of letters, digits, - and _, and none that the run itself uses"));
            }
            let of_arm = |error: toml::de::Error| in_arm(error.message());
            let oracle = arm.remove("oracle").map(Strictness::deserialize).transpose().map_err(of_arm)?;
            let labels = arm.remove("labels").map(Labels::deserialize).transpose().map_err(of_arm)?;
            let mut settings = game.clone();
            merge(&mut settings, arm);
            let game = GameConfig::deserialize(settings).map_err(of_arm)?;
            Ok(Arm { name: name.clone(), oracle: oracle.unwrap_or(run.oracle), labels, game })
        });
        let arms = arms.collect::<Result<Vec<_>, String>>()?;
        if arms.is_empty() { Err(format!("{ARMS} is empty")) } else { Ok(Self { run, arms, written }) }
    }

    /// Takes over the arms of a run that has begun; whether these are its settings, but for arms that one of them lacks.
    pub(crate) fn extend(&mut self, begun: &Self) -> bool {
        let is_same = self.run == begun.run
            && begun.written.iter().all(|(name, arm)| self.written.get(name).is_none_or(|written| written == arm));
        for (name, arm) in &begun.written {
            self.written.entry(name.clone()).or_insert_with(|| arm.clone());
        }
        is_same
    }

    /// Writes them into the folder of their run.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), TrainError> {
        let write = |folder: &Path| {
            let written = replace(&Disk(folder.into()), FILE, |out| out.write_all(self.to_toml().as_bytes()));
            written.map_err(|source| TrainError::Write { path: folder.join(FILE), source })
        };
        // The copy comes second: a folder with anything in it is a run's.
        write(folder)?;
        let copy = folder.join(COPY);
        fs::create_dir_all(&copy).map_err(|source| TrainError::Write { path: copy.clone(), source })?;
        write(&copy)
    }

    pub(crate) fn to_toml(&self) -> String {
        let mut table = Table::try_from(&self.run).expect("settings are tables of plain values");
        table.insert(ARMS.into(), Value::Table(self.written.clone()));
        toml::to_string(&table).expect("settings are tables of plain values")
    }
}

/// The settings that a run was begun with.
pub(crate) fn of_run(folder: &Path) -> Result<Settings, TrainError> {
    let path = folder.join(FILE);
    if !path.is_file() {
        return Err(TrainError::NoRun(folder.into()));
    }
    read(Some(&path), &[], None)
}

/// The same, if nobody has edited them since.
pub(crate) fn of_unedited_run(folder: &Path) -> Result<Settings, TrainError> {
    let (settings, copy) = (of_run(folder)?, folder.join(COPY).join(FILE));
    if copy.is_file() && read(Some(&copy), &[], None)?.to_toml() != settings.to_toml() {
        return Err(TrainError::Edited { path: folder.join(FILE), copy });
    }
    Ok(settings)
}

/// Takes an empty folder for a run.
pub(crate) fn occupy(folder: &Path) -> Result<(), TrainError> {
    let failed = |source| TrainError::Write { path: folder.into(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    if fs::read_dir(folder).map_err(failed)?.next().is_some() {
        return Err(TrainError::Occupied(folder.into()));
    }
    Ok(())
}

/// The defaults, and two arms: a PRM that learns from fixed errors, and APRM's.
fn defaults() -> Table {
    let mut table = Table::try_from(RunConfig::default()).expect("settings are tables of plain values");
    let arms: Table = "[static]\nadversary = \"rules\"\n[aprm]\n".parse().expect("two tables");
    table.insert(ARMS.into(), Value::Table(arms));
    table
}

/// Lays a file's settings over others; its arms, if it names any, are all there are.
fn lay(under: &mut Table, over: Table) {
    if over.contains_key(ARMS) {
        under.remove(ARMS);
    }
    merge(under, over);
}

/// Lays one table over another; what is a table in both is merged.
fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// A value as TOML has it, or else a text.
fn parsed(value: &str) -> Value {
    let read: Result<Table, _> = format!("x = {value}").parse();
    let alone = read.ok().filter(|table| table.len() == 1);
    alone.and_then(|mut table| table.remove("x")).unwrap_or_else(|| Value::String(value.into()))
}

fn insert(table: &mut Table, key: &str, value: Value) -> Result<(), String> {
    match key.split_once('.') {
        None => {
            table.insert(key.into(), value);
            Ok(())
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            insert(inner.as_table_mut().ok_or_else(|| format!("{first} is no table"))?, rest, value)
        }
    }
}
