//! One round of the game, one step at a time.

use core::ops::ControlFlow;

use rand_core::Rng;

use crate::oracle::{Oracle, Verdict};
use crate::player::{Label, Player, Position};
use crate::reward::{Judged, Payoff, Reward};

/// How far a round has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The position is on the table; the generator is next.
    Dealt,
    /// The generator has put its step in the gold step's place; the oracle is next.
    Perturbed,
    /// The oracle has judged the step; the verifier is next.
    Judged,
    /// The verifier has labelled the step; the reward is next.
    Labelled,
    /// Both players have been paid; the round is over.
    Paid,
}

/// Who takes part in a round, lent by the host for as long as it likes.
#[derive(Debug)]
pub struct Seats<'a, G: ?Sized, O: ?Sized, V: ?Sized, R: ?Sized> {
    /// Sees the gold step in its context, answers with the step to put in its place.
    pub generator: &'a mut G,
    /// Sees the context, the gold step and the generator's.
    pub oracle: &'a mut O,
    /// Sees the generator's step in its context, answers with a label.
    pub verifier: &'a mut V,
    /// Pays for the outcome.
    pub reward: &'a R,
}

/// The random streams of a round: one per player, so that what one draws never shifts what the other does.
#[expect(missing_debug_implementations, reason = "a borrowed generator has no printable state")]
pub struct Streams<'a> {
    /// What the generator draws from.
    pub generator: &'a mut dyn Rng,
    /// What the verifier draws from.
    pub verifier: &'a mut dyn Rng,
}

/// Why a round could not advance; it stands where it stood and can be advanced again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoundError<G, O, V> {
    /// The generator could not act.
    #[error("the generator could not act")]
    Generator(#[source] G),
    /// The oracle could not judge.
    #[error("the oracle could not judge")]
    Oracle(#[source] O),
    /// The verifier could not act.
    #[error("the verifier could not act")]
    Verifier(#[source] V),
}

/// A labelled round as the reward sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome<'a, Context, Step, L> {
    /// The problem and the steps before.
    pub context: &'a Context,
    /// The step that was replaced.
    pub gold_step: &'a Step,
    /// The step that replaced it.
    pub step: &'a Step,
    /// What the oracle found of it.
    pub verdict: Verdict,
    /// What the verifier said of it.
    pub label: &'a L,
}

impl<Context, Step, L: Copy + Into<Label>> Judged for Outcome<'_, Context, Step, L> {
    fn verdict(&self) -> Verdict {
        self.verdict
    }
    fn label(&self) -> Label {
        (*self.label).into()
    }
}

/// One round: deal, generate, judge, label, pay.
///
/// The round is a value that the host owns: it may advance it when it likes, look at it between any two stages, keep
/// it for later or drop it.
/// Labels are the verifier's own type, so they may carry a log-probability; the payoff tables need that it converts
/// into a [`Label`].
///
/// ```
/// use aprm_core::{oracle::Verdict, player::{Label, Position}, reward::PayoffTable};
/// use aprm_core::round::{Round, Seats, Stage, Streams};
/// use aprm_core::rand_core::Rng;
/// use core::convert::Infallible;
/// use rand::{rngs::ChaCha8Rng, SeedableRng};
///
/// let mut generator = |gold: &Position<&str, i64>, _: &mut dyn Rng| Ok::<_, Infallible>(gold.step + 10);
/// let mut oracle = |_: &&str, gold: &i64, step: &i64| {
///     Ok::<_, Infallible>(if gold == step { Verdict::Correct } else { Verdict::Incorrect })
/// };
/// let mut verifier = |seen: &Position<&str, i64>, _: &mut dyn Rng| {
///     Ok::<_, Infallible>(if seen.step < 100 { Label::Correct } else { Label::Incorrect })
/// };
/// let mut seats = Seats {
///     generator: &mut generator, oracle: &mut oracle, verifier: &mut verifier, reward: &PayoffTable::<f64>::default(),
/// };
/// let (mut left, mut right) = (ChaCha8Rng::seed_from_u64(0), ChaCha8Rng::seed_from_u64(1));
/// let mut streams = Streams { generator: &mut left, verifier: &mut right };
///
/// let mut round = Round::deal("40 + 2", 42);
/// while round.stage() < Stage::Paid {
///     round.advance(&mut seats, &mut streams).unwrap();
/// }
/// assert_eq!(round.verdict(), Some(Verdict::Incorrect));
/// assert_eq!(round.payoff().unwrap().generator, 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round<Context, Step, L, T> {
    position: Position<Context, Step>,
    gold_step: Option<Step>,
    verdict: Option<Verdict>,
    label: Option<L>,
    payoff: Option<Payoff<T>>,
}

