//! Drawing problems.

use std::collections::HashSet;

use aprm_core::rand_core::Rng;

use super::wording::{Unit, Wording};
use super::{Distribution, DistributionError, Naming, Operation, Operator, Part, Problem};
use crate::draw::{between, choose, happens, index, shuffle};

/// How often a problem is begun anew before giving up.
const ATTEMPTS: u32 = 10_000;
/// How often a step's operator is drawn anew before its problem is given up.
const OPERATOR_ATTEMPTS: u32 = 8;
/// How often an operator's operands are drawn anew before it is given up.
const OPERAND_ATTEMPTS: u32 = 32;
/// How often the quantity that a product is taken of is sold for coins, in worded problems.
const PRICE: f64 = 0.3;
/// How often a new second operand is told in its operation's sentence only, in worded sums and differences.
const INLINE: f64 = 0.7;

impl Distribution {
    /// Draws a problem; equal generators give equal problems on every platform.
    ///
    /// # Errors
    /// If a field makes no sense, or the distribution is so narrow that no problem is found.
    pub fn draw(&self, rng: &mut (impl Rng + ?Sized)) -> Result<Problem, DistributionError> {
        self.validate()?;
        (0..ATTEMPTS)
            .find_map(|_| Draft::default().problem(self, rng))
            .ok_or(DistributionError::Exhausted { attempts: ATTEMPTS })
    }

    /// Draws a problem of one part.
    ///
    /// # Errors
    /// As [`draw`](Self::draw), also if all problems are of the other part.
    pub fn draw_from(&self, part: Part, rng: &mut (impl Rng + ?Sized)) -> Result<Problem, DistributionError> {
        for _ in 0..ATTEMPTS {
            let problem = self.draw(rng)?;
            if Part::of(&problem) == part {
                return Ok(problem);
            }
        }
        Err(DistributionError::Exhausted { attempts: ATTEMPTS })
    }

    /// Draws problems of one part, no two of which compute the same.
    ///
    /// # Errors
    /// As [`draw_from`](Self::draw_from), also if there are fewer different problems than `count`.
    pub fn draw_distinct(
        &self,
        part: Part,
        count: usize,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Vec<Problem>, DistributionError> {
        let (mut seen, mut problems) = (HashSet::new(), Vec::with_capacity(count));
        let mut repeated = 0;
        while problems.len() < count {
            let problem = self.draw_from(part, rng)?;
            if seen.insert(problem.fingerprint()) {
                problems.push(problem);
                repeated = 0;
            } else {
                repeated += 1;
                if repeated == ATTEMPTS {
                    return Err(DistributionError::TooFew { found: problems.len(), asked: count });
                }
            }
        }
        Ok(problems)
    }
}

/// A quantity of a problem in the making.
#[derive(Clone, Copy)]
struct Quantity {
    value: i64,
    unit: Unit,
    /// Whether the text gives it a name; otherwise no other operation can refer to it.
    named: bool,
    operation: Option<Operation>,
}

/// A problem in the making: givens and operations in the order in which they were drawn.
#[derive(Default)]
struct Draft {
    quantities: Vec<Quantity>,
    /// Results that no operation uses yet.
    open: Vec<usize>,
}

impl Draft {
    fn problem(mut self, distribution: &Distribution, rng: &mut (impl Rng + ?Sized)) -> Option<Problem> {
        let steps = between(distribution.steps, rng);
        for step in 0..steps {
            let remaining = (steps - step) as usize;
            // Operands are drawn anew before the operator is, since otherwise hardly anything would be divided.
            (0..OPERATOR_ATTEMPTS).find_map(|_| {
                let &operator = choose(&distribution.operators, rng)?;
                (0..OPERAND_ATTEMPTS).find_map(|_| self.operation(operator, distribution, remaining, rng))
            })?;
        }
        let operators = || self.quantities.iter().filter_map(|quantity| quantity.operation.map(|o| o.operator));
        let required = &distribution.required_operators;
        if !required.is_empty() && !operators().any(|operator| required.contains(&operator)) {
            return None;
        }
        let distractors = (0..between(distribution.distractors, rng))
            .map(|_| {
                let unit = choose(&self.quantities, rng).map_or(Unit::Noun, |quantity| quantity.unit);
                Quantity { value: between(distribution.givens, rng), unit, named: true, operation: None }
            })
            .collect::<Vec<_>>();
        self.arrange(distractors, distribution, rng)
    }

