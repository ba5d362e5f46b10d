//! What a round is logged as: metrics under the names that TRL has for them, and samples of rewrites.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use aprm_core::oracle::Verdict;
use aprm_models::aprm::health::Signals;
use aprm_models::aprm::labelled::LabelledReport;
use aprm_models::aprm::round_report::{RoundReport, VerifierStatistics};
use aprm_models::arithmetic::ErrorKind;
use aprm_models::learner::UpdateReport;
use serde_json::{Map, Value, json};

use super::TrainError;
use crate::json_lines;
use crate::metrics_row::MetricsRow;
use crate::progress::Progress;
use crate::tensorboard::EventFile;

/// Rewrites of a round that are kept.
const SAMPLES: usize = 4;

/// `metrics.jsonl`, `samples.jsonl`, `alarms.jsonl` and TensorBoard's event file of an arm.
pub(crate) struct Log {
    metrics: (PathBuf, File),
    samples: (PathBuf, File),
    alarms: (PathBuf, File),
    events: EventFile,
}

impl Log {
    /// Goes on behind the lines of the rounds before `round`; later ones, which will be played again, are cut off, and so is
    /// a last one of which only a part was written.
    pub(crate) fn open(folder: &Path, round: u64, progress: &Progress) -> Result<Self, TrainError> {
        let open = |name: &str| reopen(folder.join(name), round);
        let (metrics, samples, alarms) = (open("metrics.jsonl")?, open("samples.jsonl")?, open("alarms.jsonl")?);
        let (kept, events): (Vec<MetricsRow>, _) = (json_lines::read(&metrics.0)?, folder.join("tensorboard"));
        let missing = round.saturating_sub(kept.len() as u64);
        if missing > 0 {
            progress.warn(format!("{} lacks {missing} of the {round} rounds that were played", metrics.0.display()));
        }
        let events =
            EventFile::open(&events, &kept).map_err(|source| TrainError::Write { path: events.clone(), source })?;
        Ok(Self { metrics, samples, alarms, events })
    }

    /// The metrics of a step.
    fn measure(&mut self, step: u64, metrics: Map<String, Value>) -> Result<(), TrainError> {
        let row = json!({"step": step, "data": metrics}).to_string();
        line(&mut self.metrics, &row)?;
        // What the line says, not what it was made of: a file made anew from the lines has the same bytes.
        let row: MetricsRow = serde_json::from_str(&row).expect("metrics are numbers or null");
        let written = self.events.write(&row);
        written.map_err(|source| TrainError::Write { path: self.events.path().into(), source })
    }

    /// An update that is no round of a game.
    pub(crate) fn write_supervised(&mut self, step: u64, report: &LabelledReport<f32>) -> Result<(), TrainError> {
        let mut metrics = Map::new();
        put_verifier(&mut metrics, &report.statistics);
        put_update(&mut metrics, "verifier", &report.update);
        self.measure(step, metrics)
    }

    /// A round of a game.
    pub(crate) fn write(&mut self, report: &RoundReport<f32>) -> Result<(), TrainError> {
        self.measure(report.round, metrics(report))?;
        for alarm in &report.alarms {
            let row = json!({"step": report.round, "alarm": alarm.name(), "message": alarm.advice()});
            line(&mut self.alarms, &row.to_string())?;
        }
        for rewrite in report.rewrites.iter().take(SAMPLES) {
            let verdict = match rewrite.verdict {
                Verdict::Correct => "correct",
                Verdict::Incorrect => "incorrect",
                Verdict::Undecidable => "undecidable",
            };
            let sample = json!({
                "step": report.round,
                "problem": rewrite.problem,
                "prefix": rewrite.prefix,
                "gold_step": rewrite.gold_step,
                "rewrite": rewrite.text,
                "verdict": verdict,
                "announced": rewrite.announced.map(ErrorKind::name),
                "error": rewrite.kind,
                "score": rewrite.score,
                "payoff": rewrite.payoff.generator,
            });
            line(&mut self.samples, &sample.to_string())?;
        }
        Ok(())
    }
}

