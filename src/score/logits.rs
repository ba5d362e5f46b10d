use std::io::{self, BufWriter, Write};

use aprm_models::checkpoint::Checkpoint;
use aprm_models::data::{JsonLines, TokenIds};
use serde::Serialize;

use super::{Score, ScoreError};
use crate::device::Device;
use crate::prm::PrmError;

#[derive(Serialize)]
struct Logits {
    logits: Vec<Vec<f32>>,
}

/// The logits of each sequence of token ids.
pub(super) fn print<D: Device>(score: &Score, device: D, checkpoint: &Checkpoint) -> Result<(), ScoreError> {
    let mut evaluator = score.read_out.evaluator(device, checkpoint)?;
    let (source, file) = score.open()?;
    let mut rows = JsonLines::<_, TokenIds>::new(source, file.clone());
    let mut out = BufWriter::new(io::stdout().lock());
    while let Some(row) = rows.next() {
        let TokenIds { ids } = row?;
        let line = rows.line();
        evaluator.check(&ids).map_err(|source| ScoreError::Sequence { file: file.clone(), line, source })?;
        let logits = evaluator.logits(&ids).map_err(PrmError::device)?;
        serde_json::to_writer(&mut out, &Logits { logits }).map_err(io::Error::from)?;
        writeln!(out)?;
        out.flush()?;
    }
    Ok(())
}
