use aprm_core::rand_core::Rng;

use super::wording::{MONEY, NOUNS};
use super::{Computed, ErrorKind, Finding, Operator, Problem, Step};
use crate::draw::{choose, shuffle};

/// The name of a step that the question does not need, in worded problems.
const NOBODY: &str = "All";

/// Rewrites step `k` into a wrong one of the kind, after the gold steps before it; none if no such error can be made.
///
/// All errors that are considered are equally likely. Results below zero are made only by [`ErrorKind::Sign`],
/// [`ErrorKind::SwappedOperands`] or where the problem has some itself, since they would give the error away.
///
/// ```
/// use aprm_models::arithmetic::{ErrorKind, Problem, corrupt};
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
///
/// let problem: Problem = "a=16;b=2;c=a*b;d=c-a?".parse()?;
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// assert_eq!(corrupt(&problem, 1, ErrorKind::WrongOperand, &mut rng).as_deref(), Some("d=32-32=0"));
/// assert_eq!(corrupt(&problem, 1, ErrorKind::DoubledStep, &mut rng).as_deref(), Some("c=16*2=32"));
/// assert_eq!(corrupt(&problem, 1, ErrorKind::SkippedStep, &mut rng), None);
/// # Ok::<_, aprm_models::arithmetic::ProblemError>(())
/// ```
///
/// # Panics
/// If there is no step `k`.
pub fn corrupt(problem: &Problem, k: usize, kind: ErrorKind, rng: &mut (impl Rng + ?Sized)) -> Option<String> {
    let computed = Computed::before(problem, k);
    let gold = problem.step(k);
    let below_zero =
        matches!(kind, ErrorKind::Sign | ErrorKind::SwappedOperands) || problem.values().iter().any(|value| *value < 0);
    let mut candidates = candidates(problem, &computed, k, &gold, kind);
    candidates.retain(|step| {
        (step.result >= 0 || below_zero)
            && step.is_in_bounds()
            && computed.classify_step(k, step) == Finding::Error(kind)
    });
    choose(&candidates, rng).map(Step::to_string)
}

/// Rewrites step `k` into a wrong one of a kind drawn among those that can be made there.
///
/// None only for steps whose numbers are at the limits of 64 bits.
///
/// # Panics
/// If there is no step `k`.
pub fn corrupt_any(problem: &Problem, k: usize, rng: &mut (impl Rng + ?Sized)) -> Option<(ErrorKind, String)> {
    let mut kinds = ErrorKind::ALL;
    shuffle(&mut kinds, rng);
    kinds.into_iter().find_map(|kind| corrupt(problem, k, kind, rng).map(|step| (kind, step)))
}

/// Steps that may be errors of the kind; not all of them are.
fn candidates<'a>(
    problem: &'a Problem,
    computed: &Computed<'_>,
    k: usize,
    gold: &Step<'a>,
    kind: ErrorKind,
) -> Vec<Step<'a>> {
    let Step { left, right, result, .. } = *gold;
    let of_result = |results: Vec<i64>| results.into_iter().map(|result| Step { result, ..*gold }).collect();
    let of_operands = |operands: Vec<[i64; 2]>| {
        let steps = operands.into_iter().map(|[left, right]| Step { left, right, ..*gold });
        steps.filter_map(with_value).collect::<Vec<_>>()
    };
    let of_operators = || operators(problem).into_iter().map(|operator| Step { operator, ..*gold });
    match kind {
        ErrorKind::Sign => of_result(vec![result.saturating_neg()]),
        ErrorKind::OffByALittle => of_result((result.saturating_sub(2)..=result.saturating_add(2)).collect()),
        ErrorKind::Carry => of_result(
            powers_of_ten(result)
                .flat_map(|power| [result.saturating_sub(power), result.saturating_add(power)])
                .collect(),
        ),
        ErrorKind::Digit => of_result(other_digits(result)),
        ErrorKind::WrongResult => of_result((result.saturating_sub(50)..=result.saturating_add(50)).collect()),
        ErrorKind::SwappedOperands => {
            let swapped = Step { left: right, right: left, ..*gold };
            [Some(swapped), with_value(swapped)].into_iter().flatten().collect()
        }
        ErrorKind::WrongOperation => of_operators().filter_map(with_value).collect(),
        ErrorKind::WrongOperator => of_operators().collect(),
        ErrorKind::WrongOperand => {
            of_operands(computed.known_values().flat_map(|value| [[value, right], [left, value]]).collect())
        }
        ErrorKind::ForeignOperand => {
            let near = |number: i64| (number.saturating_sub(9)..=number.saturating_add(9)).filter(|number| *number > 0);
            let operands = near(left).map(|near| [near, right]).chain(near(right).map(|near| [left, near]));
            of_operands(operands.collect())
        }
        ErrorKind::SkippedStep => (k + 1..problem.steps()).take(1).map(|next| problem.step(next)).collect(),
        ErrorKind::DoubledStep => k.checked_sub(1).map(|before| problem.step(before)).into_iter().collect(),
        ErrorKind::WrongName => {
            let names = (0..problem.values().len()).filter_map(|quantity| problem.name(quantity));
            names.map(|name| Step { name, ..*gold }).collect()
        }
        ErrorKind::UnitSlip => {
            units(problem, gold).into_iter().map(|unit| Step { unit: Some(unit), ..*gold }).collect()
        }
        ErrorKind::Irrelevant => irrelevant(problem, computed, gold),
        ErrorKind::Other => Vec::new(),
    }
}

