//! Every verifier of a game's past against every generator of it: a verifier that has forgotten what it once found out
//! turns in circles.

use aprm_core::backend::Backend;
use aprm_core::oracle::Verdict;
use aprm_core::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::error::RunError;
use super::prompt::Prompt;
use super::rewriting::{Rewriting, deal, judge};
use super::round_report::Rewrite;
use super::row_scores::RowScores;
use super::task::Task;
use super::verifier_loss::CORRECT;
use crate::transformer::{Parameters, Transformer};

/// How often each verifier takes each generator's wrong steps for right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WinRates {
    /// The rounds that the generators are from.
    pub generators: Vec<u64>,
    /// The rounds that the verifiers are from.
    pub verifiers: Vec<u64>,
    /// A row for each verifier, a column for each generator; `None` where a generator wrote nothing wrong.
    pub fooling_rate: Vec<Vec<Option<f64>>>,
}

/// One player at several rounds of a game.
#[derive(Debug)]
pub struct Past<'a, B: Backend> {
    /// Its shape.
    pub model: &'a Transformer<B>,
    /// The rounds, and its weights after each.
    pub players: &'a [(u64, Parameters<B::Buffer>)],
}

impl<B: Backend> Past<'_, B> {
    fn rounds(&self) -> Vec<u64> {
        self.players.iter().map(|(round, _)| *round).collect()
    }
}

/// What verifiers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Gold steps, the same for all generators, each rewritten once by each of them.
    pub positions: usize,
    /// Tokens of a rewrite at most.
    pub max_tokens: usize,
}

impl WinRates {
    /// Plays all against all; a verifier takes a step for right where it finds that likelier than not.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn play<B: Backend, K: Task>(
        backend: &mut B,
        generators: Past<'_, B>,
        verifiers: Past<'_, B>,
        room: &mut RowScores<B>,
        (task, prompt): (&mut K, &Prompt),
        Match { positions, max_tokens }: Match,
        rng: &mut dyn Rng,
    ) -> Result<Self, RunError<B::Error>> {
        let positions = deal(task, positions, rng);
        let mut fooling_rate = vec![Vec::new(); verifiers.players.len()];
        for (_, weights) in generators.players {
            let rewriting = Rewriting { each: 1, max_tokens };
            let written = rewriting.sample(backend, (generators.model, weights), (task, prompt), &positions, rng)?;
            let mut wrong = Vec::new();
            for (position, response) in positions.iter().zip(&written) {
                let rewrite: Rewrite<B::Scalar> = judge(task, prompt, position, &response.tokens)?;
                if rewrite.verdict == Verdict::Incorrect {
                    let steps: Vec<String> = rewrite.prefix.into_iter().chain([rewrite.text]).collect();
                    wrong.push(prompt.marked(&rewrite.problem, &steps)?);
                }
            }
            for (row, (_, weights)) in fooling_rate.iter_mut().zip(verifiers.players) {
                let logits = room.logits(backend, verifiers.model, weights, &wrong)?;
                let mut pairs = logits.chunks_exact(2);
                // The step in question is the last of its sequence.
                let fooled = wrong.iter().filter(|marked| {
                    pairs.nth(marked.positions.len() - 1).is_some_and(|pair| pair[CORRECT] > pair[1 - CORRECT])
                });
                let fooled = fooled.count();
                row.push((!wrong.is_empty()).then(|| fooled as f64 / wrong.len() as f64));
            }
        }
        Ok(Self { generators: generators.rounds(), verifiers: verifiers.rounds(), fooling_rate })
    }
}