    /// Adds an operation of which `remaining` are to come, this one included; none if what is drawn leads out of bounds or changes
    /// nothing, as `x*1` does.
    fn operation(
        &mut self,
        operator: Operator,
        distribution: &Distribution,
        remaining: usize,
        rng: &mut (impl Rng + ?Sized),
    ) -> Option<()> {
        // Each later operation can close one result more than it opens, and one is left at the end.
        let (least, most) = ((self.open.len() + 1).saturating_sub(remaining), self.open.len().min(2));
        let closes = if distribution.independent_steps { least + index(most - least + 1, rng) } else { most };
        let mut operands = self.open.clone();
        shuffle(&mut operands, rng);
        operands.truncate(closes);
        while operands.len() < 2 && happens(distribution.reuse, rng) {
            let known = |&quantity: &usize| self.quantities[quantity].named && !operands.contains(&quantity);
            let known: Vec<usize> = (0..self.quantities.len()).filter(known).collect();
            let Some(&quantity) = choose(&known, rng) else { break };
            operands.push(quantity);
        }
        let mut operands = [operands.first().copied(), operands.get(1).copied()];
        if happens(0.5, rng) {
            operands.swap(0, 1);
        }
        let worded = !distribution.templates.is_empty();
        let scales = !matches!(operator, Operator::Add | Operator::Subtract);
        if worded && scales && operands[1].is_some() {
            operands.swap(0, 1);
            if operands[1].is_some() {
                return None;
            }
        }
        let known = operands.iter().flatten().map(|quantity| self.quantities[*quantity].unit).collect::<Vec<_>>();
        let unit = *known.first().unwrap_or(&Unit::Noun);
        if worded && known.iter().any(|other| *other != unit) {
            return None;
        }
        let inline = worded && operands[1].is_none() && (scales || happens(INLINE, rng));
        let new = [true, !inline].map(|named| Quantity {
            value: between(distribution.givens, rng),
            unit,
            named,
            operation: None,
        });
        let [left, right] = [0, 1].map(|side| operands[side].map_or(new[side], |known| self.quantities[known]).value);
        let value = operator.apply(left, right)?;
        let idle = value == left || operator.is_commutative() && value == right;
        if idle || !(distribution.results[0]..=distribution.results[1]).contains(&value) {
            return None;
        }
        let sold = worded && operator == Operator::Multiply && unit == Unit::Noun && happens(PRICE, rng);
        let operands = [0, 1].map(|side| {
            operands[side].unwrap_or_else(|| {
                self.quantities.push(new[side]);
                self.quantities.len() - 1
            })
        });
        self.open.retain(|open| !operands.contains(open));
        self.open.push(self.quantities.len());
        let unit = if sold { Unit::Money } else { unit };
        self.quantities.push(Quantity { value, unit, named: true, operation: Some(Operation { operator, operands }) });
        Some(())
    }

    /// Puts the givens first, distractors among them.
    fn arrange(
        self,
        distractors: Vec<Quantity>,
        distribution: &Distribution,
        rng: &mut (impl Rng + ?Sized),
    ) -> Option<Problem> {
        let (mut order, results): (Vec<usize>, Vec<usize>) =
            (0..self.quantities.len()).partition(|quantity| self.quantities[*quantity].operation.is_none());
        let mut quantities = self.quantities;
        for distractor in distractors {
            order.insert(index(order.len() + 1, rng), quantities.len());
            quantities.push(distractor);
        }
        let givens: Vec<i64> = order.iter().map(|quantity| quantities[*quantity].value).collect();
        order.extend(results);
        let mut places = vec![0; order.len()];
        for (place, quantity) in order.iter().enumerate() {
            places[*quantity] = place;
        }
        let operations = order.iter().filter_map(|quantity| quantities[*quantity].operation);
        let operations: Vec<Operation> = operations
            .map(|operation| Operation { operands: operation.operands.map(|operand| places[operand]), ..operation })
            .collect();
        let is_used = |given: usize| operations.iter().any(|operation| operation.operands.contains(&given));
        let nameless: Vec<bool> =
            (0..order.len()).map(|place| distribution.inline && place < givens.len() && is_used(place)).collect();
        if distribution.templates.is_empty() {
            let problem = Problem::nameless(&givens, operations).ok()?;
            let mut names: Vec<usize> = (0..distribution.letters).collect();
            match distribution.naming {
                Naming::FromA => {}
                Naming::FromAny => names.rotate_left(index(distribution.letters, rng)),
                Naming::Shuffled => shuffle(&mut names, rng),
            }
            let mut names = names.into_iter();
            let names = nameless.into_iter().map(|nameless| if nameless { None } else { names.next() });
            return Some(problem.named(names.collect()));
        }
        let problem = Problem::new(&givens, operations).ok()?;
        let named: Vec<bool> = order.iter().map(|quantity| quantities[*quantity].named).collect();
        let units = order.iter().map(|quantity| quantities[*quantity].unit).collect();
        Some(problem.worded(Wording::draw(&distribution.templates, &named, units, rng)?))
    }
}
