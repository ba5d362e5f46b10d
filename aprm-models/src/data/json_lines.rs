use core::fmt;
use core::marker::PhantomData;
use std::io::{self, BufRead, Read};

use serde::de::DeserializeOwned;

/// The most bytes of a line; the longest solutions that are published have a hundredth of it.
const LINE_LIMIT: u64 = 16 << 20;

/// What a line holds.
pub trait Row: Sized {
    /// Reads and checks a line.
    ///
    /// # Errors
    /// [`RowProblem`].
    fn parse(line: &str) -> Result<Self, RowProblem>;
}

/// The rows of a file, which is read as they are asked for; the first that is wrong is the last.
///
/// ```
/// use aprm_models::data::{JsonLines, Solution};
///
/// let file = "{\"problem\": \"1 + 1?\", \"steps\": [\"1 + 1 = 2\"]}\n{}\n";
/// let mut rows = JsonLines::<_, Solution>::new(file.as_bytes(), "some.jsonl");
/// assert_eq!(rows.next().unwrap().unwrap().steps, ["1 + 1 = 2"]);
/// assert_eq!(rows.next().unwrap().unwrap_err().to_string(), "some.jsonl:2: `prompt` or `problem` is missing");
/// assert!(rows.next().is_none());
/// ```
#[derive(Debug)]
pub struct JsonLines<R, T> {
    source: R,
    file: String,
    line: u64,
    buffer: Vec<u8>,
    is_over: bool,
    row: PhantomData<fn() -> T>,
}

impl<R: BufRead, T: Row> JsonLines<R, T> {
    /// Rows of a source that errors call by this name.
    pub fn new(source: R, file: impl Into<String>) -> Self {
        Self { source, file: file.into(), line: 0, buffer: Vec::new(), is_over: false, row: PhantomData }
    }

    /// The line that was read last, counted from one.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// An error at the line that was read last.
    pub fn error(&self, problem: RowProblem) -> RowError {
        RowError { file: self.file.clone(), line: self.line, problem }
    }

    fn read(&mut self) -> Result<Option<T>, RowProblem> {
        self.buffer.clear();
        let mut limited = self.source.by_ref().take(LINE_LIMIT + 1);
        if limited.read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        if self.buffer.len() as u64 > LINE_LIMIT {
            return Err(RowProblem::TooLong);
        }
        let line =
            core::str::from_utf8(&self.buffer).map_err(|error| RowProblem::NotUtf8 { byte: error.valid_up_to() })?;
        T::parse(line.trim_ascii_end()).map(Some)
    }
}

impl<R: BufRead, T: Row> Iterator for JsonLines<R, T> {
    type Item = Result<T, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        self.line += 1;
        let row = self.read().map_err(|problem| self.error(problem)).transpose();
        self.is_over = !matches!(row, Some(Ok(_)));
        row
    }
}

/// Reads an object; other than a derived structure it is not read from a list.
pub(super) fn object<T: DeserializeOwned>(line: &str) -> Result<T, RowProblem> {
    if line.is_empty() {
        return Err(RowProblem::Blank);
    }
    if !line.trim_ascii_start().starts_with('{') {
        return Err(RowProblem::NotAnObject);
    }
    Ok(serde_json::from_str(line)?)
}

/// The one of two fields that is there.
pub(super) fn either<T>([one, other]: [(&'static str, Option<T>); 2]) -> Result<T, RowProblem> {
    match (one, other) {
        ((_, Some(value)), (_, None)) | ((_, None), (_, Some(value))) => Ok(value),
        ((one, None), (other, None)) => Err(RowProblem::Missing { one, other }),
        ((one, Some(_)), (other, Some(_))) => Err(RowProblem::Both { one, other }),
    }
}

/// Where a row is wrong, and how.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct RowError {
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from one.
    pub line: u64,
    /// What is wrong with it.
    pub problem: RowProblem,
}

/// How a row is wrong.
#[derive(Debug, thiserror::Error)]
pub enum RowProblem {
    /// The operating system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The line is too long.
    #[error("the line is longer than {LINE_LIMIT} bytes")]
    TooLong,
    /// The line is not UTF-8.
    #[error("not UTF-8 at byte {byte}")]
    NotUtf8 {
        /// The first byte that is not, counted from zero.
        byte: usize,
    },
    /// The line is blank.
    #[error("the line is blank")]
    Blank,
    /// The line is not an object.
    #[error("expected a JSON object")]
    NotAnObject,
    /// The line is not JSON, or a field is of another type.
    #[error(transparent)]
    Json(#[from] JsonProblem),
    /// A field has a value that makes no sense there.
    #[error("`{field}` is {found:?}, where {expected} is expected")]
    Value {
        /// The field.
        field: &'static str,
        /// The beginning of its value.
        found: String,
        /// What would do.
        expected: &'static str,
    },
    /// Neither of two fields is there.
    #[error("`{one}` or `{other}` is missing")]
    #[expect(missing_docs, reason = "two names")]
    Missing { one: &'static str, other: &'static str },
    /// Both of two fields are there, and which of them is meant is not known.
    #[error("there are both `{one}` and `{other}`")]
    #[expect(missing_docs, reason = "two names")]
    Both { one: &'static str, other: &'static str },
    /// There are no steps.
    #[error("there are no steps")]
    NoSteps,
    /// There is not one label for each step.
    #[error("there are {labels} labels for {steps} steps")]
    LabelCount {
        /// How many steps there are.
        steps: usize,
        /// How many labels there are.
        labels: usize,
    },
    /// A label is no probability.
    #[error("label {step} is {label}; expected true, false, or a number between 0 and 1")]
    Label {
        /// Whose label it is, counted from zero.
        step: usize,
        /// The label.
        label: f64,
    },
    /// There are no ids.
    #[error("`ids` is empty")]
    NoIds,
}

/// What the JSON reader found, and in which column.
#[derive(Debug)]
pub struct JsonProblem(serde_json::Error);

impl From<serde_json::Error> for RowProblem {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(JsonProblem(error))
    }
}

impl fmt::Display for JsonProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The reader counts lines of its own, from the beginning of this one.
        let message = self.0.to_string();
        let place = format!(" at line {} column {}", self.0.line(), self.0.column());
        write!(f, "{} in column {}", message.strip_suffix(&place).unwrap_or(&message), self.0.column())
    }
}

impl core::error::Error for JsonProblem {}

impl RowProblem {
    /// A field with a value that makes no sense there, of which the beginning is kept.
    pub(super) fn value(field: &'static str, found: &str, expected: &'static str) -> Self {
        Self::Value { field, found: found.chars().take(60).collect(), expected }
    }
}
