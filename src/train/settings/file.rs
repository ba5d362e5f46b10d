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

    /// What was refused of a run's settings, or of arms among them, with the line where this file alone shows it.
    pub(super) fn refused(&self, problem: String) -> TrainError {
        let Ok(mut root) = DeTable::parse(&self.text) else { return self.problem(problem) };
        let mut refusals = Vec::new();
        if let Some(DeValue::Table(arms)) = root.get_mut().remove(ARMS).map(Spanned::into_inner) {
            for (name, arm) in arms {
                if let (DeValue::Table(arm), true) =
                    (arm.into_inner(), problem.starts_with(&format!("{ARMS}.{}: ", name.get_ref())))
                {
                    refusals.extend(refusals_of_arm(arm));
                }
            }
        }
        refusals.extend(RunConfig::deserialize(Deserializer::from(root)).err());
        self.placed(refusals, problem)
    }

    /// The same of a file that is an arm.
    pub(super) fn refused_arm(&self, problem: String) -> TrainError {
        let root = DeTable::parse(&self.text).map(Spanned::into_inner);
        self.placed(root.map(refusals_of_arm).unwrap_or_default(), problem)
    }

    fn placed(&self, refusals: Vec<Error>, problem: String) -> TrainError {
        let is_it = |error: &&Error| problem.contains(error.message());
        let span = refusals.iter().find(is_it).and_then(Error::span).filter(|span| !span.is_empty());
        match span {
            Some(span) => TrainError::Row { path: self.path.clone(), line: line_at(&self.text, span.start), problem },
            None => self.problem(problem),
        }
    }

    /// A setting that makes no sense, if it stands here.
    pub(super) fn invalid(&self, keys: &[&str], problem: String) -> Option<TrainError> {
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
    Some(line_at(text, key.span().start))
}

fn line_at(text: &str, start: usize) -> usize {
    1 + text[..start].matches('\n').count()
}
