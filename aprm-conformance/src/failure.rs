use core::error::Error;
use core::fmt::{Display, Formatter, Result};

use crate::Kernel;

/// What every kernel is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// The device reports no error.
    Succeeds,
    /// Each entry is what the formula gives, within its tolerance, NaN and infinities included.
    Agrees,
    /// What lies beyond the dimensions stays as it was.
    StaysWithin,
    /// Equal inputs give equal bits.
    Repeats,
    /// A row, or a sequence, gives the same bits whatever stands beside it.
    StandsAlone,
    /// A NaN leaves in its row and in no other.
    KeepsNan,
    /// A token changes no bit of what comes before it.
    Causal,
    /// Tokens are drawn as often as their probability says.
    Frequencies,
}

/// The entry in which a kernel breaks a law.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The kernel.
    pub kernel: Kernel,
    /// The law.
    pub law: Law,
    /// Its dimensions.
    pub shape: String,
    /// Which of its outputs, in the order of the arguments.
    pub output: usize,
    /// Which entry of that output.
    pub index: usize,
    /// What should be there.
    pub expected: f64,
    /// What is there.
    pub actual: f64,
    /// How far the two may be apart.
    pub tolerance: f64,
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { kernel, law, shape, output, index, expected, actual, tolerance } = self;
        let name = kernel.name();
        write!(f, "{name} breaks {law:?} at {shape}: entry {index} of output {output} ")?;
        write!(f, "is {actual:e}, not {expected:e} ± {tolerance:.1e}")
    }
}

impl Error for Failure {}
