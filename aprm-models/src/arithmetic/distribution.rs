use serde::{Deserialize, Serialize};

use super::problem::LETTERS;
use super::{Operator, TemplateSet};

/// Which problems are drawn; every range includes both its ends.
///
/// ```
/// use aprm_models::arithmetic::{Distribution, Form, Preset};
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
///
/// let distribution = Preset::InDistribution.distribution(Form::WordFree);
/// let problem = distribution.draw(&mut ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(problem.to_string(), "a=7;b=15;c=a+b;d=c-b;e=b+d?");
/// assert_eq!(problem.solution(), ["c=7+15=22", "d=22-15=7", "e=15+7=22"]);
/// # Ok::<_, aprm_models::arithmetic::DistributionError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// The number of operations.
    pub steps: [i64; 2],
    /// The numbers that a problem states.
    pub givens: [i64; 2],
    /// The results of all steps.
    pub results: [i64; 2],
    /// What steps do; each is tried equally often, though not all come out whole and within bounds equally often, and
    /// none leaves a number as it is.
    pub operators: Vec<Operator>,
    /// Of these at least one is in every problem; empty if none has to be.
    #[serde(default)]
    pub required_operators: Vec<Operator>,
    /// How often an operand is a quantity that is there already, rather than a new given.
    pub reuse: f64,
    /// Whether a step may leave the result before it for later; otherwise each step uses the one before.
    #[serde(default)]
    pub independent_steps: bool,
    /// The number of givens that no step uses.
    pub distractors: [i64; 2],
    /// Whether givens of problems without words stand as numbers in the operations, as in `a=16*2;b=a-16?`, and only
    /// those that no step uses have names.
    #[serde(default)]
    pub inline: bool,
    /// Which letters name the quantities of problems without words.
    #[serde(default)]
    pub naming: Naming,
    /// Of how many letters, the first of the alphabet.
    #[serde(default = "all_letters")]
    pub letters: usize,
    /// The sentences to draw from; none for problems without words.
    #[serde(default)]
    pub templates: Vec<TemplateSet>,
}

/// Which letters name quantities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// In alphabetical order from a: a name says where its quantity stands.
    #[default]
    FromA,
    /// In alphabetical order from any letter, a after the last.
    FromAny,
    /// Any.
    Shuffled,
}

/// Why a distribution has no problems to draw.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DistributionError {
    /// A range ends before it begins.
    #[error("{field} = [{least}, {most}] is empty: the first number is the least, the second the most")]
    EmptyRange {
        /// The field.
        field: &'static str,
        /// Its first number.
        least: i64,
        /// Its second number.
        most: i64,
    },
    /// A number lies outside of what makes sense.
    #[error("{field} has {found}, where {expected} is expected")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// What stands there.
        found: f64,
        /// What may.
        expected: &'static str,
    },
    /// No operator is given.
    #[error("operators is empty: name at least one")]
    NoOperator,
    /// An operator is required but not among those that are drawn.
    #[error("required_operators has {0:?}, which operators has not")]
    RequiredOperator(Operator),
    /// Some quantities would have no names.
    #[error("steps and distractors allow {quantities} named quantities, more than the {letters} letters")]
    TooManyQuantities {
        /// How many there can be.
        quantities: i64,
        /// How many have names.
        letters: usize,
    },
    /// Nothing was found in many attempts.
    #[error("no problem in {attempts} attempts: widen results or givens, lower steps or allow more operators")]
    Exhausted {
        /// How many.
        attempts: u32,
    },
    /// Fewer different problems were found than asked for.
    #[error("{found} different problems, where {asked} are asked for: widen the distribution or ask for fewer")]
    TooFew {
        /// How many were found.
        found: usize,
        /// How many were asked for.
        asked: usize,
    },
}

impl Distribution {
    /// Whether its fields make sense; a distribution that passes may still be too narrow to draw from.
    ///
    /// # Errors
    /// The first field that does not.
    pub fn validate(&self) -> Result<(), DistributionError> {
        let ranges = [
            ("steps", self.steps, [1, 25], "1 to 25"),
            ("distractors", self.distractors, [0, 25], "0 to 25"),
            ("givens", self.givens, [-MAGNITUDE, MAGNITUDE], "at most a million in magnitude"),
            ("results", self.results, [-MAGNITUDE, MAGNITUDE], "at most a million in magnitude"),
        ];
        for (field, [least, most], bounds, expected) in ranges {
            if least > most {
                return Err(DistributionError::EmptyRange { field, least, most });
            }
            if let Some(&found) = [least, most].iter().find(|number| !(bounds[0]..=bounds[1]).contains(number)) {
                return Err(DistributionError::OutOfRange { field, found: found as f64, expected });
            }
        }
        if !(0.0..=1.0).contains(&self.reuse) {
            let expected = "a probability";
            return Err(DistributionError::OutOfRange { field: "reuse", found: self.reuse, expected });
        }
        if self.operators.is_empty() {
            return Err(DistributionError::NoOperator);
        }
        if let Some(&missing) = self.required_operators.iter().find(|required| !self.operators.contains(required)) {
            return Err(DistributionError::RequiredOperator(missing));
        }
        if self.letters > LETTERS.len() {
            let found = self.letters as f64;
            return Err(DistributionError::OutOfRange { field: "letters", found, expected: "at most 26" });
        }
        // A tree of binary operations has one leaf more than it has nodes.
        let givens = if self.inline { 0 } else { self.steps[1] + 1 };
        let quantities = givens + self.steps[1] + self.distractors[1];
        if quantities > self.letters as i64 {
            return Err(DistributionError::TooManyQuantities { quantities, letters: self.letters });
        }
        Ok(())
    }
}

fn all_letters() -> usize {
    LETTERS.len()
}

/// What keeps products within 64 bits.
const MAGNITUDE: i64 = 1_000_000;
