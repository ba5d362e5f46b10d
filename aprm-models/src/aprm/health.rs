//! Signs that a game goes wrong, and the alarms that they raise.

use std::collections::VecDeque;
use std::fmt;

use aprm_core::metrics::distinct_n::{distinct_n, ngram_count};
use aprm_core::metrics::oscillation::oscillation_index;
use aprm_core::oracle::Verdict;
use aprm_core::scalar::Scalar;
use serde::{Deserialize, Serialize};

use super::round_report::{Rewrite, RoundReport};

/// What one round shows of the health of its game.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signals {
    /// The round.
    pub round: u64,
    /// Share of the wrong rewrites that were taken for right.
    pub fooling_rate: Option<f64>,
    /// Share of rewrites that are no errors: right, or beyond the oracle.
    pub harmless_share: f64,
    /// Distinct tokens among all tokens of the rewrites.
    pub distinct_1: Option<f64>,
    /// Distinct pairs of neighbouring tokens among all pairs.
    pub distinct_2: Option<f64>,
    /// `KL(π ‖ π_0)` of the generator in nats per token.
    pub generator_kl: f64,
    /// The verifier's loss of a step.
    pub verifier_loss: f64,
    /// Whether an update was skipped, because its gradient was not finite.
    pub skipped: bool,
}

impl Signals {
    /// What a report shows.
    pub fn of<T: Scalar>(report: &RoundReport<T>) -> Self {
        let RoundReport { rewrites, generator_statistics: [generator, _], verifier_statistics: verifier, .. } = report;
        let share = |count: usize, of: usize| count as f64 / of as f64;
        let harmless = rewrites.iter().filter(|rewrite| rewrite.verdict != Verdict::Incorrect).count();
        Self {
            round: report.round,
            fooling_rate: report.fooling.fooling_rate(),
            harmless_share: share(harmless, rewrites.len()),
            distinct_1: distinct(rewrites, 1),
            distinct_2: distinct(rewrites, 2),
            generator_kl: generator.kl / generator.tokens.max(1) as f64,
            verifier_loss: verifier.loss / verifier.steps as f64,
            skipped: [&report.generator, &report.verifier].into_iter().flatten().any(|update| update.skipped),
        }
    }
}

fn distinct<T>(rewrites: &[Rewrite<T>], n: usize) -> Option<f64> {
    let sequences: Vec<&[u32]> = rewrites.iter().map(|rewrite| &rewrite.tokens[..]).collect();
    let mut scratch = vec![&[][..]; ngram_count(&sequences, n)];
    distinct_n(&sequences, n, &mut scratch)
}

/// What has gone wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Alarm {
    /// The generator writes the same few things whatever it is asked.
    ModeCollapse,
    /// The players chase each other in circles.
    Cycling,
    /// The generator is paid for what is no error.
    RewardHacking,
    /// Losses, divergences or gradients have left all bounds.
    Divergence,
}

impl Alarm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ModeCollapse, Self::Cycling, Self::RewardHacking, Self::Divergence];

    /// Its name, as in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::ModeCollapse => "mode collapse",
            Self::Cycling => "cycling",
            Self::RewardHacking => "reward hacking",
            Self::Divergence => "divergence",
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::ModeCollapse => "raise game.entropy or game.tau, or lower game.generator_learning_rate",
            Self::Cycling => {
                "raise game.tau, use an optimistic game.update, or train against a league (game.league_share)"
            }
            Self::RewardHacking => "look at samples.jsonl: either game.payoffs or the oracle pays for what is no error",
            Self::Divergence => "lower the learning rates or game.max_gradient_norm, or raise game.tau",
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Watches the last rounds of a game; an alarm is raised once when its sign appears, and again only after the sign was gone
/// for a window.
///
/// | alarm | sign, over a window of rounds |
/// |---|---|
/// | mode collapse | `distinct_2` on average under half of the most of the first window |
/// | cycling | [`oscillation_index`] of the smoothed fooling rate over four windows at least 0.6, and its standard deviation in both halves of them three times what sampling explains, for a window on end |
/// | reward hacking | more than half of the rewrites are no errors |
/// | divergence | a skipped update, a divergence of the generator beyond 3 nats per token, or a verifier's loss beyond 2 ln 2, twice that of a coin |
///
/// The bounds are ours; the paper states none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    window: usize,
    rewrites: usize,
    /// The most `distinct_2` of the first window, in the course of which a generator may collapse.
    initial_distinct: Option<f64>,
    signals: VecDeque<Signals>,
    /// The last round in which an alarm showed.
    shown: Vec<(Alarm, u64)>,
}

