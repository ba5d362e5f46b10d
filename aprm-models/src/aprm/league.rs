//! Past generators, against whom the verifier also learns and is tested.

use aprm_core::backend::Backend;
use aprm_core::rand_core::Rng;

use super::players::copy;
use crate::draw::choose;
use crate::transformer::{Parameters, Transformer};

/// A ring of past generators: the oldest leaves when another comes.
#[derive(Debug)]
pub struct League<B: Backend> {
    capacity: usize,
    /// The rounds after which they were kept, and their weights, oldest first.
    pub members: Vec<(u64, Parameters<B::Buffer>)>,
}

impl<B: Backend> League<B> {
    /// An empty league.
    pub const fn new(capacity: usize) -> Self {
        Self { capacity, members: Vec::new() }
    }

    /// Takes a copy of a generator.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn keep(
        &mut self,
        backend: &mut B,
        model: &Transformer<B>,
        round: u64,
        weights: &Parameters<B::Buffer>,
    ) -> Result<(), B::Error> {
        if self.capacity == 0 {
            return Ok(());
        }
        if self.members.len() == self.capacity {
            self.members.remove(0);
        }
        self.members.push((round, copy(backend, model, weights)?));
        Ok(())
    }

    /// One of them, each as likely as the others.
    pub fn draw(&self, rng: &mut dyn Rng) -> Option<&Parameters<B::Buffer>> {
        choose(&self.members, rng).map(|(_, weights)| weights)
    }
}
