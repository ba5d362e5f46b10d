//! Scores of the steps of attempts: a verifier's, and what a language model says without one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use aprm_core::backend::Backend;
use aprm_core::scalar::Scalar;

use super::attempts::{Attempt, Attempts};
use super::error::RunError;
use super::evaluation::StepScores;
use super::prompt::Prompt;
use super::row_scores::RowScores;
use super::token_policy::{Response, TokenPolicy};
use crate::step_text::MarkedIds;
use crate::transformer::{Parameters, Transformer};

/// The score of each step of each attempt at each problem: how likely the verifier finds it to be right.
///
/// A step with characters that the verifier does not know, and those after it, score zero.
///
/// # Errors
/// [`RunError`], if an attempt is longer than there is room, or the device fails.
pub fn step_scores<B: Backend>(
    backend: &mut B,
    model: &Transformer<B>,
    weights: &Parameters<B::Buffer>,
    room: &mut RowScores<B>,
    prompt: &Prompt,
    set: &[Attempts],
) -> Result<StepScores, RunError<B::Error>> {
    let distinct = Distinct::of(set);
    let mut sequences = Vec::with_capacity(distinct.solutions.len());
    for &(problem, steps) in &distinct.solutions {
        let known = known(prompt, steps).len();
        sequences.push(if known == 0 { MarkedIds::default() } else { prompt.marked(problem, &steps[..known])? });
    }
    let logits = room.logits(backend, model, weights, &sequences)?;
    let mut scores = logits.chunks_exact(2).map(|pair| {
        let difference = (pair[0] - pair[1]).widen();
        (1.0 / (1.0 + Scalar::exp(difference))) as f32
    });
    let scores: Vec<Vec<f32>> =
        sequences.iter().map(|marked| scores.by_ref().take(marked.positions.len()).collect()).collect();
    Ok(distinct.spread(set, &scores))
}

/// The likelihood of each step of each attempt under a language model: what it says of attempts without being a verifier.
///
/// ```text
/// s_k = Π_{tokens t of step k} π(t | problem, all tokens before t)
/// ```
///
/// so that the product of an attempt's scores is the attempt's likelihood. A step with characters that the model does not
/// know, and those after it, score zero.
///
/// # Errors
/// [`RunError`], if an attempt is longer than there is room, or the device fails.
pub fn step_likelihoods<B: Backend>(
    backend: &mut B,
    model: &Transformer<B>,
    weights: &Parameters<B::Buffer>,
    room: &mut TokenPolicy<B>,
    prompt: &Prompt,
    set: &[Attempts],
) -> Result<StepScores, RunError<B::Error>> {
    let distinct = Distinct::of(set);
    let steps: Vec<Vec<Vec<u32>>> = distinct.solutions.iter().map(|(_, steps)| known(prompt, steps)).collect();
    let mut responses = Vec::with_capacity(steps.len());
    for ((problem, _), steps) in distinct.solutions.iter().zip(&steps) {
        if !steps.is_empty() {
            responses.push(Response { prompt: prompt.transcript(problem, &[])?, tokens: steps.concat() });
        }
    }
    let mut log_prob = room.log_prob(backend, model, weights, &responses)?.into_iter();
    let mut likelihood = |step: &Vec<u32>| {
        let sum = log_prob.by_ref().take(step.len()).fold(0.0, |sum, log| sum + log.widen());
        Scalar::exp(sum) as f32
    };
    let scores: Vec<Vec<f32>> = steps.iter().map(|steps| steps.iter().map(&mut likelihood).collect()).collect();
    Ok(distinct.spread(set, &scores))
}

/// The tokens of the steps before the first that has a character without one.
fn known(prompt: &Prompt, steps: &[String]) -> Vec<Vec<u32>> {
    steps.iter().map_while(|step| prompt.step(step).ok()).collect()
}

/// The solutions of a set, each once: a solver writes many a one several times, and equal ones have equal scores.
struct Distinct<'a> {
    solutions: Vec<(&'a str, &'a [String])>,
    places: HashMap<(&'a str, &'a [String]), usize>,
}

impl<'a> Distinct<'a> {
    fn of(set: &'a [Attempts]) -> Self {
        let (mut solutions, mut places) = (Vec::new(), HashMap::new());
        for Attempts { problem, attempts } in set {
            for Attempt { steps, .. } in attempts {
                let solution = (&problem[..], &steps[..]);
                if let Entry::Vacant(place) = places.entry(solution) {
                    place.insert(solutions.len());
                    solutions.push(solution);
                }
            }
        }
        Self { solutions, places }
    }

    /// The scores of all attempts from those of the solutions; steps beyond those that have one score zero.
    fn spread(&self, set: &[Attempts], scores: &[Vec<f32>]) -> StepScores {
        let of_attempt = |problem: &str, steps: &[String]| {
            let mut of_steps = scores[self.places[&(problem, steps)]].clone();
            of_steps.resize(steps.len(), 0.0);
            of_steps
        };
        let of_problem = |Attempts { problem, attempts }: &Attempts| {
            attempts.iter().map(|attempt| of_attempt(problem, &attempt.steps)).collect()
        };
        set.iter().map(of_problem).collect()
    }
}
