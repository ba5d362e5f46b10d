use core::fmt;

use crate::read_out::ReadOut;
use crate::tokenizer::{EncodeError, NotOneToken};

/// Why a convention cannot be used with a tokenizer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A marker is not one token.
    #[error(transparent)]
    NotOneToken(#[from] NotOneToken),
    /// A separator cannot be encoded.
    #[error("the separator: {0}")]
    Separator(EncodeError),
    /// A separator is no token at all.
    #[error("the separator is empty, so no token is left to judge a step at")]
    NoSeparator,
    /// Behind two newlines the answer is not the token that it is alone, or nothing stands before it.
    #[error(
        "{0:?} is not a token of its own behind two newlines, where the assistant answers; name another good token"
    )]
    Answer(String),
    /// The convention begins with a token that the tokenizer does not name.
    #[error("{0:?} begins with the tokenizer's bos_token, and tokenizer_config.json names none")]
    NoBeginOfText(ReadOut),
    /// An option is given that the convention does not have.
    #[error("{read_out:?} has no {option} to choose")]
    NoUse {
        /// The option.
        option: &'static str,
        /// The convention.
        read_out: ReadOut,
    },
}

/// Where in a solution something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the prompt, or in what a convention puts around it.
    Prompt,
    /// In this step, counted from zero.
    Step(usize),
    /// In prompt and steps together.
    Solution,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt => f.write_str("the prompt"),
            Self::Step(step) => write!(f, "step {step}"),
            Self::Solution => f.write_str("the prompt with its steps"),
        }
    }
}

/// Why a prompt and steps cannot be encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepTextError {
    /// There are no steps.
    #[error("there are no steps")]
    NoSteps,
    /// A text has no token ids.
    #[error("{place}: {source}")]
    Encode {
        /// Which text.
        place: Place,
        /// What is wrong with it.
        source: EncodeError,
    },
    /// A step has no tokens, so there is none to judge it at.
    #[error("step {0} is empty")]
    EmptyStep(usize),
    /// Not as many markers are found as there are steps.
    #[error(
        "the marker is found {found} times for {steps} steps; either a text holds it, or it is another token \
         behind a space than alone, so name it as it stands in the text, with the space"
    )]
    Markers {
        /// How many steps there are.
        steps: usize,
        /// How many markers are found.
        found: usize,
    },
}
