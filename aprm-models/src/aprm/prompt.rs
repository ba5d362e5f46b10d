//! The texts that the players read, as token ids.

use super::lesson::Deviation;
use crate::arithmetic::ErrorKind;
use crate::read_out::ReadOut;
use crate::step_text::{MarkedIds, MarkerOptions, SetupError, StepText, StepTextError};
use crate::tokenizer::{EncodeError, NotOneToken, STEP_END, Tokenizer};

/// The name of the special token after which the generator writes.
pub const REWRITE: &str = "<rewrite>";

/// The special tokens that a tokenizer of players has beside its own: [`REWRITE`], and one for each kind of error.
pub fn special_tokens() -> Vec<String> {
    let kinds = ErrorKind::ALL.map(|kind| format!("<{kind}>"));
    [REWRITE.to_owned()].into_iter().chain(kinds).collect()
}

/// A text that the vocabulary has no tokens for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?}: {error}")]
pub struct PromptError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub error: StepTextError,
}

/// Puts problems and steps into token ids, in TRL's convention with [`STEP_END`] for a separator.
#[derive(Debug)]
pub struct Prompt {
    text: StepText,
    /// Ends each step.
    pub step_end: u32,
    /// Asks for a rewrite of the step before it.
    pub rewrite: u32,
    /// Ends a solution.
    pub end: u32,
    /// Announces an error, in the order of [`ErrorKind::ALL`].
    announcements: [u32; ErrorKind::ALL.len()],
}

impl Prompt {
    /// Finds the special tokens.
    ///
    /// # Errors
    /// [`SetupError`], if one is missing.
    pub fn new(tokenizer: Box<dyn Tokenizer>) -> Result<Self, SetupError> {
        let end = tokenizer.end_of_text();
        let end = end.ok_or_else(|| NotOneToken { token: "the end of a text".into(), tokens: 0 })?;
        let (step_end, rewrite) = (tokenizer.token_id(STEP_END)?, tokenizer.token_id(REWRITE)?);
        let mut announcements = [0; ErrorKind::ALL.len()];
        for (id, kind) in announcements.iter_mut().zip(ErrorKind::ALL) {
            *id = tokenizer.token_id(&format!("<{kind}>"))?;
        }
        let options = MarkerOptions { marker: Some(STEP_END.into()), ..MarkerOptions::default() };
        Ok(Self { text: StepText::new(tokenizer, ReadOut::Trl, &options)?, step_end, rewrite, end, announcements })
    }

    /// `problem step <step> step <step> …`, with a mark at the end of each step, where its score is read.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn marked(&self, problem: &str, steps: &[String]) -> Result<MarkedIds, PromptError> {
        let text = || [&[problem.to_owned()], steps].concat().join("\n");
        self.text.encode(problem, steps).map_err(|error| PromptError { text: text(), error })
    }

    /// Where a marked sequence departs from the gold steps of its problem.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn deviation(&self, problem: &str, gold: &[String], marked: &MarkedIds) -> Result<Deviation, PromptError> {
        let (begin, gold) = (self.transcript(problem, &[])?.len(), self.marked(problem, gold)?);
        let first = gold.ids.iter().zip(&marked.ids).take_while(|(gold, id)| gold == id).count();
        Ok(Deviation { begin, first })
    }

    /// The same without marks, and with or without steps: what solvers continue.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn transcript(&self, problem: &str, steps: &[String]) -> Result<Vec<u32>, PromptError> {
        if !steps.is_empty() {
            return Ok(self.marked(problem, steps)?.ids);
        }
        let mut ids: Vec<u32> = self.text.tokenizer().begin_of_text().into_iter().collect();
        ids.extend(self.encode(problem)?);
        Ok(ids)
    }

    /// `problem step <step> … gold step <step> <rewrite>`: what the generator continues.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn to_rewrite(&self, problem: &str, steps: &[String]) -> Result<Vec<u32>, PromptError> {
        let mut ids = self.transcript(problem, steps)?;
        ids.push(self.rewrite);
        Ok(ids)
    }

    /// `step <step> step <step> … <end>`: what solvers write.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn solution(&self, steps: &[String]) -> Result<Vec<u32>, PromptError> {
        let mut ids = Vec::new();
        for step in steps {
            ids.extend(self.step(step)?);
        }
        ids.push(self.end);
        Ok(ids)
    }

    /// `<kind> step <step>`: what the generator writes, which announces its error, so that each token need not leave open
    /// whether the error is to come or was made.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn announced_step(&self, kind: ErrorKind, step: &str) -> Result<Vec<u32>, PromptError> {
        let mut ids = self.step(step)?;
        ids.insert(0, self.announcements[kind as usize]);
        Ok(ids)
    }

    /// What the generator announced, if anything, and what it wrote after that.
    pub fn split_announcement<'a>(&self, ids: &'a [u32]) -> (Option<ErrorKind>, &'a [u32]) {
        let found = ids.split_first().and_then(|(first, step)| {
            let kind = self.announcements.iter().position(|id| id == first)?;
            Some((Some(ErrorKind::ALL[kind]), step))
        });
        found.unwrap_or((None, ids))
    }

    /// `step <step>`.
    ///
    /// # Errors
    /// [`PromptError`].
    pub fn step(&self, step: &str) -> Result<Vec<u32>, PromptError> {
        let mut ids = self.encode(step)?;
        ids.push(self.step_end);
        Ok(ids)
    }

    /// The text of a step as a model wrote it, if it ended it.
    pub fn read_step(&self, ids: &[u32]) -> Option<String> {
        let (last, step) = ids.split_last()?;
        (*last == self.step_end).then(|| self.decode(step))
    }

    /// The steps of a solution as a model wrote it, and whether it ended it.
    pub fn read_solution(&self, ids: &[u32]) -> (Vec<String>, bool) {
        let ended = ids.last() == Some(&self.end);
        let steps = ids[..ids.len() - usize::from(ended)].split_inclusive(|&id| id == self.step_end);
        let steps = steps.map(|step| self.decode(step.strip_suffix(&[self.step_end]).unwrap_or(step)));
        (steps.collect(), ended)
    }

    /// Whatever text ids stand for.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.text.tokenizer().decode(ids)
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, PromptError> {
        let encoded = self.text.tokenizer().encode(text);
        encoded.map_err(|source: EncodeError| {
            let error = StepTextError::Encode { place: crate::step_text::Place::Solution, source };
            PromptError { text: text.into(), error }
        })
    }
}
