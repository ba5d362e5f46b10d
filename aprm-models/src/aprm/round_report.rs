//! What happened in a round.

use std::time::Duration;

use aprm_core::metrics::fooling_rate::FoolingRate;
use aprm_core::oracle::Verdict;
use aprm_core::player::Label;
use aprm_core::reward::Payoff;
use aprm_core::scalar::Scalar;

use super::critic::CriticStatistics;
use super::generator_loss::GeneratorStatistics;
use super::health::Alarm;
use super::verifier_loss::Opinion;
use crate::arithmetic::ErrorKind;
use crate::learner::UpdateReport;

/// A rewrite of a gold step, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewrite<T> {
    /// The problem.
    pub problem: String,
    /// The gold steps before.
    pub prefix: Vec<String>,
    /// The gold step.
    pub gold_step: String,
    /// What the generator wrote.
    pub text: String,
    /// Its tokens.
    pub tokens: Vec<u32>,
    /// What the oracle found.
    pub verdict: Verdict,
    /// The kind of error that the generator announced.
    pub announced: Option<ErrorKind>,
    /// The kind that it is.
    pub kind: &'static str,
    /// The verifier's score; zero for a rewrite that the oracle cannot decide, which the verifier does not see.
    pub score: T,
    /// The verifier's label.
    pub label: Label,
    /// What both were paid.
    pub payoff: Payoff<T>,
}

/// Sums over what the verifier saw in a round.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VerifierStatistics {
    /// Steps.
    pub steps: usize,
    /// Σ of the loss.
    pub loss: f64,
    /// Σ of its divergence from the initial verifier.
    pub divergence: f64,
    /// Σ of its entropy.
    pub entropy: f64,
    /// Steps whose label it found likelier than the other.
    pub right: usize,
    /// Gold steps among them, and how many of those it accepted.
    pub gold: usize,
    /// Gold steps that it found likelier to be right than wrong.
    pub gold_accepted: usize,
}

impl VerifierStatistics {
    /// The share of steps whose label it found likelier than the other.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.steps as f64
    }

    pub(super) fn observe<T: Scalar>(&mut self, opinion: &Opinion<T>, target: f64, is_gold: bool, loss: T) {
        let accepted = opinion.score >= T::of(0.5);
        self.steps += 1;
        self.loss += loss.widen();
        self.divergence += opinion.divergence.widen();
        self.entropy += opinion.entropy.widen();
        self.right += usize::from(accepted == (target >= 0.5));
        self.gold += usize::from(is_gold);
        self.gold_accepted += usize::from(is_gold && accepted);
    }
}

/// How long the phases of a round took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Sampling rewrites.
    pub generate: Duration,
    /// The oracle.
    pub judge: Duration,
    /// The verifier's passes and update.
    pub verifier: Duration,
    /// The generator's passes and update.
    pub generator: Duration,
}

/// What happened in a round.
#[derive(Clone, Debug)]
pub struct RoundReport<T> {
    /// Which round it was, from zero.
    pub round: u64,
    /// The rewrites.
    pub rewrites: Vec<Rewrite<T>>,
    /// How they were taken.
    pub fooling: FoolingRate,
    /// The generator's update of the first epoch, if it moved.
    pub generator: Option<UpdateReport<T>>,
    /// What its passes found in the first epoch and in the last.
    pub generator_statistics: [GeneratorStatistics; 2],
    /// What the critic found, if there is one.
    pub critic: Option<CriticStatistics>,
    /// The verifier's update of the first epoch, if it moved.
    pub verifier: Option<UpdateReport<T>>,
    /// What its pass found in the first epoch.
    pub verifier_statistics: VerifierStatistics,
    /// Alarms that are new in this round.
    pub alarms: Vec<Alarm>,
    /// Tokens that went through either model.
    pub tokens: usize,
    /// How long its phases took.
    pub phases: Phases,
}
