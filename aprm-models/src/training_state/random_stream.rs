use core::fmt;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// A place in a stream of ChaCha8.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct RandomStream {
    /// The key.
    pub seed: [u8; 32],
    /// Which of the key's streams.
    pub stream: u64,
    /// How many words of 32 bits have been drawn, modulo 2⁶⁸.
    pub word_position: u128,
}

impl RandomStream {
    /// A generator that goes on from here.
    pub fn rng(&self) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::from_seed(self.seed);
        // In this order: a new stream begins at its first word.
        rng.set_stream(self.stream);
        rng.set_word_pos(self.word_position);
        rng
    }
}

impl From<&ChaCha8Rng> for RandomStream {
    fn from(rng: &ChaCha8Rng) -> Self {
        Self { seed: rng.get_seed(), stream: rng.get_stream(), word_position: rng.get_word_pos() }
    }
}

impl fmt::Debug for RandomStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Written::from(*self), f)
    }
}

/// As JSON has it, whose numbers end at 64 bits.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    seed: String,
    stream: u64,
    word_position: String,
}

impl From<RandomStream> for Written {
    fn from(RandomStream { seed, stream, word_position }: RandomStream) -> Self {
        let seed = seed.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { seed, stream, word_position: word_position.to_string() }
    }
}

impl TryFrom<Written> for RandomStream {
    type Error = String;

    fn try_from(Written { seed, stream, word_position }: Written) -> Result<Self, String> {
        let position = word_position.parse().ok().filter(|position| *position < 1 << 68);
        let position = position.ok_or_else(|| format!("word_position {word_position:?} is not below 2^68"))?;
        let seed = parse_seed(&seed).ok_or_else(|| format!("seed {seed:?} is not 64 hexadecimal digits"))?;
        Ok(Self { seed, stream, word_position: position })
    }
}

fn parse_seed(digits: &str) -> Option<[u8; 32]> {
    let nibbles: Option<Vec<u8>> = digits.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    let bytes: Vec<u8> =
        nibbles?.chunks(2).map(|pair| pair.iter().fold(0, |byte, nibble| byte << 4 | nibble)).collect();
    (digits.len() == 64).then_some(bytes)?.try_into().ok()
}
