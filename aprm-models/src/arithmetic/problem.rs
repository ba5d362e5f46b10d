mod text;

use super::step::BOUND;
use super::wording::Wording;
use super::{Operator, Step};

/// The names of quantities in problems without words.
pub(super) const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// One operation of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// What is done.
    pub operator: Operator,
    /// The quantities that it is done to: givens count from zero, operations go on from there.
    pub operands: [usize; 2],
}

/// Givens, operations on them, and a question: the result of the last operation.
///
/// A problem prints as its text; without words, that text can be read back.
///
/// ```
/// use aprm_models::arithmetic::Problem;
///
/// let problem: Problem = "a=16;b=2;c=a*b;d=c-a?".parse()?;
/// assert_eq!(problem.solution(), ["c=16*2=32", "d=32-16=16"]);
/// assert_eq!(problem.answer(), 16);
/// assert_eq!(problem.to_string(), "a=16;b=2;c=a*b;d=c-a?");
///
/// let with_numbers_inline: Problem = "a=16*2;b=a-16?".parse()?;
/// assert_eq!(with_numbers_inline.solution(), ["a=16*2=32", "b=32-16=16"]);
/// # Ok::<_, aprm_models::arithmetic::ProblemError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Problem {
    givens: usize,
    /// Of all quantities, the givens first.
    values: Vec<i64>,
    operations: Vec<Operation>,
    /// Of all quantities; their places in the alphabet, none for givens that stand as numbers in the operations.
    names: Vec<Option<usize>>,
    wording: Option<Wording>,
}

/// Why something is no problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProblemError {
    /// The text departs from `a=16;b=2;c=a*b?`.
    #[error("{found:?} stands where {expected} is expected")]
    Syntax {
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// There is nothing to compute.
    #[error("there is no operation to ask for")]
    NoOperation,
    /// There are more quantities than letters.
    #[error("{0} quantities are more than the alphabet's 26 letters")]
    TooManyQuantities(usize),
    /// A given is too long for a step.
    #[error("{0} has more than 18 digits")]
    Given(i64),
    /// An operation uses a quantity that is not there before it.
    #[error("operation {operation} uses quantity {operand}, which does not come before it")]
    Undefined {
        /// Which operation, from zero.
        operation: usize,
        /// The quantity, from zero.
        operand: usize,
    },
    /// An operation has no whole value within 18 digits.
    #[error("operation {operation} has no whole value of at most 18 digits: {left}{operator}{right}")]
    Value {
        /// Which operation, from zero.
        operation: usize,
        /// Its first operand.
        left: i64,
        /// What it does.
        operator: Operator,
        /// Its second operand.
        right: i64,
    },
}

impl Problem {
    /// A problem without words.
    ///
    /// # Errors
    /// If an operation is not defined, or there are none or too many.
    pub fn new(givens: &[i64], operations: Vec<Operation>) -> Result<Self, ProblemError> {
        let quantities = givens.len() + operations.len();
        if quantities > LETTERS.len() && !operations.is_empty() {
            return Err(ProblemError::TooManyQuantities(quantities));
        }
        Ok(Self::nameless(givens, operations)?.named((0..quantities).map(Some).collect()))
    }

    /// A problem whose quantities have no names yet.
    pub(super) fn nameless(givens: &[i64], operations: Vec<Operation>) -> Result<Self, ProblemError> {
        if operations.is_empty() {
            return Err(ProblemError::NoOperation);
        }
        if let Some(&given) = givens.iter().find(|given| given.unsigned_abs() >= BOUND) {
            return Err(ProblemError::Given(given));
        }
        let mut values = givens.to_vec();
        for (operation, &Operation { operator, operands }) in operations.iter().enumerate() {
            if let Some(&operand) = operands.iter().find(|operand| **operand >= values.len()) {
                return Err(ProblemError::Undefined { operation, operand });
            }
            let [left, right] = operands.map(|operand| values[operand]);
            let value = operator.apply(left, right).filter(|value| value.unsigned_abs() < BOUND);
            values.push(value.ok_or(ProblemError::Value { operation, left, operator, right })?);
        }
        Ok(Self { givens: givens.len(), names: vec![None; values.len()], values, operations, wording: None })
    }

    /// The same with letters, as places in the alphabet; only givens that an operation uses can do without.
    pub(super) fn named(self, names: Vec<Option<usize>>) -> Self {
        debug_assert_eq!(names.len(), self.values.len(), "one for each quantity");
        Self { names, ..self }
    }

    pub(super) fn worded(self, wording: Wording) -> Self {
        Self { wording: Some(wording), ..self }
    }

