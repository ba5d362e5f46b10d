//! What the generator wrote, over time.

use maud::{Markup, html};
use serde::Deserialize;

/// Rows of the table at most, and the rounds that they are spread over.
const ROWS: usize = 40;
const ROUNDS: usize = 20;

/// A line of samples.jsonl.
#[derive(Debug, Deserialize)]
pub(super) struct Sample {
    step: u64,
    problem: String,
    prefix: Vec<String>,
    gold_step: String,
    rewrite: String,
    verdict: String,
    #[serde(default)]
    announced: Option<String>,
    error: String,
    score: Option<f64>,
}

/// Samples of rounds that lie evenly over the game, the first and the last among them, as many of each.
fn selection(samples: &[Sample]) -> Vec<&Sample> {
    let by_round: Vec<&[Sample]> = samples.chunk_by(|a, b| a.step == b.step).collect();
    let rounds = by_round.len().min(ROUNDS);
    let each = ROWS / rounds.max(1);
    let spread = (0..rounds).map(|i| by_round[i * (by_round.len() - 1) / (rounds - 1).max(1)]);
    spread.flat_map(|round| round.iter().take(each)).collect()
}

/// A readable selection as a table.
pub(super) fn table(samples: &[Sample]) -> Markup {
    let shown = selection(samples);
    html! {
        p {
            (shown.len()) " of " (samples.len()) " logged rewrites. The score is the verifier's probability that the "
            "step is right; it does not see what the oracle cannot judge."
        }
        div.wide {
            table.samples {
                thead { tr {
                    th.number { "round" } th { "problem and steps before" } th { "gold step" } th { "rewrite" }
                    th { "verdict" } th { "announced" } th { "error" } th.number { "score" }
                } }
                tbody {
                    @for sample in shown {
                        tr {
                            td.number { (sample.step) }
                            td { code { (sample.problem) } @for step in &sample.prefix { br; code.before { (step) } } }
                            td { code { (sample.gold_step) } }
                            td { code { (sample.rewrite) } }
                            td { span class={ "badge " (class(&sample.verdict)) } { (sample.verdict) } }
                            td { (sample.announced.as_deref().unwrap_or("–")) }
                            td { (sample.error) }
                            td.number { (score(sample)) }
                        }
                    }
                }
            }
        }
    }
}

fn class(verdict: &str) -> &'static str {
    match verdict {
        "correct" => "correct",
        "incorrect" => "incorrect",
        _ => "undecidable",
    }
}

fn score(sample: &Sample) -> String {
    match sample.score {
        Some(score) if sample.verdict != "undecidable" => format!("{score:.2}"),
        _ => "–".into(),
    }
}