/// A file of rows as it was before a round.
fn reopen(path: PathBuf, round: u64) -> Result<(PathBuf, File), TrainError> {
    let failed = |source| TrainError::Write { path: path.clone(), source };
    let mut file =
        OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
    let (mut keep, mut reader, mut line) = (0, BufReader::new(&file), Vec::new());
    for number in 1.. {
        line.clear();
        // A last line without its end is one that was being written.
        if reader.read_until(b'\n', &mut line).map_err(failed)? == 0 || !line.ends_with(b"\n") {
            break;
        }
        let row: Value = serde_json::from_slice(&line).unwrap_or_default();
        let Some(step) = row["step"].as_u64() else {
            let problem = "no row of a round; put it right, or remove the line".into();
            return Err(TrainError::Row { path, line: number, problem });
        };
        if step >= round {
            break;
        }
        keep += line.len() as u64;
    }
    file.set_len(keep).map_err(failed)?;
    file.seek(SeekFrom::End(0)).map_err(failed)?;
    Ok((path, file))
}

fn put_verifier(metrics: &mut Map<String, Value>, verifier: &VerifierStatistics) {
    let mean = |sum: f64, count: usize| json!(sum / count.max(1) as f64);
    for (name, value) in [
        ("verifier/loss", mean(verifier.loss, verifier.steps)),
        ("verifier/accuracy", mean(verifier.right as f64, verifier.steps)),
        ("verifier/gold_accepted", mean(verifier.gold_accepted as f64, verifier.gold)),
        ("verifier/objective/kl", mean(verifier.divergence, verifier.steps)),
        ("verifier/objective/entropy", mean(verifier.entropy, verifier.steps)),
    ] {
        metrics.insert(name.into(), value);
    }
}

fn put_update(metrics: &mut Map<String, Value>, player: &str, update: &UpdateReport<f32>) {
    metrics.insert(format!("{player}/grad_norm"), json!(update.gradient_norm));
    metrics.insert(format!("{player}/update_norm"), json!(update.update_norm));
    metrics.insert(format!("{player}/lr"), json!(update.learning_rate));
}

/// Appends a line in one write, so that a reader seldom meets half of it.
fn line((path, file): &mut (PathBuf, File), row: &str) -> Result<(), TrainError> {
    file.write_all(format!("{row}\n").as_bytes()).map_err(|source| TrainError::Write { path: path.clone(), source })
}

/// The metrics of a round.
///
/// Times are not among them, so that two runs of one seed write the same bytes.
fn metrics(report: &RoundReport<f32>) -> Map<String, Value> {
    let mut metrics = Map::new();
    let mut put = |name: &str, value: f64| metrics.insert(name.into(), json!(value));
    let mean = |sum: f64, count: usize| sum / count.max(1) as f64;
    put("game/fooling_rate", report.fooling.fooling_rate().unwrap_or(f64::NAN));
    put("game/uncorrupted_share", report.fooling.uncorrupted_share().unwrap_or(f64::NAN));
    put("game/undecidable_share", report.fooling.undecidable_share().unwrap_or(f64::NAN));
    let payoffs: Vec<f64> = report.rewrites.iter().map(|rewrite| rewrite.payoff.generator.into()).collect();
    put("generator/rewards/mean", mean(payoffs.iter().sum(), payoffs.len()));
    let [first, last] = &report.generator_statistics;
    put("generator/objective/kl", mean(first.kl, first.tokens));
    put("generator/objective/entropy", mean(first.entropy, first.tokens));
    put("generator/loss/policy_avg", mean(first.policy_loss, first.tokens));
    put("generator/val/ratio", mean(first.ratio, first.tokens));
    put("generator/policy/clipfrac_avg", mean(last.clipped as f64, last.tokens));
    put("generator/policy/approxkl_avg", mean(last.approx_kl, last.tokens));
    let signals = Signals::of(report);
    put("generator/distinct_1", signals.distinct_1.unwrap_or(f64::NAN));
    put("generator/distinct_2", signals.distinct_2.unwrap_or(f64::NAN));
    if let Some(critic) = report.critic {
        put("critic/loss", critic.loss);
        put("critic/explained_variance", critic.explained_variance.unwrap_or(f64::NAN));
    }
    put_verifier(&mut metrics, &report.verifier_statistics);
    for (player, update) in [("generator", &report.generator), ("verifier", &report.verifier)] {
        if let Some(update) = update {
            put_update(&mut metrics, player, update);
        }
    }
    metrics.insert("num_tokens".into(), json!(report.tokens as f64));
    for rewrite in &report.rewrites {
        let name = format!("errors/{}", rewrite.kind);
        let share = 1.0 / report.rewrites.len() as f64;
        let before = metrics.get(&name).and_then(Value::as_f64).unwrap_or(0.0);
        metrics.insert(name, json!(before + share));
    }
    metrics
}
