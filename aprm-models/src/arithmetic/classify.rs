use super::{ErrorKind, Operation, Problem, Step};

/// What a step turns out to be, put in the place of a gold step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// The gold step.
    Unchanged,
    /// The gold step with the operands of a sum or product in the other order.
    Reordered,
    /// The value of the gold step, reached by true arithmetic of another kind: `d=8+8=16` for `d=32-16=16`.
    EqualValue,
    /// Another step of the solution, whose operands are known already, so that it may as well come first.
    Early {
        /// Which one, from zero.
        step: usize,
    },
    /// A wrong step.
    Error(ErrorKind),
    /// No step at all.
    Malformed,
}

/// Which error, if any, a text is in the place of step `k`, after the gold steps before it.
///
/// The kinds exclude one another; [`ErrorKind`] says which one is meant where two would fit. What [`corrupt`] makes of a
/// kind is found to be of that kind.
///
/// [`corrupt`]: super::corrupt()
///
/// ```
/// use aprm_models::arithmetic::{ErrorKind, Finding, Problem, classify};
///
/// let problem: Problem = "a=16;b=2;c=a*b;d=c-a?".parse()?;
/// assert_eq!(classify(&problem, 0, "c=2*16=32"), Finding::Reordered);
/// assert_eq!(classify(&problem, 0, "c=16*2=42"), Finding::Error(ErrorKind::Carry));
/// assert_eq!(classify(&problem, 1, "d=32-2=30"), Finding::Error(ErrorKind::WrongOperand));
/// assert_eq!(classify(&problem, 1, "d=32--"), Finding::Malformed);
/// # Ok::<_, aprm_models::arithmetic::ProblemError>(())
/// ```
///
/// # Panics
/// If there is no step `k`.
pub fn classify(problem: &Problem, k: usize, text: &str) -> Finding {
    Computed::before(problem, k).classify(k, text)
}

/// The steps of a problem that are done already.
#[derive(Clone, Debug)]
pub struct Computed<'a> {
    problem: &'a Problem,
    done: Vec<bool>,
}

impl<'a> Computed<'a> {
    /// The steps before step `k`.
    pub fn before(problem: &'a Problem, k: usize) -> Self {
        Self { problem, done: (0..problem.steps()).map(|step| step < k).collect() }
    }

    /// The first step that is not done yet.
    pub fn next(&self) -> Option<usize> {
        self.done.iter().position(|done| !done)
    }

    /// Marks a step as done.
    ///
    /// # Panics
    /// If there is no such step.
    pub fn add(&mut self, step: usize) {
        self.done[step] = true;
    }

    /// The step that computes the quantity of this name.
    pub fn step_named(&self, name: &str) -> Option<usize> {
        (0..self.done.len()).find(|step| self.problem.name(self.problem.quantity(*step)) == Some(name))
    }

    /// The step that a text is to be compared with: the one that it names if that can be done now, or else the first
    /// one that is left; none if all are done.
    pub fn expected(&self, text: &str) -> Option<usize> {
        let named = Step::parse(text).and_then(|step| self.step_named(step.name));
        named.filter(|step| !self.done[*step] && self.is_ready(*step)).or_else(|| self.next())
    }

    /// Whether all that a step needs is known.
    ///
    /// # Panics
    /// If there is no such step.
    pub fn is_ready(&self, step: usize) -> bool {
        let Operation { operands, .. } = self.problem.operations()[step];
        operands.iter().all(|operand| self.is_known(*operand))
    }

    /// Whether a quantity is given or computed.
    pub(super) fn is_known(&self, quantity: usize) -> bool {
        quantity.checked_sub(self.problem.givens().len()).is_none_or(|step| self.done[step])
    }

    /// The values that are known: the givens and the results of the steps that are done.
    pub(super) fn known_values(&self) -> impl Iterator<Item = i64> {
        self.problem
            .values()
            .iter()
            .enumerate()
            .filter(|(quantity, _)| self.is_known(*quantity))
            .map(|(_, value)| *value)
    }

