//! Problems as text, and back.

use std::fmt;
use std::str::FromStr;

use super::{Operation, Problem, ProblemError, letter};
use crate::arithmetic::Operator;
use crate::arithmetic::step::leading_number;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(wording) = &self.wording {
            return f.write_str(&wording.text(self));
        }
        let write = |f: &mut fmt::Formatter<'_>, quantity: usize| match self.names[quantity] {
            Some(place) => f.write_str(letter(place)),
            None => write!(f, "{}", self.values[quantity]),
        };
        for (given, name) in self.givens().iter().zip(&self.names) {
            if let Some(place) = *name {
                write!(f, "{}={given};", letter(place))?;
            }
        }
        for (k, Operation { operator, operands: [left, right] }) in self.operations.iter().enumerate() {
            write(f, self.quantity(k))?;
            f.write_str("=")?;
            write(f, *left)?;
            write!(f, "{operator}")?;
            write(f, *right)?;
            f.write_str(if k + 1 == self.steps() { "?" } else { ";" })?;
        }
        Ok(())
    }
}

/// An operand as it is written, before it is known how many givens there are.
enum Operand {
    Given(usize),
    Result(usize),
}

impl FromStr for Problem {
    type Err = ProblemError;

    fn from_str(text: &str) -> Result<Self, ProblemError> {
        let syntax = |found: &str, expected: &str| ProblemError::Syntax {
            found: found.chars().take(40).collect(),
            expected: expected.to_owned(),
        };
        let definitions = text.strip_suffix('?').ok_or_else(|| syntax(text, "a text that ends in '?'"))?;
        let (mut givens, mut given_names) = (Vec::new(), Vec::new());
        let (mut operations, mut result_names) = (Vec::new(), Vec::new());
        for definition in definitions.split(';') {
            let (name, right) = match definition.as_bytes() {
                [name @ b'a'..=b'z', b'=', ..] => (Some(usize::from(name - b'a')), &definition[2..]),
                _ => return Err(syntax(definition, "the definition of a letter, as in a=16")),
            };
            if given_names.contains(&name) || result_names.contains(&name) {
                return Err(syntax(definition, "a letter that has no value yet"));
            }
            if let Some((given, "")) = leading_number(right).filter(|_| operations.is_empty()) {
                givens.push(given);
                given_names.push(name);
                continue;
            }
            let mut operand = |text: &'_ str| -> Option<(Operand, usize)> {
                if let Some((given, rest)) = leading_number(text) {
                    givens.push(given);
                    given_names.push(None);
                    return Some((Operand::Given(givens.len() - 1), text.len() - rest.len()));
                }
                let letter = text.bytes().next().filter(u8::is_ascii_lowercase)?;
                let place =
                    |names: &[Option<usize>]| names.iter().position(|name| *name == Some(usize::from(letter - b'a')));
                let known = place(&given_names).map(Operand::Given);
                Some((known.or_else(|| place(&result_names).map(Operand::Result))?, 1))
            };
            let expected = "a number, or behind all these an operation on numbers or letters that have values";
            let operation = (|| {
                let (left, length) = operand(right)?;
                let operator = Operator::from_symbol(right[length..].chars().next()?)?;
                let rest = &right[length + 1..];
                let (right, length) = operand(rest)?;
                (length == rest.len()).then_some((operator, [left, right]))
            })();
            operations.push(operation.ok_or_else(|| syntax(definition, expected))?);
            result_names.push(name);
        }
        let of_operand = |operand| match operand {
            Operand::Given(given) => given,
            Operand::Result(result) => givens.len() + result,
        };
        let operations = operations
            .into_iter()
            .map(|(operator, operands)| Operation { operator, operands: operands.map(of_operand) })
            .collect();
        given_names.extend(result_names);
        Ok(Self::nameless(&givens, operations)?.named(given_names))
    }
}
