//! What the peers are given to do, and how their figures are taken: as in `aprm-models/benches`.

use std::time::Instant;

/// A Llama model without shared embeddings, and the lengths of the sequences that it is trained on.
#[derive(Clone, Debug)]
pub struct Shape {
    pub hidden: usize,
    pub layers: usize,
    pub vocab: usize,
    pub intermediate: usize,
    pub heads: usize,
    pub lengths: Vec<usize>,
}

/// The longest context.
pub const MAX_POSITIONS: usize = 512;

impl Shape {
    /// The models a, b and c of `train_step`.
    pub fn of(name: &str) -> Option<Self> {
        let (hidden, layers, vocab, intermediate, heads, lengths) = match name {
            "a" => (128, 3, 64, 352, 4, (0..64).map(|i| 40 + 37 * i % 81).collect()),
            "b" => (256, 6, 2048, 704, 8, vec![512; 8]),
            "c" => (512, 8, 8192, 1408, 8, vec![512; 4]),
            _ => return None,
        };
        Some(Self { hidden, layers, vocab, intermediate, heads, lengths })
    }

    /// How many numbers the model has, without the embedding, which multiplies nothing.
    pub fn parameters(&self) -> usize {
        let layer = 4 * self.hidden * self.hidden + 3 * self.hidden * self.intermediate + 2 * self.hidden;
        self.layers * layer + self.hidden + self.hidden * self.vocab
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
