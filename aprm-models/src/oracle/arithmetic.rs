use std::borrow::Borrow;

use aprm_core::oracle::{Oracle, Verdict};

use super::Context;
use crate::arithmetic::{Computed, ErrorKind, Finding, Problem, Step};

/// What counts as right beside the gold step itself.
///
/// | a step that | [default](Self::default) | [strict](Self::STRICT) | [lenient](Self::LENIENT) |
/// |---|---|---|---|
/// | is unchanged, or a needed step that may come first | correct | correct | correct |
/// | has the operands of a sum or product reordered | correct | incorrect | correct |
/// | reaches the value by another true way | correct | incorrect | correct |
/// | repeats an earlier step | incorrect | incorrect | correct |
/// | is true but not needed | incorrect | incorrect | correct |
/// | is wrong in any other way of [`ErrorKind`] | incorrect | incorrect | incorrect |
/// | is [malformed](Finding::Malformed) | undecidable | undecidable | undecidable |
///
/// The defaults are our choice: they pay a generator nothing for steps that do no harm to the value, and count those
/// that leave the needed value missing as the errors that they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leniency {
    /// Whether `2*16=32` will do for `16*2=32`.
    pub reordered: bool,
    /// Whether `8+8=16` will do for `32-16=16`.
    pub equal_value: bool,
    /// Whether an earlier step may be repeated.
    pub doubled_step: bool,
    /// Whether true arithmetic on known numbers, which nobody needs, may stand in between.
    pub irrelevant: bool,
}

impl Leniency {
    /// Only the steps of the solution, in any possible order.
    pub const STRICT: Self = Self { reordered: false, equal_value: false, doubled_step: false, irrelevant: false };
    /// All that is true.
    pub const LENIENT: Self = Self { reordered: true, equal_value: true, doubled_step: true, irrelevant: true };

    /// The verdict on what a step has turned out to be.
    pub fn verdict(&self, finding: Finding) -> Verdict {
        let correct = match finding {
            Finding::Malformed => return Verdict::Undecidable,
            Finding::Unchanged | Finding::Early { .. } => true,
            Finding::Reordered => self.reordered,
            Finding::EqualValue => self.equal_value,
            Finding::Error(ErrorKind::DoubledStep) => self.doubled_step,
            Finding::Error(ErrorKind::Irrelevant) => self.irrelevant,
            Finding::Error(_) => false,
        };
        if correct { Verdict::Correct } else { Verdict::Incorrect }
    }
}

impl Default for Leniency {
    fn default() -> Self {
        Self { reordered: true, equal_value: true, doubled_step: false, irrelevant: false }
    }
}

/// The exact judge of steps of built-in problems.
///
/// ```
/// use aprm_core::oracle::{Oracle, Verdict};
/// use aprm_models::arithmetic::Problem;
/// use aprm_models::oracle::{ArithmeticOracle, Context};
///
/// let problem: Problem = "a=16;b=2;c=a*b;d=c-a?".parse()?;
/// let context = Context { problem, steps: vec!["c=16*2=32".to_owned()] };
/// let mut oracle = ArithmeticOracle::default();
/// assert_eq!(oracle.judge(&context, "d=32-16=16", "d=32-16=14"), Ok(Verdict::Incorrect));
/// assert_eq!(oracle.judge(&context, "d=32-16=16", "d=32-16="), Ok(Verdict::Undecidable));
/// # Ok::<_, aprm_models::arithmetic::ProblemError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArithmeticOracle {
    /// What counts as right beside the gold step.
    pub leniency: Leniency,
}

/// Why a step cannot be judged where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitContext {
    /// The prefix is wrong already, so it is undefined what a right step would be.
    #[error("step {index} of the prefix, {step:?}, is not right: {finding:?}")]
    Prefix {
        /// Which step, from zero.
        index: usize,
        /// The step.
        step: String,
        /// What it is.
        finding: Finding,
    },
    /// The gold step is none that the problem's solution has there.
    #[error("{0:?} is no step of the problem's solution that can stand here")]
    GoldStep(String),
}

/// What a whole solution is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChainVerdict {
    /// The first step that is not right, from zero.
    pub first_error: Option<usize>,
    /// What that step is.
    pub finding: Option<Finding>,
    /// Whether the last line states the right number, whatever led to it.
    pub right_answer: bool,
}

impl ArithmeticOracle {
    /// Judges a solution that anybody wrote, line by line.
    ///
    /// Each line has to be a right, needed step whose operands are known from the lines before it. A malformed line is
    /// an error here. A chain that stops early has no first error, but not the right answer either.
    ///
    /// ```
    /// # use aprm_models::{arithmetic::{ErrorKind, Finding, Problem}, oracle::ArithmeticOracle};
    /// let problem: Problem = "a=16;b=2;c=a*b;d=c-a?".parse()?;
    /// let verdict = ArithmeticOracle::default().judge_chain(&problem, ["c=16*2=32", "d=32-2=30"]);
    /// assert_eq!(verdict.first_error, Some(1));
    /// assert_eq!(verdict.finding, Some(Finding::Error(ErrorKind::WrongOperand)));
    /// assert!(!verdict.right_answer);
    /// # Ok::<_, aprm_models::arithmetic::ProblemError>(())
    /// ```
    pub fn judge_chain<S: AsRef<str>>(&self, problem: &Problem, steps: impl IntoIterator<Item = S>) -> ChainVerdict {
        let mut computed = Computed::before(problem, 0);
        let mut verdict = ChainVerdict { first_error: None, finding: None, right_answer: false };
        for (index, step) in steps.into_iter().enumerate() {
            let step = step.as_ref();
            verdict.right_answer = Problem::answer_of(step) == Some(problem.answer());
            if verdict.first_error.is_some() {
                continue;
            }
            if let Err(finding) = self.advance(&mut computed, step) {
                (verdict.first_error, verdict.finding) = (Some(index), Some(finding));
            }
        }
        verdict
    }

    /// Takes a right step; a wrong one is said to be what it is.
    fn advance(&self, computed: &mut Computed<'_>, text: &str) -> Result<(), Finding> {
        let (gold, finding) = match computed.expected(text) {
            Some(gold) => (gold, computed.classify(gold, text)),
            None => computed.classify_surplus(text),
        };
        match (self.leniency.verdict(finding), finding) {
            (Verdict::Correct, Finding::Error(_)) => Ok(()),
            (Verdict::Correct, _) => {
                computed.add(gold);
                Ok(())
            }
            _ => Err(finding),
        }
    }
}

impl<P: Borrow<Problem>, S: AsRef<str> + ?Sized> Oracle<Context<P>, S> for ArithmeticOracle {
    type Error = UnfitContext;

    fn judge(&mut self, context: &Context<P>, gold_step: &S, step: &S) -> Result<Verdict, UnfitContext> {
        let problem = context.problem.borrow();
        let mut computed = Computed::before(problem, 0);
        for (index, step) in context.steps.iter().enumerate() {
            self.advance(&mut computed, step).map_err(|finding| UnfitContext::Prefix {
                index,
                step: step.clone(),
                finding,
            })?;
        }
        let gold_step = gold_step.as_ref();
        let gold = Step::parse(gold_step)
            .and_then(|gold| computed.step_named(gold.name))
            .filter(|gold| computed.is_ready(*gold) && problem.step(*gold).to_string() == gold_step)
            .ok_or_else(|| UnfitContext::GoldStep(gold_step.to_owned()))?;
        Ok(self.leniency.verdict(computed.classify(gold, step.as_ref())))
    }
}
