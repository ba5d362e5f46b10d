//! Those who choose: the generator, which rewrites steps, and the verifier, which labels them.

use rand_core::Rng;

/// A step of reasoning where it stands: what both players see.
///
/// The generator sees the gold step, the verifier the step that the generator put in its place and never the gold step
/// beside it, since none is there when the verifier is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position<Context, Step> {
    /// The problem and the steps before this one.
    pub context: Context,
    /// The step itself.
    pub step: Step,
}

/// One who acts on what it observes.
///
/// A closure is a player, so a rule or a table of recorded actions needs no type of its own.
///
/// ```
/// use aprm_core::player::{Player, Position};
/// use aprm_core::rand_core::Rng;
/// use core::convert::Infallible;
/// use rand::{rngs::ChaCha8Rng, SeedableRng};
///
/// let mut off_by_one = |position: &Position<(), i64>, _: &mut dyn Rng| Ok::<_, Infallible>(position.step + 1);
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let Ok(step) = off_by_one.act(&Position { context: (), step: 41 }, &mut rng);
/// assert_eq!(step, 42);
/// ```
///
/// # For implementors
/// Draw randomness from `rng` alone, so that one seed replays a whole game.
/// After an error the player is asked again with the same observation if the host chooses to go on.
pub trait Player<Observation: ?Sized> {
    /// What the player chooses.
    type Action;
    /// Why it could not choose; [`core::convert::Infallible`] for players that always can.
    type Error;

    /// Chooses an action.
    ///
    /// # Errors
    /// Whatever keeps the player from acting: a lost device, a broken pipe.
    fn act(&mut self, observation: &Observation, rng: &mut dyn Rng) -> Result<Self::Action, Self::Error>;
}

impl<Observation: ?Sized, Action, Error, F> Player<Observation> for F
where
    F: FnMut(&Observation, &mut dyn Rng) -> Result<Action, Error>,
{
    type Action = Action;
    type Error = Error;

    fn act(&mut self, observation: &Observation, rng: &mut dyn Rng) -> Result<Action, Error> {
        self(observation, rng)
    }
}

/// What a verifier says of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Label {
    /// The step is right.
    Correct,
    /// The step is wrong.
    Incorrect,
}
