//! The judge of steps.

/// What an oracle finds of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The step is right where it stands.
    Correct,
    /// The step is wrong where it stands.
    Incorrect,
    /// The oracle cannot tell, for instance because the step does not parse.
    Undecidable,
}

/// A symbolic judge that says whether a step is right (not the best-response oracle of the double-oracle literature).
///
/// A closure is an oracle.
///
/// ```
/// use aprm_core::oracle::{Oracle, Verdict};
/// use core::convert::Infallible;
///
/// let mut equality = |_: &(), gold: &i64, step: &i64| {
///     Ok::<_, Infallible>(if gold == step { Verdict::Correct } else { Verdict::Incorrect })
/// };
/// assert_eq!(equality.judge(&(), &4, &5), Ok(Verdict::Incorrect));
/// ```
///
/// # For implementors
/// Answer [`Verdict::Undecidable`] rather than guess: an undecidable step pays the generator nothing and is not
/// trained on, whereas a wrong verdict teaches both players something false.
pub trait Oracle<Context: ?Sized, Step: ?Sized> {
    /// Why no verdict could be reached at all; [`core::convert::Infallible`] for oracles inside the program.
    type Error;

    /// Judges `step`, put in the place of `gold_step` in `context`.
    ///
    /// # Errors
    /// A failure of the oracle itself, as of an external process; a step that it does not understand is
    /// [`Verdict::Undecidable`], not an error.
    fn judge(&mut self, context: &Context, gold_step: &Step, step: &Step) -> Result<Verdict, Self::Error>;
}

impl<Context: ?Sized, Step: ?Sized, Error, F> Oracle<Context, Step> for F
where
    F: FnMut(&Context, &Step, &Step) -> Result<Verdict, Error>,
{
    type Error = Error;

    fn judge(&mut self, context: &Context, gold_step: &Step, step: &Step) -> Result<Verdict, Error> {
        self(context, gold_step, step)
    }
}
