use serde::{Deserialize, Serialize};

use super::Operator;

/// A way to tell problems in sentences.
///
/// Some sets are for training, the others are held out, so that a model can be tried on sentences that it never saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateSet {
    /// "Ann has 2 times as many as Tom."
    Owners,
    /// "For each of Tom's, Ann got 2."
    Gifts,
    /// "Ann's jar: 2 times Tom's."
    Jars,
    /// "Take Tom's, times 2: these are Ann's."
    Riddles,
}

/// The sentences of a set. `{new}` is who is told of, `{old}` and `{other}` are known already, `{n}` is a number and
/// `{unit}` the unit of what is told.
pub(super) struct Templates {
    pub(super) given: &'static str,
    /// With a number in the sentence, in the order of [`Operator::ALL`].
    with_number: [&'static str; 5],
    /// A number of coins for each.
    pub(super) price: &'static str,
    /// The sum of two who are known.
    pub(super) together: &'static str,
    /// The difference of two who are known.
    pub(super) beyond: &'static str,
    pub(super) question: &'static str,
}

impl TemplateSet {
    /// Those to train on.
    pub const TRAINING: [Self; 2] = [Self::Owners, Self::Gifts];
    /// Those that are never trained on.
    pub const HELD_OUT: [Self; 2] = [Self::Jars, Self::Riddles];

    pub(super) fn templates(self) -> &'static Templates {
        match self {
            Self::Owners => &OWNERS,
            Self::Gifts => &GIFTS,
            Self::Jars => &JARS,
            Self::Riddles => &RIDDLES,
        }
    }
}

impl Templates {
    pub(super) fn with_number(&self, operator: Operator) -> &'static str {
        self.with_number[operator as usize]
    }
}

const OWNERS: Templates = Templates {
    given: "{new} has {n} {unit}.",
    with_number: [
        "{new} has {n} more than {old}.",
        "{new} has {n} fewer than {old}.",
        "{new} has {n} times as many as {old}.",
        "{new} has 1/{n} as many as {old}.",
        "{new} has what {old} has left after filling boxes of {n}.",
    ],
    price: "{new} has {n} {unit} for each that {old} has.",
    together: "{new} has as many as {old} and {other} together.",
    beyond: "{new} has what {old} has beyond {other}.",
    question: "How many {unit} has {new}?",
};

const GIFTS: Templates = Templates {
    given: "{new} got {n} {unit}.",
    with_number: [
        "{new} got as many as {old}, then {n} more.",
        "{new} got as many as {old}, then lost {n}.",
        "For each of {old}'s, {new} got {n}.",
        "{new} got one for every {n} of {old}'s.",
        "{old} made piles of {n}; {new} got what was left.",
    ],
    price: "{new} got {n} {unit} for each of {old}'s.",
    together: "{new} got as many as both {old} and {other}.",
    beyond: "{new} got as many as {old}, then lost as many as {other}'s.",
    question: "How many {unit} did {new} get?",
};

const JARS: Templates = Templates {
    given: "{new}'s jar: {n} {unit}.",
    with_number: [
        "{new}'s jar: {old}'s plus {n}.",
        "{new}'s jar: {old}'s minus {n}.",
        "{new}'s jar: {n} times {old}'s.",
        "{new}'s jar: {old}'s shared by {n}.",
        "{new}'s jar: the rest when {old}'s is shared by {n}.",
    ],
    price: "{new}'s jar: {n} {unit} times {old}'s.",
    together: "{new}'s jar: {old}'s plus {other}'s.",
    beyond: "{new}'s jar: {old}'s minus {other}'s.",
    question: "How many {unit} are in {new}'s jar?",
};

const RIDDLES: Templates = Templates {
    given: "There are {n} {unit} for {new}.",
    with_number: [
        "Put {n} to as many as {old} has: these are for {new}.",
        "Take {n} from as many as {old} has: these are for {new}.",
        "Take as many as {old} has {n} times: these are for {new}.",
        "Share as many as {old} has by {n}: one share is for {new}.",
        "Share as many as {old} has by {n}: the rest is for {new}.",
    ],
    price: "Sell as many as {old} has at {n} {unit} each: these are for {new}.",
    together: "Put as many as {other} has to as many as {old} has: these are for {new}.",
    beyond: "Take as many as {other} has from as many as {old} has: these are for {new}.",
    question: "How many {unit} are for {new}?",
};
