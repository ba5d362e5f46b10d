use aprm_core::oracle::{Oracle, Verdict};

/// Two oracles, the second of which is asked only where the first cannot tell.
///
/// Longer rows nest: `FirstDecisive(a, FirstDecisive(b, c))`.
///
/// ```
/// use aprm_core::oracle::{Oracle, Verdict};
/// use aprm_models::oracle::{Context, FirstDecisive, GoldStepOracle};
/// use std::convert::Infallible;
///
/// let stern = |_: &Context<String>, _: &str, _: &str| Ok::<_, Infallible>(Verdict::Incorrect);
/// let mut oracle = FirstDecisive(GoldStepOracle, stern);
/// assert_eq!(oracle.judge(&Context::default(), "1+1=2", "2=2"), Ok(Verdict::Correct));
/// assert_eq!(oracle.judge(&Context::default(), "1+1=2", "two"), Ok(Verdict::Incorrect));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstDecisive<A, B>(
    /// Asked first.
    pub A,
    /// Asked if the first answers [`Verdict::Undecidable`].
    pub B,
);

/// Two oracles, whose verdict counts only where they agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement<A, B>(
    /// Asked first.
    pub A,
    /// Asked if the first is decided, which nothing could agree with otherwise.
    pub B,
);

/// Which of two oracles failed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompositeError<A, B> {
    /// The first one.
    #[error("the first oracle failed")]
    First(#[source] A),
    /// The second one.
    #[error("the second oracle failed")]
    Second(#[source] B),
}

impl<C: ?Sized, S: ?Sized, A: Oracle<C, S>, B: Oracle<C, S>> Oracle<C, S> for FirstDecisive<A, B> {
    type Error = CompositeError<A::Error, B::Error>;

    fn judge(&mut self, context: &C, gold_step: &S, step: &S) -> Result<Verdict, Self::Error> {
        match self.0.judge(context, gold_step, step).map_err(CompositeError::First)? {
            Verdict::Undecidable => self.1.judge(context, gold_step, step).map_err(CompositeError::Second),
            decided => Ok(decided),
        }
    }
}

impl<C: ?Sized, S: ?Sized, A: Oracle<C, S>, B: Oracle<C, S>> Oracle<C, S> for Agreement<A, B> {
    type Error = CompositeError<A::Error, B::Error>;

    fn judge(&mut self, context: &C, gold_step: &S, step: &S) -> Result<Verdict, Self::Error> {
        let first = self.0.judge(context, gold_step, step).map_err(CompositeError::First)?;
        if first == Verdict::Undecidable {
            return Ok(first);
        }
        let second = self.1.judge(context, gold_step, step).map_err(CompositeError::Second)?;
        Ok(if first == second { first } else { Verdict::Undecidable })
    }
}