    /// The numbers that the problem states.
    pub fn givens(&self) -> &[i64] {
        &self.values[..self.givens]
    }

    /// The operations, in an order in which they can be done.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The number of steps of the solution.
    pub fn steps(&self) -> usize {
        self.operations.len()
    }

    /// The values of all quantities, the givens first.
    pub fn values(&self) -> &[i64] {
        &self.values
    }

    /// What is asked for.
    pub fn answer(&self) -> i64 {
        self.values[self.values.len() - 1]
    }

    /// What a solution says is the answer: the result of its last line, if that is a step.
    ///
    /// ```
    /// # use aprm_models::arithmetic::Problem;
    /// assert_eq!(Problem::answer_of("c=16*2=32\nd=32-16=15"), Some(15));
    /// ```
    pub fn answer_of(solution: &str) -> Option<i64> {
        Step::parse(solution.lines().last()?).map(|step| step.result)
    }

    /// Whether it is told in sentences.
    pub fn is_worded(&self) -> bool {
        self.wording.is_some()
    }

    /// The name of a quantity; none if the problem's text does not name it, as with the 2 of `c=a*2` or "2 times as many".
    ///
    /// # Panics
    /// If there is no such quantity.
    pub fn name(&self, quantity: usize) -> Option<&'static str> {
        assert!(quantity < self.values.len(), "quantity {quantity} of {}", self.values.len());
        match &self.wording {
            Some(wording) => wording.name(quantity),
            None => self.names[quantity].map(letter),
        }
    }

    /// The next letter that names nothing, in problems without words.
    pub(super) fn spare_name(&self) -> Option<&'static str> {
        let last = self.names[self.names.len() - 1]?;
        let following = (last + 1..last + LETTERS.len()).map(|place| place % LETTERS.len());
        following.into_iter().find(|place| !self.names.contains(&Some(*place))).map(letter)
    }

    /// The unit of a quantity, in worded problems.
    ///
    /// # Panics
    /// If there is no such quantity.
    pub fn unit(&self, quantity: usize) -> Option<&'static str> {
        assert!(quantity < self.values.len(), "quantity {quantity} of {}", self.values.len());
        self.wording.as_ref().map(|wording| wording.unit(quantity))
    }

    /// The quantity that operation `k` computes.
    pub fn quantity(&self, k: usize) -> usize {
        self.givens + k
    }

    /// Step `k` of the solution, from zero.
    ///
    /// # Panics
    /// If there is no such step.
    pub fn step(&self, k: usize) -> Step<'static> {
        let Operation { operator, operands } = self.operations[k];
        let [left, right] = operands.map(|operand| self.values[operand]);
        let quantity = self.quantity(k);
        let name = self.name(quantity).unwrap_or_default();
        Step { name, left, operator, right, result: self.values[quantity], unit: self.unit(quantity) }
    }

    /// The steps of the solution, one line each.
    pub fn solution(&self) -> Vec<String> {
        (0..self.steps()).map(|k| self.step(k).to_string()).collect()
    }

    /// A number that stands for what has to be computed: equal for problems that differ only in names, words,
    /// distractors, or the order of independent steps or of the operands of sums and products.
    ///
    /// The same on every platform; FNV-1a over each operation and its operands' fingerprints.
    ///
    /// ```
    /// use aprm_models::arithmetic::Problem;
    ///
    /// let fingerprint = |text: &str| text.parse().map(|problem: Problem| problem.fingerprint());
    /// assert_eq!(fingerprint("a=16;b=2;c=a*b;d=c-a?"), fingerprint("a=7;b=2;c=16;d=b*c;e=d-c?"));
    /// assert_ne!(fingerprint("a=16;b=2;c=a*b;d=c-a?"), fingerprint("a=16;b=2;c=a*b;d=a-c?"));
    /// ```
    pub fn fingerprint(&self) -> u64 {
        let mut fingerprints: Vec<u64> = self.givens().iter().map(|given| fnv(&given.to_le_bytes())).collect();
        for &Operation { operator, operands } in &self.operations {
            let mut operands = operands.map(|operand| fingerprints[operand]);
            if operator.is_commutative() {
                operands.sort_unstable();
            }
            let [left, right] = operands.map(u64::to_le_bytes);
            fingerprints.push(fnv(&[&[operator.symbol() as u8][..], &left, &right].concat()));
        }
        fingerprints[fingerprints.len() - 1]
    }
}

fn letter(place: usize) -> &'static str {
    &LETTERS[place..=place]
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
