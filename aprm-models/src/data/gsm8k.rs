mod corruption;

use serde::Deserialize;

pub use self::corruption::corrupt_annotated;
use super::Row;
use super::json_lines::{RowProblem, object};
use crate::oracle::{Expression, without_annotations};

/// What becomes of a step's calculator annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Annotations {
    /// `48/2 = <<48/2=24>>24 clips`
    Kept,
    /// `48/2 = 24 clips`
    Stripped,
}

/// A word problem of a primary school and its solution.
///
/// ```text
/// {"question": str, "answer": "step\nstep\n#### 42"}
/// ```
///
/// # Reference
/// Cobbe et al. 2021, arXiv 2110.14168.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gsm8k {
    /// The problem.
    pub question: String,
    /// The steps as they are written, annotations included; there is at least one.
    pub steps: Vec<String>,
    /// The number behind `####`.
    pub answer: i64,
    /// How many blank lines were left out of the steps.
    pub blank_lines: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    question: String,
    answer: String,
}

impl Gsm8k {
    /// The steps, with or without their annotations.
    ///
    /// ```
    /// use aprm_models::data::{Annotations, Gsm8k, Row};
    ///
    /// let row = Gsm8k::parse(r#"{"question": "?", "answer": "48/2 = <<48/2=24>>24 clips\n#### 24"}"#)?;
    /// assert_eq!(row.steps(Annotations::Stripped), ["48/2 = 24 clips"]);
    /// # Ok::<_, aprm_models::data::RowProblem>(())
    /// ```
    pub fn steps(&self, annotations: Annotations) -> Vec<String> {
        match annotations {
            Annotations::Kept => self.steps.clone(),
            Annotations::Stripped => self.steps.iter().map(|step| without_annotations(step)).collect(),
        }
    }
}

impl Row for Gsm8k {
    fn parse(line: &str) -> Result<Self, RowProblem> {
        let Written { question, answer: solution } = object(line)?;
        let wrong = |expected| RowProblem::value("answer", &solution, expected);
        let (steps, answer) = solution.rsplit_once('\n').ok_or_else(|| wrong("steps and a last line `#### 42`"))?;
        let answer = answer.strip_prefix("#### ").ok_or_else(|| wrong("a last line `#### 42`"))?;
        let answer = whole_number(answer).ok_or_else(|| RowProblem::value("answer", answer, "a whole number"))?;
        let lines = steps.split('\n').count();
        let steps: Vec<String> = steps.split('\n').filter(|step| !step.trim().is_empty()).map(str::to_owned).collect();
        if steps.is_empty() {
            return Err(wrong("at least one step"));
        }
        Ok(Self { question, blank_lines: lines - steps.len(), steps, answer })
    }
}

/// What four models of OpenAI's wrote for a question of GSM8K's test set.
///
/// ```text
/// {"question": str, "ground_truth": "step\nA: 42", "6b_finetuning": {"solution": "step\nA: 42", "is_correct": bool}, ...}
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedSolutions {
    /// The problem.
    pub question: String,
    /// The steps of the gold solution.
    pub gold_steps: Vec<String>,
    /// The right answer.
    pub answer: i64,
    /// One solution of each model, in the order of [`MODELS`](Self::MODELS).
    pub solutions: [RecordedSolution; 4],
}

/// What one model wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedSolution {
    /// The steps, annotations included; there may be none.
    pub steps: Vec<String>,
    /// What is written behind `A:`; none if the solution does not end so.
    pub answer: Option<String>,
    /// Whether the answer was found to be right.
    pub is_correct: bool,
}

impl RecordedSolution {
    /// The steps that say something, with or without their annotations.
    pub fn steps(&self, annotations: Annotations) -> Vec<String> {
        let steps = self.steps.iter().filter(|step| !step.trim().is_empty());
        match annotations {
            Annotations::Kept => steps.cloned().collect(),
            Annotations::Stripped => steps.map(|step| without_annotations(step)).collect(),
        }
    }

    /// The answer in a form that equal numbers share, `1000` for `1,000` and `$1000.00`; as it is written if it is none.
    ///
    /// ```
    /// use aprm_models::data::RecordedSolution;
    ///
    /// let of = |answer: &str| {
    ///     let solution = RecordedSolution { steps: vec![], answer: Some(answer.into()), is_correct: false };
    ///     solution.canonical_answer()
    /// };
    /// assert_eq!(of("1,000"), Some("1000".to_owned()));
    /// assert_eq!((of("$0.50"), of("1/2")), (Some("0.5".to_owned()), Some("0.5".to_owned())));
    /// assert_eq!(of("10+John's age"), Some("10+John's age".to_owned()));
    /// ```
    pub fn canonical_answer(&self) -> Option<String> {
        let answer = self.answer.as_deref()?;
        let number = Expression::parse(answer).ok().and_then(|expression| expression.value());
        Some(number.map_or_else(|| answer.to_owned(), |number| number.to_string()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSolutions {
    question: String,
    ground_truth: String,
    #[serde(rename = "6b_finetuning")]
    small_finetuned: WrittenSolution,
    #[serde(rename = "6b_verification")]
    small_verified: WrittenSolution,
    #[serde(rename = "175b_finetuning")]
    large_finetuned: WrittenSolution,
    #[serde(rename = "175b_verification")]
    large_verified: WrittenSolution,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSolution {
    solution: String,
    is_correct: bool,
}

impl RecordedSolutions {
    /// The names of the models.
    pub const MODELS: [&str; 4] = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"];
}

impl Row for RecordedSolutions {
    fn parse(line: &str) -> Result<Self, RowProblem> {
        let written: WrittenSolutions = object(line)?;
        let (gold_steps, answer) = steps_and_answer(&written.ground_truth);
        let answer = answer.as_deref().and_then(whole_number);
        let expected = "steps and a last line `A: 42`";
        let answer = answer.ok_or_else(|| RowProblem::value("ground_truth", &written.ground_truth, expected))?;
        let solutions =
            [written.small_finetuned, written.small_verified, written.large_finetuned, written.large_verified];
        let solutions = solutions.map(|WrittenSolution { solution, is_correct }| {
            let (steps, answer) = steps_and_answer(&solution);
            RecordedSolution { steps, answer, is_correct }
        });
        Ok(Self { question: written.question, gold_steps, answer, solutions })
    }
}

fn steps_and_answer(solution: &str) -> (Vec<String>, Option<String>) {
    let mut lines: Vec<String> = solution.split('\n').map(str::to_owned).collect();
    let answer = lines.last().and_then(|last| last.strip_prefix("A:")).map(|answer| answer.trim().to_owned());
    if answer.is_some() {
        lines.pop();
    }
    (lines, answer)
}

/// A number with or without a sign and commas.
fn whole_number(text: &str) -> Option<i64> {
    text.trim().replace(',', "").parse().ok()
}