/// The step with the result that its operation gives.
fn with_value(step: Step<'_>) -> Option<Step<'_>> {
    step.value().map(|result| Step { result, ..step })
}

/// Those that everybody knows, and the problem's own.
fn operators(problem: &Problem) -> Vec<Operator> {
    let own = |operator| problem.operations().iter().any(|operation| operation.operator == operator);
    Operator::ALL.into_iter().filter(|operator| *operator != Operator::Remainder || own(*operator)).collect()
}

/// 10, 100 and so on, up to a number's own magnitude.
fn powers_of_ten(number: i64) -> impl Iterator<Item = i64> {
    let magnitude = number.unsigned_abs();
    std::iter::successors(Some(10_i64), |power| power.checked_mul(10))
        .take_while(move |power| *power == 10 || power.unsigned_abs() <= magnitude)
}

/// The numbers that differ from this one in one digit.
fn other_digits(number: i64) -> Vec<i64> {
    let digits = number.unsigned_abs().to_string();
    let replaced = |at: usize| {
        let digits = &digits;
        (b'0'..=b'9').filter_map(move |digit| {
            let mut other = digits.clone().into_bytes();
            other[at] = digit;
            String::from_utf8(other).ok()?.parse::<i64>().ok()
        })
    };
    (0..digits.len()).flat_map(replaced).map(|magnitude| if number < 0 { -magnitude } else { magnitude }).collect()
}

/// The problem's own other units, or if it has none all that there are.
fn units(problem: &Problem, gold: &Step<'_>) -> Vec<&'static str> {
    let Some(unit) = gold.unit else { return Vec::new() };
    let mut others: Vec<_> = (0..problem.values().len()).filter_map(|quantity| problem.unit(quantity)).collect();
    others.retain(|other| *other != unit);
    if others.is_empty() { NOUNS.into_iter().chain([MONEY]).filter(|other| *other != unit).collect() } else { others }
}

/// True arithmetic on two known numbers, under a name that the problem does not have.
fn irrelevant<'a>(problem: &Problem, computed: &Computed<'_>, gold: &Step<'a>) -> Vec<Step<'a>> {
    let name = if problem.is_worded() { Some(NOBODY) } else { problem.spare_name() };
    let known: Vec<i64> = computed.known_values().collect();
    let mut steps = Vec::new();
    if let Some(name) = name {
        for (at, &left) in known.iter().enumerate() {
            for &right in known.iter().skip(at + 1) {
                for operator in [Operator::Add, Operator::Subtract, Operator::Multiply] {
                    steps.extend(with_value(Step { name, left, operator, right, ..*gold }));
                }
            }
        }
    }
    steps
}
