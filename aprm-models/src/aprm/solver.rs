//! Solutions sampled from a language model.

use aprm_core::backend::Backend;
use aprm_core::rand_core::Rng;

use crate::generate::{Generation, Generator};
use crate::transformer::{Parameters, Transformer};

/// How solutions are sampled.
#[derive(Clone, Copy, Debug)]
pub struct Sampling<'a, T> {
    /// Solutions at once.
    pub sequences: usize,
    /// Tokens of a prompt and its continuation together at most.
    pub capacity: usize,
    /// How each token is drawn, and which end a continuation.
    pub generation: Generation<'a, T>,
}

/// Continues many prompts, so many at a time; those of like length together, since a batch takes as long as its longest.
///
/// # Errors
/// Whatever the device reports.
///
/// # Panics
/// If a prompt with its continuation is longer than the capacity.
pub fn continue_all<B: Backend>(
    backend: &mut B,
    model: &Transformer<B>,
    weights: &Parameters<B::Buffer>,
    prompts: &[Vec<u32>],
    sampling: Sampling<'_, B::Scalar>,
    rng: &mut dyn Rng,
    mut progress: impl FnMut(usize),
) -> Result<Vec<Vec<u32>>, B::Error> {
    let Sampling { sequences, capacity, generation } = sampling;
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
    let sequences = sequences.min(prompts.len());
    let mut generator = Generator::new(backend, model, sequences, capacity, sequences * longest)?;
    let mut continuations = Vec::with_capacity(prompts.len());
    for prompts in prompts.chunks(sequences.max(1)) {
        let prompts: Vec<&[u32]> = prompts.iter().map(|prompt| &prompt[..]).collect();
        let batch = generator.generate(backend, model, weights, &prompts, generation, rng)?;
        progress(batch.len());
        continuations.extend(batch.into_iter().map(|continuation| continuation.tokens));
    }
    Ok(continuations)
}
