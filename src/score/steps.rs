use std::io::{self, BufWriter, Write};

use aprm_core::search::aggregate::Aggregate;
use aprm_models::checkpoint::Checkpoint;
use aprm_models::data::{JsonLines, Solution};
use aprm_models::read_out::StepScore;
use aprm_models::step_text::MarkedIds;
use serde::Serialize;

use super::{Score, ScoreError};
use crate::device::Device;
use crate::prm::PrmError;

#[derive(Serialize)]
struct Scored {
    scores: Vec<f64>,
    aggregate: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    redundancies: Option<Vec<f64>>,
}

/// The scores of each solution, a batch at a time.
pub(super) fn print<D: Device>(score: &Score, device: D, checkpoint: &Checkpoint) -> Result<(), ScoreError> {
    let mut scorer = score.read_out.scorer(device, &score.model, checkpoint)?;
    let batch_tokens = score.read_out.batch_tokens();
    let (source, file) = score.open()?;
    let mut rows = JsonLines::<_, Solution>::new(source, file.clone());
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut waiting, mut tokens) = (Vec::<MarkedIds>::new(), 0);
    loop {
        let row = rows.next().map(|row| {
            let Solution { prompt, steps } = row?;
            let in_line = |source| ScoreError::Solution { file: file.clone(), line: rows.line(), source };
            scorer.encode(&prompt, &steps).map_err(in_line)
        });
        let added = if let Some(Ok(marked)) = &row { marked.ids.len() } else { 0 };
        // What stands before a wrong line is scored before that is complained of.
        if tokens + added > batch_tokens || !matches!(row, Some(Ok(_))) {
            let scores = scorer.score(&waiting).map_err(PrmError::device)?;
            write(&mut out, scores, score.aggregate.into())?;
            waiting.clear();
            tokens = 0;
        }
        match row {
            None => return Ok(()),
            Some(row) => waiting.push(row?),
        }
        tokens += added;
    }
}

fn write(out: &mut impl Write, solutions: Vec<Vec<StepScore>>, aggregate: Aggregate) -> Result<(), ScoreError> {
    for steps in solutions {
        let scores: Vec<f64> = steps.iter().map(|step| step.score).collect();
        let scored = Scored {
            aggregate: aggregate.of(scores.iter().copied()),
            redundancies: steps.iter().map(|step| step.redundancy).collect(),
            scores,
        };
        serde_json::to_writer(&mut *out, &scored).map_err(io::Error::from)?;
        writeln!(out)?;
    }
    Ok(out.flush()?)
}
