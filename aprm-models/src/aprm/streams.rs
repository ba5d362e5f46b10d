//! One random stream for each purpose, so that what one draws never shifts what another does.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// The streams of a game, all derived from one seed.
#[derive(Debug, PartialEq, Eq)]
pub struct Streams {
    /// Which problems and steps are dealt.
    pub deal: ChaCha8Rng,
    /// What the generator writes.
    pub generator: ChaCha8Rng,
    /// What the verifier says.
    pub verifier: ChaCha8Rng,
    /// Which past generators play, and what they and the rules write beside the generator.
    pub league: ChaCha8Rng,
}

impl Streams {
    /// The streams of a seed.
    pub fn new(seed: u64) -> Self {
        let [deal, generator, verifier, league] = [1, 2, 3, 4].map(|purpose| stream(seed, purpose));
        Self { deal, generator, verifier, league }
    }

    /// The streams by name, for checkpoints.
    pub fn named(&self) -> [(&'static str, &ChaCha8Rng); 4] {
        [("deal", &self.deal), ("generator", &self.generator), ("verifier", &self.verifier), ("league", &self.league)]
    }

    /// The same, to be overwritten by a checkpoint's.
    pub fn named_mut(&mut self) -> [(&'static str, &mut ChaCha8Rng); 4] {
        [
            ("deal", &mut self.deal),
            ("generator", &mut self.generator),
            ("verifier", &mut self.verifier),
            ("league", &mut self.league),
        ]
    }
}

/// The stream of a purpose; the game's are 1 to 4.
pub fn stream(seed: u64, purpose: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose);
    rng
}
