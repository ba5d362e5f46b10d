//! Gold steps that are dealt, what a generator writes in their place, and what the oracle says of that.

use aprm_core::backend::Backend;
use aprm_core::oracle::Verdict;
use aprm_core::player::Label;
use aprm_core::policy::Sampler;
use aprm_core::rand_core::Rng;
use aprm_core::reward::Payoff;
use aprm_core::scalar::Scalar;

use super::error::RunError;
use super::prompt::Prompt;
use super::round_report::Rewrite;
use super::solver::{Sampling, continue_all};
use super::task::Task;
use super::token_policy::Response;
use crate::draw::index;
use crate::generate::Generation;
use crate::transformer::{Parameters, Transformer};

/// A solution, and the one of its steps that is rewritten.
pub(super) struct Position<S> {
    pub(super) solution: S,
    pub(super) step: usize,
}

/// Deals positions, each step of a solution as likely as the others.
pub(super) fn deal<K: Task>(task: &K, positions: usize, rng: &mut dyn Rng) -> Vec<Position<K::Solution>> {
    let deal = |_| {
        let solution = task.deal(rng);
        let step = index(task.steps(&solution).len(), rng);
        Position { solution, step }
    };
    (0..positions).map(deal).collect()
}

/// How positions are rewritten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rewriting {
    /// Rewrites of each position.
    pub(super) each: usize,
    /// Tokens of a rewrite at most.
    pub(super) max_tokens: usize,
}

impl Rewriting {
    /// Samples the rewrites of some positions, those of one position side by side.
    pub(super) fn sample<B: Backend, K: Task>(
        self,
        backend: &mut B,
        (model, weights): (&Transformer<B>, &Parameters<B::Buffer>),
        (task, prompt): (&K, &Prompt),
        positions: &[Position<K::Solution>],
        rng: &mut dyn Rng,
    ) -> Result<Vec<Response>, RunError<B::Error>> {
        let mut prompts = Vec::with_capacity(positions.len() * self.each);
        for Position { solution, step } in positions {
            let ids = prompt.to_rewrite(task.problem(solution), &task.steps(solution)[..=*step])?;
            prompts.extend(std::iter::repeat_n(ids, self.each));
        }
        let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
        let sampling = Sampling {
            sequences: prompts.len(),
            capacity: longest + self.max_tokens,
            generation: Generation {
                max_new_tokens: self.max_tokens,
                sampler: Sampler::default(),
                stop: &[prompt.step_end, prompt.end],
            },
        };
        let tokens =
            continue_all(backend, model, weights, &prompts, sampling, rng, |_| {}).map_err(RunError::Device)?;
        Ok(prompts.into_iter().zip(tokens).map(|(prompt, tokens)| Response { prompt, tokens }).collect())
    }
}

/// A rewrite that was not ended, or that has no tokens of its own, cannot be decided.
pub(super) fn judge<K: Task, T: Scalar, E>(
    task: &mut K,
    prompt: &Prompt,
    position: &Position<K::Solution>,
    tokens: &[u32],
) -> Result<Rewrite<T>, RunError<E>> {
    let Position { solution, step } = position;
    let (announced, written) = prompt.split_announcement(tokens);
    let text = prompt.read_step(written);
    let (verdict, kind) = match &text {
        Some(text) => {
            let verdict = task.judge(solution, *step, text).map_err(|error| RunError::Oracle(error.into()))?;
            (verdict, task.error_kind(solution, *step, text))
        }
        None => (Verdict::Undecidable, "unended"),
    };
    Ok(Rewrite {
        problem: task.problem(solution).into(),
        prefix: task.steps(solution)[..*step].to_vec(),
        gold_step: task.steps(solution)[*step].clone(),
        text: text.unwrap_or_else(|| prompt.decode(written)),
        announced,
        tokens: tokens.to_vec(),
        verdict,
        kind,
        score: T::zero(),
        label: Label::Incorrect,
        payoff: Payoff::default(),
    })
}
