use std::fmt;

use serde::{Deserialize, Serialize};

use super::problem::LETTERS;
use super::{Distribution, Naming, Operator, TemplateSet};

/// How problems are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `a=16;b=2;c=a*b;d=c-a?`
    WordFree,
    /// In short sentences.
    Worded,
}

/// The distribution to train on, and those that depart from it in one respect each.
///
/// The ranges are our choice: what a character-level transformer of half a million parameters learns in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// As it is; of the presets, two to four steps over givens from 2 to 20, results from 1 to 99.
    InDistribution,
    /// One step more than the most.
    Longer,
    /// Givens to twice the most.
    LargerNumbers,
    /// At least one remainder, an operation that is never trained on.
    UnseenOperators,
    /// Sentences that are never trained on; worded whatever the form.
    UnseenTemplates,
    /// One or two givens that the question does not need.
    Distractors,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::InDistribution,
        Self::Longer,
        Self::LargerNumbers,
        Self::UnseenOperators,
        Self::UnseenTemplates,
        Self::Distractors,
    ];

    /// The distribution of this name.
    pub fn distribution(self, form: Form) -> Distribution {
        self.beside(&Distribution {
            steps: [2, 4],
            givens: [2, 20],
            results: [1, 99],
            operators: vec![Operator::Add, Operator::Subtract, Operator::Multiply, Operator::Divide],
            required_operators: Vec::new(),
            reuse: 0.3,
            independent_steps: false,
            distractors: [0, 0],
            inline: false,
            naming: Naming::FromA,
            letters: LETTERS.len(),
            templates: match form {
                Form::WordFree => Vec::new(),
                Form::Worded => TemplateSet::TRAINING.to_vec(),
            },
        })
    }

    /// What departs in this one respect from another distribution.
    pub fn beside(self, trained: &Distribution) -> Distribution {
        let trained = trained.clone();
        let [_, steps] = trained.steps;
        let [least_given, given] = trained.givens;
        match self {
            Self::InDistribution => trained,
            Self::Longer => Distribution { steps: [steps + 1; 2], ..trained },
            Self::LargerNumbers => Distribution { givens: [least_given, 2 * given], ..trained },
            Self::UnseenOperators => Distribution {
                operators: Operator::ALL.to_vec(),
                required_operators: vec![Operator::Remainder],
                ..trained
            },
            Self::UnseenTemplates => Distribution { templates: TemplateSet::HELD_OUT.to_vec(), ..trained },
            Self::Distractors => Distribution { distractors: [1, 2], ..trained },
        }
    }

    /// Its name, as in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::InDistribution => "in distribution",
            Self::Longer => "longer",
            Self::LargerNumbers => "larger numbers",
            Self::UnseenOperators => "unseen operators",
            Self::UnseenTemplates => "unseen templates",
            Self::Distractors => "distractors",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
