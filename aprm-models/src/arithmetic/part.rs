use super::Problem;

/// The side of the fence on which a problem lies: what is trained on is never tried on.
///
/// It depends on nothing but the problem's [`fingerprint`](Problem::fingerprint), so sets of different parts have no
/// problem in common, whichever distributions, seeds and wordings they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Nine problems of ten.
    Training,
    /// One problem of ten.
    Evaluation,
}

impl Part {
    /// Where a problem belongs.
    pub fn of(problem: &Problem) -> Self {
        // The high bits, since the lowest ones of FNV-1a hash only the lowest ones of each byte.
        if (problem.fingerprint() >> 32).is_multiple_of(10) { Self::Evaluation } else { Self::Training }
    }
}