impl<Context, Step, L, T: Copy> Round<Context, Step, L, T> {
    /// Starts a round from a problem with its steps so far, and the gold step that follows.
    pub const fn deal(context: Context, gold_step: Step) -> Self {
        let position = Position { context, step: gold_step };
        Self { position, gold_step: None, verdict: None, label: None, payoff: None }
    }

    /// How far the round has come.
    pub fn stage(&self) -> Stage {
        match (&self.gold_step, self.verdict, &self.label, self.payoff) {
            (None, ..) => Stage::Dealt,
            (_, None, ..) => Stage::Perturbed,
            (_, _, None, _) => Stage::Judged,
            (.., None) => Stage::Labelled,
            _ => Stage::Paid,
        }
    }

    /// The step on the table in its context: the gold step until the generator has acted, then the generator's.
    pub fn position(&self) -> &Position<Context, Step> {
        &self.position
    }

    /// The step that was dealt.
    pub fn gold_step(&self) -> &Step {
        self.gold_step.as_ref().unwrap_or(&self.position.step)
    }

    /// What the oracle found, once it has judged.
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    /// What the verifier said, once it has acted.
    pub fn label(&self) -> Option<&L> {
        self.label.as_ref()
    }

    /// What both were paid, at the end.
    pub fn payoff(&self) -> Option<Payoff<T>> {
        self.payoff
    }

    /// Takes the next step and says which stage it led to; a round that is over stays as it is.
    ///
    /// # Errors
    /// The failing participant's error.
    /// The round is unchanged by it.
    #[expect(clippy::type_complexity, reason = "each participant has an error of its own")]
    pub fn advance<G, O, V, R>(
        &mut self,
        seats: &mut Seats<'_, G, O, V, R>,
        streams: &mut Streams<'_>,
    ) -> Result<Stage, RoundError<G::Error, O::Error, V::Error>>
    where
        G: Player<Position<Context, Step>, Action = Step> + ?Sized,
        O: Oracle<Context, Step> + ?Sized,
        V: Player<Position<Context, Step>, Action = L> + ?Sized,
        R: for<'a> Reward<Outcome<'a, Context, Step, L>, Scalar = T> + ?Sized,
    {
        let Position { context, step } = &self.position;
        match (&self.gold_step, self.verdict, &self.label, self.payoff) {
            (None, ..) => {
                let step =
                    seats.generator.act(&self.position, &mut *streams.generator).map_err(RoundError::Generator)?;
                self.gold_step = Some(core::mem::replace(&mut self.position.step, step));
            }
            (Some(gold_step), None, ..) => {
                self.verdict = Some(seats.oracle.judge(context, gold_step, step).map_err(RoundError::Oracle)?);
            }
            (Some(_), Some(_), None, _) => {
                let label = seats.verifier.act(&self.position, &mut *streams.verifier).map_err(RoundError::Verifier)?;
                self.label = Some(label);
            }
            (Some(gold_step), Some(verdict), Some(label), None) => {
                let outcome = Outcome { context, gold_step, step, verdict, label };
                self.payoff = Some(seats.reward.payoff(&outcome));
            }
            (.., Some(_)) => {}
        }
        Ok(self.stage())
    }

    /// Advances to the end, showing the round to `observe` after each stage, which may stop it there.
    ///
    /// Returns the stage that was reached: [`Stage::Paid`], or the one at which the observer broke off.
    ///
    /// # Errors
    /// As [`Round::advance`]; the stages before the failing one are kept.
    #[expect(clippy::type_complexity, reason = "each participant has an error of its own")]
    pub fn play<G, O, V, R>(
        &mut self,
        seats: &mut Seats<'_, G, O, V, R>,
        streams: &mut Streams<'_>,
        mut observe: impl FnMut(&Self) -> ControlFlow<()>,
    ) -> Result<Stage, RoundError<G::Error, O::Error, V::Error>>
    where
        G: Player<Position<Context, Step>, Action = Step> + ?Sized,
        O: Oracle<Context, Step> + ?Sized,
        V: Player<Position<Context, Step>, Action = L> + ?Sized,
        R: for<'a> Reward<Outcome<'a, Context, Step, L>, Scalar = T> + ?Sized,
    {
        while self.stage() < Stage::Paid {
            self.advance(seats, streams)?;
            if observe(self).is_break() {
                break;
            }
        }
        Ok(self.stage())
    }
}
