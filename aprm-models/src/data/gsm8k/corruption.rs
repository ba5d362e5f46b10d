use aprm_core::rand_core::Rng;

use crate::arithmetic::ErrorKind;
use crate::draw::choose;
use crate::oracle::{Expression, Rational, annotations};

/// Units that are taken for one another.
const UNITS: [&[&str]; 6] = [
    &["seconds", "minutes", "hours", "days", "weeks", "months", "years"],
    &["dollars", "cents"],
    &["inches", "feet", "yards", "miles"],
    &["centimeters", "meters", "kilometers"],
    &["ounces", "pounds", "grams", "kilograms"],
    &["cups", "pints", "quarts", "gallons", "liters"],
];

/// Rewrites step `k` of an annotated solution into a wrong one of the kind; none if no such error can be made of it.
///
/// Only steps with one annotation of two numbers, `<<48/2=24>>`, are rewritten, three quarters of GSM8K's; the
/// arithmetic in front of the annotation and the number behind it follow. An operand or operation is changed with its
/// result, which then is whole where the gold result is. Wrong operands are numbers of the question or of annotations
/// before. Kinds that are not made here: [`WrongOperator`](ErrorKind::WrongOperator),
/// [`ForeignOperand`](ErrorKind::ForeignOperand), [`WrongName`](ErrorKind::WrongName),
/// [`Irrelevant`](ErrorKind::Irrelevant) and [`Other`](ErrorKind::Other).
///
/// ```
/// use aprm_models::{arithmetic::ErrorKind, data::corrupt_annotated};
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
///
/// let steps = ["In May she sold 48/2 = <<48/2=24>>24 clips."];
/// let mut corrupt = |kind| corrupt_annotated("She sold 48 in April.", &steps, 0, kind, &mut ChaCha8Rng::seed_from_u64(0));
/// let wrong = corrupt(ErrorKind::WrongOperation).unwrap();
/// assert_eq!(wrong, "In May she sold 48*2 = <<48*2=96>>96 clips.");
/// assert_eq!(corrupt(ErrorKind::DoubledStep), None);
/// ```
///
/// # Panics
/// If there is no step `k`.
pub fn corrupt_annotated<S: AsRef<str>>(
    question: &str,
    steps: &[S],
    k: usize,
    kind: ErrorKind,
    rng: &mut (impl Rng + ?Sized),
) -> Option<String> {
    let step = steps[k].as_ref();
    match kind {
        ErrorKind::DoubledStep => return Some(steps[k.checked_sub(1)?].as_ref().to_owned()),
        ErrorKind::SkippedStep => return steps.get(k + 1).map(|next| next.as_ref().to_owned()),
        ErrorKind::UnitSlip => return unit_slip(step, rng),
        _ => {}
    }
    let gold = AnnotatedStep::parse(step)?;
    let candidates = match kind {
        ErrorKind::Sign | ErrorKind::OffByALittle | ErrorKind::Carry | ErrorKind::Digit | ErrorKind::WrongResult => {
            gold.wrong_results(kind)
        }
        ErrorKind::SwappedOperands => gold.swapped(),
        ErrorKind::WrongOperation => gold.wrong_operations(),
        ErrorKind::WrongOperand => gold.wrong_operands(&numbers(question, &steps[..k])),
        _ => return None,
    };
    choose(&candidates, rng).map(|wrong| gold.with(wrong))
}

/// A step around its one annotation.
struct AnnotatedStep<'a> {
    /// Up to the arithmetic in front of the annotation, if it is shown there.
    before: &'a str,
    /// That arithmetic.
    shown: &'a str,
    /// From there to the annotation, such as ` = $`.
    between: &'a str,
    gold: Calculation,
    /// Behind the number that follows the annotation.
    after: &'a str,
}

#[derive(Clone, Copy, PartialEq)]
struct Calculation {
    left: Rational,
    operator: char,
    right: Rational,
    result: Rational,
}

impl Calculation {
    /// Of `48/2=24`; none of anything longer.
    fn parse(annotation: &str) -> Option<Self> {
        let (calculation, result) = annotation.split_once('=')?;
        let at = calculation.find(['+', '-', '*', '/'])?;
        let (left, right) = (number(&calculation[..at])?, number(&calculation[at + 1..])?);
        Self::of(left, char::from(calculation.as_bytes()[at]), right).filter(|it| number(result) == Some(it.result))
    }

    /// With the result that the operation gives.
    fn of(left: Rational, operator: char, right: Rational) -> Option<Self> {
        let result = match operator {
            '+' => left.checked_add(right),
            '-' => left.checked_sub(right),
            '*' => left.checked_mul(right),
            _ => left.checked_div(right),
        };
        Some(Self { left, operator, right, result: result? })
    }
}

impl<'a> AnnotatedStep<'a> {
    fn parse(step: &'a str) -> Option<Self> {
        let mut all = annotations(step);
        let annotation = all.next().filter(|_| all.next().is_none())?;
        let gold = Calculation::parse(annotation)?;
        let (front, behind) =
            step.split_once("<<").and_then(|(front, rest)| Some((front, rest.split_once(">>")?.1)))?;
        let (written, length) = Expression::parse_prefix(behind).ok()?;
        if written.value() != Some(gold.result) {
            return None;
        }
        let (before, shown, between) = shown_arithmetic(front, gold.result).unwrap_or((front, "", ""));
        Some(Self { before, shown, between, gold, after: &behind[length..] })
    }

