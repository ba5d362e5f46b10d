//! Batched generation with a cache of keys and values.

use aprm_core::backend::{Backend, RowDims, VocabDims};
use aprm_core::policy::Sampler;
use aprm_core::rand_core::Rng;
use aprm_core::scalar::Scalar;

use crate::transformer::{Cache, CachedRows, CachedScratch, Parameters, Transformer};

/// How sequences are continued.
#[derive(Clone, Copy, Debug)]
pub struct Generation<'a, T> {
    /// How many tokens at most.
    pub max_new_tokens: usize,
    /// How each is drawn.
    pub sampler: Sampler<T>,
    /// Tokens that end a sequence; the one that does is part of it.
    pub stop: &'a [u32],
}

/// A continuation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Continuation<T> {
    /// Its tokens, without the prompt.
    pub tokens: Vec<u32>,
    /// Their log-probabilities under the model as it is, which PPO calls old.
    pub log_probs: Vec<T>,
}

/// What generation works on: a cache and scratch memory for so many sequences of so many tokens.
#[derive(Debug)]
pub struct Generator<B: Backend> {
    cache: Cache<B::Buffer>,
    rows: CachedRows<B::Indices>,
    scratch: CachedScratch<B::Buffer>,
    last_rows: B::Indices,
    last_hidden: B::Buffer,
    logits: B::Buffer,
    uniforms: B::Buffer,
    tokens: B::Indices,
    log_probs: B::Buffer,
}

impl<B: Backend> Generator<B> {
    /// Room for `sequences` of up to `capacity` tokens each, prompt and continuation, with prompts of `prompt_rows` tokens
    /// together.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new(
        backend: &mut B,
        model: &Transformer<B>,
        sequences: usize,
        capacity: usize,
        prompt_rows: usize,
    ) -> Result<Self, B::Error> {
        let rows = prompt_rows.max(sequences);
        Ok(Self {
            cache: Cache::new(backend, model, sequences, capacity)?,
            rows: CachedRows::new(backend, rows)?,
            scratch: CachedScratch::new(backend, model, rows)?,
            last_rows: backend.allocate_indices(sequences)?,
            last_hidden: backend.allocate(sequences * model.config.hidden_size)?,
            logits: backend.allocate(sequences * model.config.vocab_size)?,
            uniforms: backend.allocate(sequences)?,
            tokens: backend.allocate_indices(sequences)?,
            log_probs: backend.allocate(sequences)?,
        })
    }

    /// Continues each prompt.
    ///
    /// One number is drawn for each prompt and step, also for those that have ended, so what one prompt gets does not
    /// depend on when another stops.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If a prompt is empty, there are more prompts than room, or a prompt with its continuation is longer than the
    /// cache or the model's context.
    pub fn generate(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        prompts: &[&[u32]],
        generation: Generation<'_, B::Scalar>,
        rng: &mut dyn Rng,
    ) -> Result<Vec<Continuation<B::Scalar>>, B::Error> {
        let mut continuations = vec![Continuation::default(); prompts.len()];
        self.assert_fit(model, prompts, generation.max_new_tokens);
        if prompts.is_empty() || generation.max_new_tokens == 0 {
            return Ok(continuations);
        }
        let (slots, positions): (Vec<u32>, Vec<u32>) = prompts
            .iter()
            .enumerate()
            .flat_map(|(slot, prompt)| (0..prompt.len()).map(move |position| (slot as u32, position as u32)))
            .unzip();
        self.rows.set(backend, &prompts.concat(), &slots, &positions)?;
        let mut active: Vec<usize> = (0..prompts.len()).collect();
        // The last row of each prompt gives its first token; from then on there is one row for each sequence.
        let ends = prompts.iter().scan(0, |end, prompt| {
            *end += prompt.len() as u32;
            Some(*end - 1)
        });
        let mut last_rows: Vec<u32> = ends.collect();
        for step in 1..=generation.max_new_tokens {
            model.forward_cached(backend, weights, &self.rows, &mut self.cache, &mut self.scratch)?;
            let uniforms: Vec<B::Scalar> = prompts.iter().map(|_| uniform(rng)).collect();
            let uniforms: Vec<B::Scalar> = active.iter().map(|&sequence| uniforms[sequence]).collect();
            let drawn = self.draw(backend, model, weights, &last_rows, &uniforms, generation.sampler)?;
            for (&sequence, &(token, log_prob)) in active.iter().zip(&drawn) {
                continuations[sequence].tokens.push(token);
                continuations[sequence].log_probs.push(log_prob);
            }
            let drawn = active.iter().zip(&drawn).map(|(&sequence, &(token, _))| (sequence, token));
            let (still, tokens): (Vec<usize>, Vec<u32>) =
                drawn.filter(|(_, token)| !generation.stop.contains(token)).unzip();
            active = still;
            if active.is_empty() {
                break;
            }
            let slots: Vec<u32> = active.iter().map(|&sequence| sequence as u32).collect();
            let positions: Vec<u32> =
                active.iter().map(|&sequence| (prompts[sequence].len() + step - 1) as u32).collect();
            self.rows.set(backend, &tokens, &slots, &positions)?;
            last_rows = (0..active.len() as u32).collect();
        }
        Ok(continuations)
    }

    fn assert_fit(&self, model: &Transformer<B>, prompts: &[&[u32]], max_new_tokens: usize) {
        assert!(prompts.len() <= self.cache.slots, "{} prompts in room for {}", prompts.len(), self.cache.slots);
        let room = self.cache.capacity.min(model.config.max_position_embeddings);
        for (i, prompt) in prompts.iter().enumerate() {
            let len = prompt.len() + max_new_tokens;
            assert!(!prompt.is_empty() && len <= room, "prompt {i} may grow to {len} tokens, in room for 1 to {room}");
        }
    }

    /// Draws a token from each of the given rows of the last pass, and says how likely it was.
    fn draw(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        weights: &Parameters<B::Buffer>,
        last_rows: &[u32],
        uniforms: &[B::Scalar],
        sampler: Sampler<B::Scalar>,
    ) -> Result<Vec<(u32, B::Scalar)>, B::Error> {
        let rows = last_rows.len();
        let Self { scratch, last_hidden, logits, tokens, log_probs, .. } = self;
        backend.write_indices(last_rows, &mut self.last_rows)?;
        backend.write(uniforms, &mut self.uniforms, 0)?;
        let gather = RowDims { rows, table_rows: self.rows.rows, channels: model.config.hidden_size };
        backend.gather_rows_forward(gather, &scratch.hidden, &self.last_rows, last_hidden)?;
        model.lm_head_forward(backend, weights, rows, last_hidden, logits)?;
        let dims = VocabDims { rows, vocab: model.config.vocab_size };
        backend.sample(dims, sampler, logits, &self.uniforms, tokens, log_probs)?;
        let (mut host_tokens, mut host_log_probs) = (vec![0; rows], vec![B::Scalar::default(); rows]);
        backend.read_indices(tokens, &mut host_tokens)?;
        backend.read(log_probs, 0, &mut host_log_probs)?;
        Ok(host_tokens.into_iter().zip(host_log_probs).collect())
    }
}

/// A number in `[0, 1)` of as many bits as the type holds exactly.
fn uniform<T: Scalar>(rng: &mut dyn Rng) -> T {
    T::of(f64::from(rng.next_u32() >> 8) / f64::from(1_u32 << 24))
}
