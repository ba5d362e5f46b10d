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
    /// Tokens of a prompt and its continuation together at most; what has no room is cut off.
    pub capacity: usize,
    /// How each token is drawn, and which end a continuation.
    pub generation: Generation<'a, T>,
}

/// Continues many prompts, so many at a time; those of like length together, since a batch takes as long as its longest.
///
/// # Errors
/// Whatever the device reports.
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
    let capacity = capacity.min(model.config.max_position_embeddings);
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0).min(capacity);
    let sequences = sequences.min(prompts.len());
    let mut generator = Generator::new(backend, model, sequences, capacity, sequences * longest)?;
    let mut continuations = vec![Vec::new(); prompts.len()];
    let mut begin = 0;
    for prompts in prompts.chunks(sequences.max(1)) {
        let with_room: Vec<usize> = (0..prompts.len()).filter(|&i| prompts[i].len() < capacity).collect();
        let batch: Vec<&[u32]> = with_room.iter().map(|&i| &prompts[i][..]).collect();
        let room = capacity - batch.iter().map(|prompt| prompt.len()).max().unwrap_or(0);
        let generation = Generation { max_new_tokens: generation.max_new_tokens.min(room), ..generation };
        let written = generator.generate(backend, model, weights, &batch, generation, rng)?;
        for (i, continuation) in with_room.into_iter().zip(written) {
            continuations[begin + i] = continuation.tokens;
        }
        begin += prompts.len();
        progress(prompts.len());
    }
    Ok(continuations)
}