    fn wrong_results(&self, kind: ErrorKind) -> Vec<Calculation> {
        let gold = self.gold.result;
        let Some(whole) = whole(gold) else { return Vec::new() };
        let near = (whole.saturating_sub(50)..=whole.saturating_add(50))
            .chain([100, 1000].map(|power| whole.saturating_add(power)));
        let results = near.chain([whole.saturating_neg()]).filter(|result| {
            ErrorKind::of_result(whole, *result) == Some(kind) && (*result >= 0 || kind == ErrorKind::Sign || whole < 0)
        });
        results.map(|result| Calculation { result: Rational::integer(result.into()), ..self.gold }).collect()
    }

    fn swapped(&self) -> Vec<Calculation> {
        let Calculation { left, operator, right, result } = self.gold;
        let wrong = matches!(operator, '-' | '/') && left != right;
        // With the gold result, as people do who know what must come out.
        if wrong { vec![Calculation { left: right, operator, right: left, result }] } else { Vec::new() }
    }

    fn wrong_operations(&self) -> Vec<Calculation> {
        let Calculation { left, operator, right, .. } = self.gold;
        let others = ['+', '-', '*', '/'].into_iter().filter(|other| *other != operator);
        self.plausible(others.filter_map(|other| Calculation::of(left, other, right)))
    }

    fn wrong_operands(&self, numbers: &[Rational]) -> Vec<Calculation> {
        let Calculation { left, operator, right, .. } = self.gold;
        let wrong = numbers.iter().flat_map(|&other| [(other, right), (left, other)]);
        self.plausible(wrong.filter_map(|(left, right)| Calculation::of(left, operator, right)))
    }

    /// Those of another value, that is not below zero, and whole if the gold one is, or else a short decimal.
    fn plausible(&self, calculations: impl Iterator<Item = Calculation>) -> Vec<Calculation> {
        let places = self.gold.result.decimals().map_or(2, |decimals| if decimals == 0 { 0 } else { decimals.max(2) });
        calculations
            .filter(|wrong| {
                wrong.result != self.gold.result
                    && wrong.result.numerator() >= 0
                    && wrong.result.decimals().is_some_and(|decimals| decimals <= places)
            })
            .collect()
    }

    /// The step with another calculation.
    fn with(&self, wrong: &Calculation) -> String {
        let Self { before, shown, between, after, .. } = self;
        let Calculation { left, operator, right, result } = wrong;
        let shown = if shown.is_empty() { String::new() } else { format!("{left}{operator}{right}") };
        format!("{before}{shown}{between}<<{left}{operator}{right}={result}>>{result}{after}")
    }
}

/// The longest arithmetic of this value that stands before a last equals sign, and what is around it.
fn shown_arithmetic(front: &str, result: Rational) -> Option<(&str, &str, &str)> {
    let sign = front.trim_end_matches([' ', '$']).strip_suffix('=')?.len();
    let end = front[..sign].trim_end().len();
    let starts = front[..end].char_indices().rev().take_while(|(_, it)| !it.is_alphabetic() || matches!(it, 'x' | 'X'));
    let start = starts
        .filter(|(at, _)| {
            let stands_alone = !front[..*at].ends_with(|it: char| it.is_alphanumeric() || matches!(it, '.' | ','));
            let expression = Expression::parse(&front[*at..end]);
            stands_alone && !front[*at..].starts_with(' ') && expression.is_ok_and(|it| it.value() == Some(result))
        })
        .last()?
        .0;
    Some((&front[..start], &front[start..end], &front[end..]))
}

/// The numbers of the question, and of the annotations of the steps before.
fn numbers<S: AsRef<str>>(question: &str, steps: &[S]) -> Vec<Rational> {
    let words = question.split(|it: char| it.is_whitespace() || it == '-');
    let mut numbers: Vec<Rational> =
        words.filter_map(|word| number(word.trim_end_matches(['.', ',', '?', '!', ';']))).collect();
    for annotation in steps.iter().flat_map(|step| annotations(step.as_ref())) {
        numbers.extend(annotation.split(['+', '-', '*', '/', '=']).filter_map(number));
    }
    numbers
}

fn number(text: &str) -> Option<Rational> {
    match Expression::parse(text) {
        Ok(Expression::Number(number)) => Some(number),
        _ => None,
    }
}

fn whole(number: Rational) -> Option<i64> {
    if number.denominator() == 1 { i64::try_from(number.numerator()).ok() } else { None }
}

/// The step with another unit behind its last number.
fn unit_slip(step: &str, rng: &mut (impl Rng + ?Sized)) -> Option<String> {
    let (front, behind) = step.rsplit_once(">>")?;
    let unit =
        behind.split(|it: char| !it.is_alphanumeric() && !matches!(it, '.' | ',')).nth(1)?.trim_end_matches(['.', ',']);
    let others = UNITS.iter().find(|units| units.contains(&unit))?;
    let others: Vec<&&str> = others.iter().filter(|other| **other != unit).collect();
    choose(&others, rng).map(|other| format!("{front}>>{}", behind.replacen(unit, other, 1)))
}
