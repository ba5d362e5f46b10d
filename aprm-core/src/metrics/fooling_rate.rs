//! How often rewritten steps deceive the verifier.

use super::share;
use crate::oracle::Verdict;

/// Counts of rewritten steps, by what the oracle found and what the verifier said.
///
/// The fooling rate is conditional on the oracle, so the shares beside it are part of the answer: a generator that
/// copies the gold step is uncorrupted, and one that hides in what the oracle cannot parse is undecidable.
///
/// # Examples
/// ```
/// use aprm_core::metrics::fooling_rate::FoolingRate;
/// use aprm_core::oracle::Verdict::{Correct, Incorrect, Undecidable};
///
/// let mut rewrites = FoolingRate::default();
/// for (verdict, says_correct) in [(Incorrect, true), (Incorrect, false), (Correct, true), (Undecidable, true)] {
///     rewrites.observe(verdict, says_correct);
/// }
/// assert_eq!(rewrites.fooling_rate(), Some(0.5));
/// assert_eq!(rewrites.uncorrupted_share(), Some(0.25));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FoolingRate {
    /// Incorrect steps that the verifier accepted.
    pub fooled: u64,
    /// Incorrect steps that the verifier rejected.
    pub detected: u64,
    /// Steps that are still correct, whatever the verifier said.
    pub uncorrupted: u64,
    /// Steps that the oracle could not judge, whatever the verifier said.
    pub undecidable: u64,
}

impl FoolingRate {
    /// Counts one rewritten step.
    pub fn observe(&mut self, verdict: Verdict, says_correct: bool) {
        let counter = match (verdict, says_correct) {
            (Verdict::Incorrect, true) => &mut self.fooled,
            (Verdict::Incorrect, false) => &mut self.detected,
            (Verdict::Correct, _) => &mut self.uncorrupted,
            (Verdict::Undecidable, _) => &mut self.undecidable,
        };
        *counter += 1;
    }

    /// The share of incorrect steps that the verifier accepted; `None` without any incorrect step.
    ///
    /// ```text
    /// fooled / (fooled + detected)
    /// ```
    pub fn fooling_rate(&self) -> Option<f64> {
        share(self.fooled, self.fooled + self.detected)
    }

    /// The share of all steps that are still correct; `None` without any step.
    pub fn uncorrupted_share(&self) -> Option<f64> {
        share(self.uncorrupted, self.total())
    }

    /// The share of all steps that the oracle could not judge; `None` without any step.
    pub fn undecidable_share(&self) -> Option<f64> {
        share(self.undecidable, self.total())
    }

    fn total(&self) -> u64 {
        self.fooled + self.detected + self.uncorrupted + self.undecidable
    }
}