impl Health {
    /// Nothing seen yet, of games with so many rewrites in a round.
    ///
    /// # Panics
    /// If the window is empty.
    pub fn new(window: usize, rewrites: usize) -> Self {
        assert!(window > 0, "a window of no rounds");
        Self { window, rewrites, initial_distinct: None, signals: VecDeque::new(), shown: Vec::new() }
    }

    /// Takes note of a round, and says which alarms it raises.
    pub fn observe(&mut self, signals: Signals) -> Vec<Alarm> {
        if self.signals.len() == 5 * self.window {
            self.signals.pop_front();
        }
        self.signals.push_back(signals);
        if self.initial_distinct.is_none() && self.signals.len() == self.window {
            let distinct = self.signals.iter().filter_map(|signals| signals.distinct_2);
            self.initial_distinct = Some(distinct.fold(0.0, f64::max));
        }
        let mut raised = Vec::new();
        for alarm in Alarm::ALL.into_iter().filter(|&alarm| self.shows(alarm)).collect::<Vec<_>>() {
            match self.shown.iter_mut().find(|(shown, _)| *shown == alarm) {
                Some((_, last)) => {
                    if signals.round > *last + self.window as u64 {
                        raised.push(alarm);
                    }
                    *last = signals.round;
                }
                None => {
                    raised.push(alarm);
                    self.shown.push((alarm, signals.round));
                }
            }
        }
        raised
    }

    fn shows(&self, alarm: Alarm) -> bool {
        if alarm == Alarm::Divergence && self.last(1).any(|signals| signals.skipped) {
            return true;
        }
        if self.signals.len() < self.window {
            return false;
        }
        match alarm {
            Alarm::ModeCollapse => self
                .initial_distinct
                .is_some_and(|initial| self.mean(|signals| signals.distinct_2.unwrap_or(0.0)) < 0.5 * initial),
            Alarm::Cycling => self.turns_in_circles(),
            Alarm::RewardHacking => self.mean(|signals| signals.harmless_share) > 0.5,
            Alarm::Divergence => {
                self.mean(|signals| signals.generator_kl) > 3.0
                    || self.mean(|signals| signals.verifier_loss) > 2.0 * core::f64::consts::LN_2
            }
        }
    }

    /// Whether the fooling rate went round in every four windows that ended within the last: a swing that dies down, as a
    /// game settles, looks like a circle for some rounds only.
    fn turns_in_circles(&self) -> bool {
        let span = 4 * self.window;
        let rates: Vec<f64> = self.signals.iter().filter_map(|signals| signals.fooling_rate).collect();
        rates.len() >= span + self.window && rates.windows(span).all(|rates| self.goes_round(rates))
    }

    fn goes_round(&self, rates: &[f64]) -> bool {
        // Noise of single rounds reads as motion back and forth.
        let run = (self.window / 2).max(1);
        let smoothed: Vec<f64> = rates.windows(run).map(|rates| rates.iter().sum::<f64>() / run as f64).collect();
        // In both halves: one swing that dies down is how a game settles.
        let (early, late) = smoothed.split_at(smoothed.len() / 2);
        let swings = [early, late].into_iter().all(|rates| {
            let mean = rates.iter().sum::<f64>() / rates.len() as f64;
            let variance = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / rates.len() as f64;
            variance > 9.0 * mean * (1.0 - mean) / (self.rewrites * run) as f64
        });
        // A point every half run: what is left of the noise between neighbours is independent.
        let points: Vec<f64> = smoothed.into_iter().step_by((run / 2).max(1)).collect();
        swings && oscillation_index(&points, 1).is_some_and(|index| index >= 0.6)
    }

    /// The last window's mean of a signal.
    fn mean(&self, signal: impl Fn(&Signals) -> f64) -> f64 {
        self.last(self.window).map(signal).sum::<f64>() / self.window as f64
    }

    fn last(&self, rounds: usize) -> impl Iterator<Item = &Signals> {
        self.signals.iter().rev().take(rounds)
    }
}
