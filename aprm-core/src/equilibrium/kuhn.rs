//! Kuhn poker as a bimatrix game: three cards, one betting round, known to the last digit.
//!
//! Both players put in 1 and get one of J, Q, K.
//! The first checks or bets 1; against a bet the other folds or calls; after a check the second may bet in turn.
//! Its value to the first player is −1/18.
//!
//! # Reference
//! Kuhn 1950. NashConv of the uniform strategies, 11/12, and of always folding, 2, as in OpenSpiel.

use super::Bimatrix;
use crate::scalar::Scalar;

/// Pure strategies of the first player: for each card check and fold, check and call, or bet.
pub const FIRST_CHOICES: usize = 27;
/// Pure strategies of the second player: for each card check or bet after a check, fold or call after a bet.
pub const SECOND_CHOICES: usize = 64;

/// How a player acts with one card.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Behaviour<T> {
    /// The probability of betting: at the start for the first player, after a check for the second.
    pub bet: T,
    /// The probability of calling a bet.
    pub call: T,
}

/// The payoff matrices: the first player's and its negative, row by row.
///
/// ```
/// use aprm_core::equilibrium::kuhn;
///
/// let (first, second) = kuhn::payoffs::<f64>();
/// let game = kuhn::bimatrix(&first, &second);
/// assert_eq!((game.rows, game.columns), (27, 64));
/// ```
pub fn payoffs<T: Scalar>() -> ([T; FIRST_CHOICES * SECOND_CHOICES], [T; FIRST_CHOICES * SECOND_CHOICES]) {
    let mut first = [T::zero(); FIRST_CHOICES * SECOND_CHOICES];
    for (i, row) in first.chunks_exact_mut(SECOND_CHOICES).enumerate() {
        for (j, payoff) in row.iter_mut().enumerate() {
            let mut total = 0_i32;
            for (card, other) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
                total += play(card > other, digit(i, 3, card), digit(j, 4, other));
            }
            *payoff = T::of(f64::from(total)) / T::of(6.0);
        }
    }
    let second = first.map(|payoff| -payoff);
    (first, second)
}

/// The game of the two payoff matrices.
pub fn bimatrix<'a, T>(
    first: &'a [T; FIRST_CHOICES * SECOND_CHOICES],
    second: &'a [T; FIRST_CHOICES * SECOND_CHOICES],
) -> Bimatrix<'a, T> {
    Bimatrix { rows: FIRST_CHOICES, columns: SECOND_CHOICES, row_payoff: first, column_payoff: second }
}

/// The mixed strategy of a first player that behaves so with J, Q and K.
pub fn first_strategy<T: Scalar>(behaviour: &[Behaviour<T>; 3]) -> [T; FIRST_CHOICES] {
    core::array::from_fn(|i| {
        let cards = behaviour.iter().enumerate();
        cards.fold(T::one(), |product, (card, &Behaviour { bet, call })| {
            product
                * match digit(i, 3, card) {
                    0 => (T::one() - bet) * (T::one() - call),
                    1 => (T::one() - bet) * call,
                    _ => bet,
                }
        })
    })
}

/// The mixed strategy of a second player that behaves so with J, Q and K.
pub fn second_strategy<T: Scalar>(behaviour: &[Behaviour<T>; 3]) -> [T; SECOND_CHOICES] {
    core::array::from_fn(|j| {
        let cards = behaviour.iter().enumerate();
        cards.fold(T::one(), |product, (card, &Behaviour { bet, call })| {
            let plan = digit(j, 4, card);
            let after_check = if plan & 1 == 1 { bet } else { T::one() - bet };
            let after_bet = if plan & 2 == 2 { call } else { T::one() - call };
            product * after_check * after_bet
        })
    })
}

/// An equilibrium profile of the one-parameter family, α in [0, 1/3].
///
/// The first player bets J with probability α and K with 3α, calls with Q with α + 1/3 and with K always; the second
/// bluffs with J and calls with Q one time in three, and bets and calls with K.
pub fn equilibrium<T: Scalar>(alpha: T) -> ([T; FIRST_CHOICES], [T; SECOND_CHOICES]) {
    let (never, always, third) = (T::zero(), T::one(), T::of(3.0).recip());
    let first = [
        Behaviour { bet: alpha, call: never },
        Behaviour { bet: never, call: alpha + third },
        Behaviour { bet: T::of(3.0) * alpha, call: always },
    ];
    let second = [
        Behaviour { bet: third, call: never },
        Behaviour { bet: never, call: third },
        Behaviour { bet: always, call: always },
    ];
    (first_strategy(&first), second_strategy(&second))
}

/// The plan for a card in a pure strategy, whose digits to the given base are the plans for J, Q and K.
fn digit(strategy: usize, base: usize, card: usize) -> usize {
    (0..card).fold(strategy, |rest, _| rest / base) % base
}

/// What the first player wins with its plan against the second's.
fn play(first_wins: bool, first_plan: usize, second_plan: usize) -> i32 {
    let showdown = |stake: i32| if first_wins { stake } else { -stake };
    let (second_bets, second_calls) = (second_plan & 1 == 1, second_plan & 2 == 2);
    match first_plan {
        2 if second_calls => showdown(2),
        2 => 1,
        _ if !second_bets => showdown(1),
        1 => showdown(2),
        _ => -1,
    }
}