    /// What a text is in the place of step `k`.
    ///
    /// # Panics
    /// If there is no step `k`.
    pub fn classify(&self, k: usize, text: &str) -> Finding {
        match Step::parse(text) {
            Some(step) => self.classify_step(k, &step),
            None => Finding::Malformed,
        }
    }

    /// What a text is once all steps are done: at best the last step once more.
    pub(crate) fn classify_surplus(&self, text: &str) -> (usize, Finding) {
        let last = self.done.len() - 1;
        let finding = match self.classify(last, text) {
            Finding::Unchanged | Finding::Reordered | Finding::EqualValue => Finding::Error(ErrorKind::DoubledStep),
            finding => finding,
        };
        (last, finding)
    }

    pub(super) fn classify_step(&self, k: usize, step: &Step<'_>) -> Finding {
        let gold = self.problem.step(k);
        if *step == gold {
            return Finding::Unchanged;
        }
        if step.unit.is_some() != gold.unit.is_some() {
            return Finding::Malformed;
        }
        if step.name == gold.name {
            in_its_place(&gold, step, |value| self.is_present(value))
        } else {
            self.elsewhere(&gold, step)
        }
    }

    /// A step under another name than the gold step's.
    fn elsewhere(&self, gold: &Step<'_>, step: &Step<'_>) -> Finding {
        let is_theirs = |other: &usize| {
            let theirs = self.problem.step(*other);
            step.same_operation(&theirs) && (step.result, step.unit) == (theirs.result, theirs.unit)
        };
        if let Some(other) = self.step_named(step.name).filter(is_theirs) {
            return match (self.done[other], self.is_ready(other)) {
                (true, _) => Finding::Error(ErrorKind::DoubledStep),
                (false, true) => Finding::Early { step: other },
                (false, false) => Finding::Error(ErrorKind::SkippedStep),
            };
        }
        let foreign_name = (0..self.problem.values().len()).all(|other| self.problem.name(other) != Some(step.name));
        let kind = if step.same_operation(gold) && (step.result, step.unit) == (gold.result, gold.unit) {
            ErrorKind::WrongName
        } else if foreign_name && step.is_true() && self.is_present(step.left) && self.is_present(step.right) {
            ErrorKind::Irrelevant
        } else {
            ErrorKind::Other
        };
        Finding::Error(kind)
    }

    fn is_present(&self, value: i64) -> bool {
        self.known_values().any(|known| known == value)
    }
}

/// A step under the gold step's name.
fn in_its_place(gold: &Step<'_>, step: &Step<'_>, is_present: impl Fn(i64) -> bool) -> Finding {
    let same_result = step.result == gold.result;
    if step.unit != gold.unit {
        let slip = step.same_operation(gold) && same_result;
        return Finding::Error(if slip { ErrorKind::UnitSlip } else { ErrorKind::Other });
    }
    if step.same_operation(gold) {
        return ErrorKind::of_result(gold.result, step.result).map_or(Finding::Reordered, Finding::Error);
    }
    if step.is_true() && same_result {
        return Finding::EqualValue;
    }
    let same_operator = step.operator == gold.operator;
    let swapped = (step.left, step.right) == (gold.right, gold.left);
    let same_operands = swapped || (step.left, step.right) == (gold.left, gold.right);
    Finding::Error(match (same_operands, same_operator, step.is_true(), same_result) {
        (true, true, true, _) | (true, true, _, true) => ErrorKind::SwappedOperands,
        (true, false, true, _) => ErrorKind::WrongOperation,
        (true, false, false, true) => ErrorKind::WrongOperator,
        (false, true, true, _) if is_present(step.left) && is_present(step.right) => ErrorKind::WrongOperand,
        (false, true, true, _) => ErrorKind::ForeignOperand,
        _ => ErrorKind::Other,
    })
}
