//! What is found by somebody who checks the sums and nothing else.

use crate::oracle::{Equation, Truth, annotations, partial_equations, without_annotations, without_latex};

/// The first step that shows an equation which does not hold; none if every equation that can be read does.
///
/// Looks at calculator annotations and at the text around them, in which LaTeX is read as far as it is arithmetic.
/// Rounding is not held against a step.
///
/// ```
/// use aprm_models::benchmark::equation_checker::first_false_step;
///
/// let steps = [r"She has \(3 + 4 = 7\) apples.", "That leaves <<7-2=4>>4.", "So 4 * 2 = 9."];
/// assert_eq!(first_false_step(&steps), Some(1));
/// assert_eq!(first_false_step(&["y - 5 = 11", "100 / 3 = 33.33"]), None);
/// ```
pub fn first_false_step(steps: &[impl AsRef<str>]) -> Option<usize> {
    steps.iter().position(|step| shows_false_equation(step.as_ref()))
}

fn shows_false_equation(step: &str) -> bool {
    let annotated = annotations(step).filter_map(|annotation| Equation::parse(annotation).ok());
    let shown = partial_equations(&without_latex(&without_annotations(step)));
    annotated.chain(shown).any(|equation| equation.truth() == Truth::False)
}
