//! Settings: defaults, a file over them, flags over that; and what a run was begun with.

use std::fs;
use std::path::Path;

use aprm_models::aprm::config::RunConfig;
use aprm_models::durable_file::{Disk, replace};
use serde::Deserialize;
use std::io::Write;
use toml::{Table, Value};

use super::TrainError;

const FILE: &str = "config.toml";

/// The settings of a new run.
pub(crate) fn read(file: Option<&Path>, overrides: &[String], seed: Option<u64>) -> Result<RunConfig, TrainError> {
    let mut table = Table::try_from(RunConfig::default()).expect("settings are tables of plain values");
    if let Some(path) = file {
        merge(&mut table, read_table(path)?);
        let failed = |source| TrainError::Toml { path: path.into(), source: Box::new(source) };
        RunConfig::deserialize(table.clone()).map_err(failed)?;
    }
    for set in overrides {
        let failed = |problem: String| TrainError::Set { set: set.clone(), problem };
        let (key, value) = set.split_once('=').ok_or_else(|| failed("expected KEY=VALUE".into()))?;
        insert(&mut table, key, parsed(value)).map_err(failed)?;
        RunConfig::deserialize(table.clone()).map_err(|error| failed(error.message().into()))?;
    }
    let mut config = RunConfig::deserialize(table)
        .map_err(|source| TrainError::Toml { path: FILE.into(), source: source.into() })?;
    config.seed = seed.unwrap_or(config.seed);
    config.validate()?;
    Ok(config)
}

/// The settings that a run was begun with.
pub(crate) fn of_run(folder: &Path) -> Result<RunConfig, TrainError> {
    let path = folder.join(FILE);
    if !path.is_file() {
        return Err(TrainError::NoRun(folder.into()));
    }
    read(Some(&path), &[], None)
}

/// Takes an empty folder for a run and writes its settings into it.
pub(crate) fn begin(folder: &Path, config: &RunConfig) -> Result<(), TrainError> {
    let failed = |source| TrainError::Write { path: folder.into(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    if fs::read_dir(folder).map_err(failed)?.next().is_some() {
        return Err(TrainError::Occupied(folder.into()));
    }
    let written = replace(&Disk(folder.into()), FILE, |out| out.write_all(to_toml(config).as_bytes()));
    written.map_err(|source| TrainError::Write { path: folder.join(FILE), source })
}

pub(crate) fn to_toml(config: &RunConfig) -> String {
    toml::to_string(config).expect("settings are tables of plain values")
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

fn read_table(path: &Path) -> Result<Table, TrainError> {
    let text = fs::read_to_string(path).map_err(|source| TrainError::Read { path: path.into(), source })?;
    text.parse().map_err(|source| TrainError::Toml { path: path.into(), source: Box::new(source) })
}

/// A value as TOML has it, or else a text.
fn parsed(value: &str) -> Value {
    let read: Result<Table, _> = format!("x = {value}").parse();
    read.ok().and_then(|mut table| table.remove("x")).unwrap_or_else(|| Value::String(value.into()))
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
