//! The sentences that a problem is told in.

use aprm_core::rand_core::Rng;

use super::{Operation, Operator, Problem, TemplateSet};
use crate::draw::{choose, shuffle};

/// Who owns quantities, by the name that their step begins with.
const NAMES: [&str; 26] = [
    "Ann", "Bea", "Bob", "Dan", "Dot", "Eli", "Eve", "Ida", "Ian", "Jim", "Joe", "Kai", "Kim", "Lea", "Liz", "Lou",
    "Max", "Mia", "Ned", "Nia", "Sam", "Sue", "Ted", "Tim", "Tom", "Zoe",
];
/// What is counted.
pub(super) const NOUNS: [&str; 8] = ["books", "cards", "cups", "eggs", "nuts", "pens", "rings", "shells"];
/// What it is sold for.
pub(super) const MONEY: &str = "coins";

/// In which unit a quantity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Unit {
    Noun,
    Money,
}

/// Names and units of a problem's quantities, and the sentences that tell of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wording {
    templates: TemplateSet,
    noun: &'static str,
    /// Of each quantity; none for a number that only its sentence tells.
    names: Vec<Option<&'static str>>,
    units: Vec<Unit>,
}

impl Wording {
    /// Names for those quantities that need one; none if there are no templates.
    pub(super) fn draw(
        templates: &[TemplateSet],
        named: &[bool],
        units: Vec<Unit>,
        rng: &mut (impl Rng + ?Sized),
    ) -> Option<Self> {
        let &templates = choose(templates, rng)?;
        let &noun = choose(&NOUNS, rng)?;
        let mut order = NAMES;
        shuffle(&mut order, rng);
        let mut order = order.into_iter();
        let names = named.iter().map(|named| if *named { order.next() } else { None }).collect();
        Some(Self { templates, noun, names, units })
    }

    pub(super) fn name(&self, quantity: usize) -> Option<&'static str> {
        self.names[quantity]
    }

    pub(super) fn unit(&self, quantity: usize) -> &'static str {
        match self.units[quantity] {
            Unit::Noun => self.noun,
            Unit::Money => MONEY,
        }
    }

    pub(super) fn text(&self, problem: &Problem) -> String {
        let templates = self.templates.templates();
        let mut sentences = Vec::new();
        for quantity in 0..problem.givens().len() {
            if self.name(quantity).is_some() {
                sentences.push(self.sentence(templates.given, problem, quantity, [quantity; 2]));
            }
        }
        for (k, &Operation { operator, operands }) in problem.operations().iter().enumerate() {
            let quantity = problem.quantity(k);
            let template = match (operator, self.name(operands[1])) {
                (Operator::Add, Some(_)) => templates.together,
                (Operator::Subtract, Some(_)) => templates.beyond,
                (Operator::Multiply, _) if self.units[quantity] != self.units[operands[0]] => templates.price,
                _ => templates.with_number(operator),
            };
            sentences.push(self.sentence(template, problem, quantity, operands));
        }
        let asked = problem.values().len() - 1;
        sentences.push(self.sentence(templates.question, problem, asked, [asked; 2]));
        sentences.join(" ")
    }

    /// A template with `quantity` as the new one, and the operands as the old one and the other or the number.
    fn sentence(&self, template: &str, problem: &Problem, quantity: usize, [old, other]: [usize; 2]) -> String {
        let name = |quantity: usize| self.name(quantity).unwrap_or_default();
        template
            .replace("{new}", name(quantity))
            .replace("{old}", name(old))
            .replace("{other}", name(other))
            .replace("{n}", &problem.values()[other].to_string())
            .replace("{unit}", self.unit(quantity))
    }
}
