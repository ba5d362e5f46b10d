//! A file of settings, and where in it one stands.

use std::fs;
use std::path::{Path, PathBuf};

use aprm_models::aprm::config::{GameConfig, RunConfig, Strictness};
use aprm_models::aprm::labelled::Labels;
use serde::Deserialize;
use toml::de::{DeTable, DeValue, Deserializer, Error, ValueDeserializer};
use toml::{Spanned, Table};

use super::ARMS;
use crate::train::TrainError;

#[derive(Debug)]
pub(super) struct SettingsFile {
    path: PathBuf,
    text: String,
    pub(super) table: Table,
}

impl SettingsFile {
    pub(super) fn read(path: &Path) -> Result<Self, TrainError> {
        let text = fs::read_to_string(path).map_err(|source| TrainError::Read { path: path.into(), source })?;
        let parsed = text.parse();
        let table = parsed.map_err(|source| TrainError::Toml { path: path.into(), source: Box::new(source) })?;
        Ok(Self { path: path.into(), text, table })
    }

    pub(super) fn problem(&self, problem: String) -> TrainError {
        TrainError::Settings { path: self.path.clone(), problem }
    }

    /// What was refused of these settings laid over others, with the line, where the file alone shows it.
    pub(super) fn refused(&self, problem: String) -> TrainError {
        let is_it = |error: &Error| error.span().is_some() && problem.contains(error.message());
        match self.refusals().into_iter().find(is_it) {
            Some(mut source) => {
                source.set_input(Some(&self.text));
                TrainError::Toml { path: self.path.clone(), source: Box::new(source) }
            }
            None => self.problem(problem),
        }
    }

    /// What keeps it from being a run's settings, arms of these, or an arm.
    fn refusals(&self) -> Vec<Error> {
        let Ok(mut root) = DeTable::parse(&self.text) else { return Vec::new() };
        let mut refusals = refusals_of_arm(root.get_ref().clone());
        if let Some(DeValue::Table(arms)) = root.get_mut().remove(ARMS).map(|arms| arms.into_inner()) {
            for (_, arm) in arms {
                if let DeValue::Table(arm) = arm.into_inner() {
                    refusals.extend(refusals_of_arm(arm));
                }
            }
        }
        refusals.extend(RunConfig::deserialize(Deserializer::from(root)).err());
        refusals
    }

    /// A setting that makes no sense, if it stands here.
    pub(super) fn senseless(&self, keys: &[&str], problem: String) -> Option<TrainError> {
        let line = line_of(&self.text, keys)?;
        Some(TrainError::Row { path: self.path.clone(), line, problem })
    }
}

fn refusals_of_arm(mut arm: DeTable<'_>) -> Vec<Error> {
    let oracle =
        arm.remove("oracle").map(|oracle| Strictness::deserialize(ValueDeserializer::from(oracle)).map(|_| ()));
    let labels = arm.remove("labels").map(|labels| Labels::deserialize(ValueDeserializer::from(labels)).map(|_| ()));
    let game = GameConfig::deserialize(Deserializer::from(Spanned::new(0..0, arm))).map(|_| ());
    [oracle, labels, Some(game)].into_iter().flatten().filter_map(Result::err).collect()
}

/// The line, from one on, of the key that these lead to.
fn line_of(text: &str, keys: &[&str]) -> Option<usize> {
    let (last, outer) = keys.split_last()?;
    let mut table = DeTable::parse(text).ok()?.into_inner();
    for key in outer {
        let DeValue::Table(inner) = table.remove(*key)?.into_inner() else { return None };
        table = inner;
    }
    let (key, _) = table.get_key_value(*last)?;
    Some(1 + text[..key.span().start].matches('\n').count())
}
