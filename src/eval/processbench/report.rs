use std::fmt;

use aprm_models::benchmark::equation_checker::first_false_step;
use aprm_models::benchmark::estimate::{Bootstrap, Estimate};
use aprm_models::benchmark::first_error::{FirstErrors, Outcome, average_f1};
use aprm_models::benchmark::no_information::{BestGuess, best_guess};
use aprm_models::benchmark::reading::Shortfalls;
use serde::Serialize;

use super::judged::Judged;
use super::subset::Subset;
use crate::eval::percent::{alone, not_read, with_interval};

/// All judges on all subsets.
#[derive(Serialize)]
pub(super) struct Report {
    model: Option<Model>,
    seed: u64,
    resamples: usize,
    confidence: f64,
    subsets: Vec<OfSubset>,
    average_f1: Averages,
}

#[derive(Serialize)]
struct Model {
    folder: String,
    threshold: f64,
    /// None if the threshold was given.
    fitted_on: Option<String>,
}

#[derive(Serialize)]
struct OfSubset {
    subset: String,
    examples: usize,
    erroneous: usize,
    correct: usize,
    not_read: Option<Shortfalls>,
    model: Option<FirstErrors>,
    equation_checker: FirstErrors,
    no_error: FirstErrors,
    best_guess: Option<BestGuess>,
}

#[derive(Serialize)]
struct Averages {
    model: Option<Estimate>,
    /// Over the subsets that the threshold was not fitted on, if there are any.
    model_held_out: Option<Estimate>,
    equation_checker: Option<Estimate>,
    best_guess: Option<f64>,
}

impl Report {
    pub(super) fn new(subsets: &[Subset], judged: Option<&Judged>, bootstrap: Bootstrap) -> Self {
        let by_model = judged.map(|judged| {
            let of = |(subset, predictions): (&Subset, &Vec<_>)| outcomes(subset, predictions.iter().copied());
            subsets.iter().zip(&judged.predictions).map(of).collect::<Vec<_>>()
        });
        let checked: Vec<Vec<Outcome>> = subsets
            .iter()
            .map(|subset| outcomes(subset, subset.rows.iter().map(|row| first_false_step(&row.steps))))
            .collect();
        let of_subset = |(i, subset): (usize, &Subset)| {
            let labels = subset.labels();
            let correct = labels.iter().filter(|label| label.is_none()).count();
            OfSubset {
                subset: subset.name.clone(),
                examples: labels.len(),
                erroneous: labels.len() - correct,
                correct,
                not_read: judged.map(|judged| judged.shortfalls[i]),
                model: by_model.as_ref().map(|outcomes| FirstErrors::new(&outcomes[i], &bootstrap)),
                equation_checker: FirstErrors::new(&checked[i], &bootstrap),
                no_error: FirstErrors::new(&outcomes(subset, labels.iter().map(|_| None)), &bootstrap),
                best_guess: best_guess(&labels),
            }
        };
        let of_subsets: Vec<OfSubset> = subsets.iter().enumerate().map(of_subset).collect();
        let fitted_on = judged.and_then(|judged| judged.fitted_on.as_ref());
        let average = |outcomes: &[Vec<Outcome>], counts: &dyn Fn(&Subset) -> bool| {
            let counted = outcomes.iter().zip(subsets).filter(|(_, subset)| counts(subset));
            average_f1(&counted.map(|(outcomes, _)| &outcomes[..]).collect::<Vec<_>>(), &bootstrap)
        };
        let guesses = of_subsets.iter().map(|subset| Some(subset.best_guess?.f1));
        let average_f1 = Averages {
            model: by_model.as_ref().and_then(|outcomes| average(outcomes, &|_| true)),
            model_held_out: fitted_on.and_then(|name| average(by_model.as_ref()?, &|subset| subset.name != *name)),
            equation_checker: average(&checked, &|_| true),
            best_guess: guesses.sum::<Option<f64>>().map(|sum| sum / subsets.len() as f64),
        };
        Self {
            model: judged.map(|judged| Model {
                folder: judged.folder.display().to_string(),
                threshold: judged.threshold,
                fitted_on: judged.fitted_on.clone(),
            }),
            seed: bootstrap.seed,
            resamples: bootstrap.resamples,
            confidence: bootstrap.confidence,
            subsets: of_subsets,
            average_f1,
        }
    }
}

fn outcomes(subset: &Subset, predictions: impl Iterator<Item = Option<usize>>) -> Vec<Outcome> {
    let outcome = |(prediction, label)| Outcome { prediction, label };
    predictions.zip(subset.labels()).map(outcome).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| subset | judge | examples | acc_error | acc_correct | F1 |")?;
        writeln!(f, "|---|---|---:|---:|---:|---:|")?;
        for subset in &self.subsets {
            subset.fmt(f)?;
        }
        let Averages { model, model_held_out, equation_checker, best_guess } = &self.average_f1;
        let mut average = |judge: &str, f1: &str| writeln!(f, "| average | {judge} | | | | {f1} |");
        if self.model.is_some() {
            average("model", &with_interval(*model))?;
        }
        if model_held_out.is_some() {
            average("model, without the subset fitted on", &with_interval(*model_held_out))?;
        }
        average("equation checker", &with_interval(*equation_checker))?;
        average("best guess without reading", &best_guess.map_or("–".into(), alone))?;
        writeln!(
            f,
            "\nPer cent; in brackets {} % intervals of {} resamples over problems, seed {}.",
            alone(self.confidence).trim_end_matches(".0"),
            self.resamples,
            self.seed,
        )?;
        let Some(Model { threshold, fitted_on, .. }) = &self.model else { return Ok(()) };
        match fitted_on {
            None => writeln!(f, "Steps are wrong below {threshold}, as given.")?,
            Some(subset) => writeln!(
                f,
                "Steps are wrong below {threshold}, which has the best F1 on {subset}; \
                 fitted there, it flatters the model's numbers on {subset}."
            )?,
        }
        for OfSubset { subset, examples, not_read: shortfalls, .. } in &self.subsets {
            if let Some(said) = shortfalls.and_then(|shortfalls| not_read(shortfalls, *examples)) {
                writeln!(f, "{subset}: {said}.")?;
            }
        }
        Ok(())
    }
}

/// Its lines of the table.
impl fmt::Display for OfSubset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subset, examples, .. } = self;
        let mut line = |judge: &str, [error, correct, f1]: [String; 3]| {
            writeln!(f, "| {subset} | {judge} | {examples} | {error} | {correct} | {f1} |")
        };
        let found = |found: &FirstErrors| [found.acc_error, found.acc_correct, found.f1].map(with_interval);
        if let Some(model) = &self.model {
            line("model", found(model))?;
        }
        line("equation checker", found(&self.equation_checker))?;
        line("always -1", found(&self.no_error))?;
        match &self.best_guess {
            None => line("best guess without reading", ["–", "–", "–"].map(String::from)),
            Some(BestGuess { step, acc_correct, acc_error, f1 }) => line(
                &format!("best guess without reading: -1 in {} %, else step {step}", alone(*acc_correct)),
                [*acc_error, *acc_correct, *f1].map(alone),
            ),
        }
    }
}
