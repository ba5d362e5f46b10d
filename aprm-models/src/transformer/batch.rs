use aprm_core::backend::{Backend, Ragged};

/// Sequences of tokens laid end to end on the device, without padding.
#[derive(Debug)]
pub struct Batch<B: Backend> {
    pub(super) tokens: B::Indices,
    pub(super) positions: B::Indices,
    offsets: B::Indices,
    sequences: usize,
    rows: usize,
    longest: usize,
    /// What is on its way to the device.
    host: Vec<u32>,
}

impl<B: Backend> Batch<B> {
    /// Room for so many tokens in so many sequences.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn new(backend: &mut B, rows: usize, sequences: usize) -> Result<Self, B::Error> {
        Ok(Self {
            tokens: backend.allocate_indices(rows)?,
            positions: backend.allocate_indices(rows)?,
            offsets: backend.allocate_indices(sequences + 1)?,
            sequences: 0,
            rows: 0,
            longest: 0,
            host: Vec::with_capacity(rows.max(sequences + 1)),
        })
    }

    /// Takes new sequences, each beginning at position 0.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If they do not fit, as the device's write tells.
    pub fn set(&mut self, backend: &mut B, sequences: &[&[u32]]) -> Result<(), B::Error> {
        let Self { tokens, positions, offsets, host, .. } = self;
        let mut write = |indices: &mut B::Indices, entries: &mut dyn Iterator<Item = u32>| {
            host.clear();
            host.extend(entries);
            backend.write_indices(host, indices)
        };
        write(tokens, &mut sequences.iter().flat_map(|sequence| sequence.iter().copied()))?;
        write(positions, &mut sequences.iter().flat_map(|sequence| 0..sequence.len() as u32))?;
        let ends = sequences.iter().scan(0, |rows, sequence| {
            *rows += sequence.len() as u32;
            Some(*rows)
        });
        write(offsets, &mut std::iter::once(0).chain(ends))?;
        self.sequences = sequences.len();
        self.rows = sequences.iter().map(|sequence| sequence.len()).sum();
        self.longest = sequences.iter().map(|sequence| sequence.len()).max().unwrap_or(0);
        Ok(())
    }

    /// The number of tokens.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Where the sequences begin.
    pub fn ragged(&self) -> Ragged<'_, B::Indices> {
        Ragged { offsets: &self.offsets, sequences: self.sequences, rows: self.rows, longest: self.longest }
    }
}
