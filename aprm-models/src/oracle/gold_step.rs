use std::convert::Infallible;

use aprm_core::oracle::{Oracle, Verdict};

use super::{Context, Equation, Rational, Truth, annotations, equations, without_annotations};

/// The judge of steps in sentences, by the arithmetic that they show beside that of the gold step.
///
/// | a step | verdict |
/// |---|---|
/// | is the gold step, spaces and annotations aside | correct |
/// | shows an equation that does not hold | incorrect |
/// | shows no equation that can be read, or one that is only rounded | undecidable |
/// | comes to the value that the gold step comes to | correct |
/// | comes to another value | incorrect |
///
/// What a step comes to is the last side of its last equation; calculator annotations `<<48/2=24>>` count before the
/// equations around them, whose falseness counts all the same. Units and words are not looked at, so a unit slip is
/// taken for correct, which pays a generator nothing.
///
/// ```
/// use aprm_core::oracle::{Oracle, Verdict};
/// use aprm_models::oracle::{Context, GoldStepOracle};
///
/// let context: Context<String> = Context::default();
/// let gold = "In May she sold 48/2 = <<48/2=24>>24 clips.";
/// let mut judge = |step| GoldStepOracle.judge(&context, gold, step);
/// assert_eq!(judge("In May she sold 48 * 1/2 = 24 clips."), Ok(Verdict::Correct));
/// assert_eq!(judge("In May she sold 48*2 = 96 clips."), Ok(Verdict::Incorrect));
/// assert_eq!(judge("In May she sold some clips."), Ok(Verdict::Undecidable));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GoldStepOracle;

/// What the arithmetic of a step says.
struct Arithmetic {
    is_false: bool,
    /// What it comes to; none if that cannot be read, or is only rounded.
    result: Option<Rational>,
}

impl Arithmetic {
    fn of(step: &str) -> Self {
        let annotated: Vec<_> = annotations(step).map(|annotation| Equation::parse(annotation).ok()).collect();
        let shown = equations(&without_annotations(step));
        let is_false = annotated.iter().chain(&shown).flatten().any(|equation| equation.truth() == Truth::False);
        let decisive = if annotated.is_empty() { shown } else { annotated };
        let exact = decisive.iter().all(|equation| equation.as_ref().is_some_and(|it| it.truth() == Truth::Exact));
        let last = decisive.last().filter(|_| exact);
        Self { is_false, result: last.and_then(|equation| equation.as_ref()?.result()) }
    }
}

impl<P, S: AsRef<str> + ?Sized> Oracle<Context<P>, S> for GoldStepOracle {
    type Error = Infallible;

    fn judge(&mut self, _: &Context<P>, gold_step: &S, step: &S) -> Result<Verdict, Infallible> {
        let (gold_step, step) = (gold_step.as_ref(), step.as_ref());
        if bare(gold_step) == bare(step) && annotations_are_kept(gold_step, step) {
            return Ok(Verdict::Correct);
        }
        let (gold, step) = (Arithmetic::of(gold_step), Arithmetic::of(step));
        Ok(match (gold.result, step.result) {
            _ if step.is_false => Verdict::Incorrect,
            (Some(gold), Some(step)) if gold == step => Verdict::Correct,
            (Some(_), Some(_)) => Verdict::Incorrect,
            _ => Verdict::Undecidable,
        })
    }
}

/// The words and signs of a step, without annotations and spaces.
fn bare(step: &str) -> String {
    without_annotations(step).split_whitespace().collect()
}

/// Whether the annotations of a step are the gold step's, or left out.
fn annotations_are_kept(gold_step: &str, step: &str) -> bool {
    annotations(step).next().is_none() || annotations(step).eq(annotations(gold_step))
}
