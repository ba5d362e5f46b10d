use std::fmt;

use aprm_core::search::aggregate::Aggregate;
use aprm_models::benchmark::choice::{Candidate, best, blind, majority, oracle, weighted};
use aprm_models::benchmark::equation_checker::first_false_step;
use aprm_models::benchmark::estimate::{Bootstrap, Estimate};
use aprm_models::benchmark::reading::Shortfalls;
use aprm_models::data::RecordedSolutions;
use serde::Serialize;

use super::{Judged, candidates};
use crate::eval::percent::{alone, not_read, with_interval};

/// The accuracy of every way to choose.
#[derive(Serialize)]
pub(super) struct Report {
    seed: u64,
    resamples: usize,
    confidence: f64,
    problems: usize,
    solutions_each: usize,
    model: Option<Model>,
    equation_checker: Choice,
    blind: Option<Estimate>,
    majority: Option<Estimate>,
    oracle: Option<Estimate>,
}

#[derive(Serialize)]
struct Model {
    folder: String,
    keeps_annotations: bool,
    not_read: Shortfalls,
    last: Choice,
    min: Choice,
    product: Choice,
    mean: Choice,
}

/// The accuracy by one score for each solution.
#[derive(Serialize)]
struct Choice {
    /// The solution of the highest score.
    best: Option<Estimate>,
    /// The answer with the highest sum of scores.
    weighted: Option<Estimate>,
}

impl Report {
    pub(super) fn new(rows: &[RecordedSolutions], judged: Option<&Judged>, bootstrap: Bootstrap) -> Self {
        let problems: Vec<Vec<Candidate>> = rows.iter().map(candidates).collect();
        let accuracy = |chance: fn(&[Candidate]) -> f64| {
            bootstrap.mean(&problems.iter().map(|solutions| chance(solutions)).collect::<Vec<_>>())
        };
        let by_scores = |scores: Vec<Vec<f64>>| {
            let accuracy = |chance: fn(&[f64], &[Candidate]) -> f64| {
                let chances = scores.iter().zip(&problems).map(|(scores, solutions)| chance(scores, solutions));
                bootstrap.mean(&chances.collect::<Vec<_>>())
            };
            Choice { best: accuracy(best), weighted: accuracy(weighted) }
        };
        let model = judged.map(|Judged { folder, keeps_annotations, shortfalls, scores }| {
            let by = |aggregate: Aggregate| {
                let of_solution = |steps: &Vec<f64>| aggregate.of(steps.iter().copied());
                by_scores(scores.iter().map(|solutions| solutions.iter().map(of_solution).collect()).collect())
            };
            Model {
                folder: folder.display().to_string(),
                keeps_annotations: *keeps_annotations,
                not_read: *shortfalls,
                last: by(Aggregate::Last),
                min: by(Aggregate::Min),
                product: by(Aggregate::Product),
                mean: by(Aggregate::Mean),
            }
        });
        let holds = |row: &RecordedSolutions| {
            let holds = row.solutions.iter().map(|solution| first_false_step(&solution.steps).is_none());
            holds.map(|holds| f64::from(u8::from(holds))).collect()
        };
        Self {
            seed: bootstrap.seed,
            resamples: bootstrap.resamples,
            confidence: bootstrap.confidence,
            problems: rows.len(),
            solutions_each: RecordedSolutions::MODELS.len(),
            model,
            equation_checker: by_scores(rows.iter().map(holds).collect()),
            blind: accuracy(blind),
            majority: accuracy(majority),
            oracle: accuracy(oracle),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { problems, solutions_each, model, .. } = self;
        writeln!(f, "Share of {problems} problems solved by one of {solutions_each} recorded solutions, chosen by:\n")?;
        writeln!(f, "| scores | highest score | weighted vote |")?;
        writeln!(f, "|---|---:|---:|")?;
        let mut line = |name: &str, Choice { best, weighted }: &Choice| {
            writeln!(f, "| {name} | {} | {} |", with_interval(*best), with_interval(*weighted))
        };
        if let Some(Model { last, min, product, mean, .. }) = model {
            line("model, last step", last)?;
            line("model, least step", min)?;
            line("model, product of the steps", product)?;
            line("model, mean of the steps", mean)?;
        }
        line("equation checker", &self.equation_checker)?;
        line("all equal: blind, majority", &Choice { best: self.blind, weighted: self.majority })?;
        line("the truth: oracle", &Choice { best: self.oracle, weighted: self.oracle })?;
        writeln!(
            f,
            "\nPer cent; in brackets {} % intervals of {} resamples over problems, seed {}. Ties are broken by lot.",
            alone(self.confidence).trim_end_matches(".0"),
            self.resamples,
            self.seed,
        )?;
        let Some(Model { keeps_annotations, not_read: shortfalls, .. }) = model else { return Ok(()) };
        let reads = if *keeps_annotations { "with" } else { "without" };
        writeln!(f, "The model reads the steps {reads} calculator annotations.")?;
        match not_read(*shortfalls, problems * solutions_each) {
            Some(said) => writeln!(f, "The model: {said}."),
            None => Ok(()),
        }
    }
}
