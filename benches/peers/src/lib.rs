//! What the peers are given to do, and how their figures are taken: as in `aprm-models/benches`.

use std::time::Instant;

/// A Llama model without shared embeddings, or a Qwen2 model with them, and the lengths of the sequences that it is trained
/// on.
#[derive(Clone, Debug)]
pub struct Shape {
    pub hidden: usize,
    pub layers: usize,
    pub vocab: usize,
    pub intermediate: usize,
    pub heads: usize,
    pub kv_heads: usize,
    /// Whether it is Qwen2: queries, keys and values have biases, and the embedding is the LM head.
    pub is_qwen2: bool,
    pub lengths: Vec<usize>,
}

/// The longest context.
pub const MAX_POSITIONS: usize = 512;

impl Shape {
    /// The models a, b and c of `train_step`, and qwen, of the shape of Qwen2-0.5B; all but a are given sequences of `length`.
    pub fn of(name: &str, length: usize) -> Option<Self> {
        let (hidden, layers, vocab, intermediate, heads, kv_heads, lengths) = match name {
            "a" => (128, 3, 64, 352, 4, 4, (0..64).map(|i| 40 + 37 * i % 81).collect()),
            "b" => (256, 6, 2048, 704, 8, 8, vec![length; 8]),
            "c" => (512, 8, 8192, 1408, 8, 8, vec![length; 4]),
            "qwen" => (896, 24, 151_936, 4864, 14, 2, vec![length; 8]),
            _ => return None,
        };
        Some(Self { hidden, layers, vocab, intermediate, heads, kv_heads, is_qwen2: name == "qwen", lengths })
    }

    /// The width of all keys together, which is that of all values.
    pub fn kv_width(&self) -> usize {
        self.hidden / self.heads * self.kv_heads
    }

    /// How many numbers the model has, with the LM head and without an embedding beside it, which multiplies nothing.
    pub fn parameters(&self) -> usize {
        let Self { hidden, layers, vocab, intermediate, .. } = *self;
        let biases = if self.is_qwen2 { hidden + 2 * self.kv_width() } else { 0 };
        let layer = 2 * hidden * (hidden + self.kv_width()) + biases + 3 * hidden * intermediate + 2 * hidden;
        layers * layer + hidden + hidden * vocab
    }
}

/// The median of `repeats` runs, in seconds, after `warm_up` runs that do not count.
pub fn median_seconds(warm_up: usize, repeats: usize, mut run: impl FnMut()) -> f64 {
    let mut time = || {
        let begin = Instant::now();
        run();
        begin.elapsed().as_secs_f64()
    };
    let mut times: Vec<f64> = (0..warm_up + repeats).map(|_| time()).skip(warm_up).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The most memory that the process has had, in MiB, or a question mark where the system does not say.
pub fn peak_mebibytes() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let mebibytes = kibibytes.and_then(|kibibytes| Some(kibibytes.parse::<usize>().ok()? >> 10));
    mebibytes.map_or("?".into(), |mebibytes| mebibytes.to_string())
}
