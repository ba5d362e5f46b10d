//! Judging on published data: numbers by hand, laws, and what the real files give.

use aprm_core::metrics::processbench::{Example, evaluate};
use aprm_models::benchmark::choice::{Candidate, best, blind, majority, oracle, weighted};
use aprm_models::benchmark::equation_checker::first_false_step;
use aprm_models::benchmark::estimate::{Bootstrap, Estimate};
use aprm_models::benchmark::first_error::{FirstErrors, Outcome, average_f1};
use aprm_models::benchmark::no_information::best_guess;
use aprm_models::benchmark::reading::{Reading, Shortfall, Shortfalls, step_scores};
use aprm_models::benchmark::threshold::fit_threshold;
use aprm_models::checkpoint::Checkpoint;
use aprm_models::data::{ProcessBench, RecordedSolutions};
use aprm_models::oracle::{partial_equations, without_latex};
use aprm_models::read_out::ReadOut;
use aprm_models::safetensors::Options;
use aprm_models::step_scorer::{SolutionError, StepScorer};
use aprm_models::step_text::{MarkerOptions, StepText, StepTextError};
use aprm_ndarray::Cpu;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::data_sets::rows;
use crate::golden;
use crate::step_scorer::{characters, scorer};

fn value(estimate: Option<Estimate>) -> f64 {
    estimate.unwrap().value
}

#[test]
fn first_errors_by_hand() {
    // Four wrong solutions: found, too early, missed, found; three right ones, of which one is blamed.
    let labels = [Some(0), Some(2), Some(1), Some(3), None, None, None];
    let predictions = [Some(0), Some(1), None, Some(3), None, Some(0), None];
    let outcomes: Vec<Outcome> =
        predictions.into_iter().zip(labels).map(|(prediction, label)| Outcome { prediction, label }).collect();
    let found = FirstErrors::new(&outcomes, &Bootstrap::default());
    assert_eq!((value(found.acc_error), value(found.acc_correct)), (0.5, 2.0 / 3.0));
    // 2 · 1/2 · 2/3 / (7/6) = 4/7.
    assert!((value(found.f1) - 4.0 / 7.0).abs() < 1e-15);
    // The other subset's is 2 · 1 · 1/2 / (3/2) = 2/3; the mean of 4/7 and 2/3 is 13/21.
    let other = [(Some(1), Some(1)), (None, None), (Some(0), None)];
    let other = other.map(|(prediction, label)| Outcome { prediction, label });
    assert!((value(average_f1(&[&outcomes, &other], &Bootstrap::default())) - 13.0 / 21.0).abs() < 1e-15);
    // One kind alone has no balance, and a resample may have one kind alone.
    let right_alone = FirstErrors::new(&outcomes[4..], &Bootstrap::default());
    assert_eq!((right_alone.acc_error, right_alone.f1), (None, None));
    assert_eq!(average_f1(&[&outcomes, &outcomes[4..]], &Bootstrap::default()), None);
    assert_eq!(found.f1.unwrap().interval, None);
    assert_eq!(average_f1(&[], &Bootstrap::default()), None);
}

#[test]
fn intervals_hold_the_value_and_follow_from_the_seed() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut outcome = |_| {
        let label = rng.random_bool(0.5).then(|| rng.random_range(0..3));
        Outcome { label, prediction: if rng.random_bool(0.7) { label } else { Some(3) } }
    };
    let outcomes: Vec<Outcome> = (0..200).map(&mut outcome).collect();
    let of_seed = |seed| FirstErrors::new(&outcomes, &Bootstrap { seed, ..Bootstrap::default() });
    let found = of_seed(0);
    for estimate in [found.acc_error, found.acc_correct, found.f1].map(Option::unwrap) {
        let [low, high] = estimate.interval.unwrap();
        assert!(low < estimate.value && estimate.value < high && high - low < 0.3, "{estimate:?}");
    }
    assert_eq!(found, of_seed(0));
    assert_ne!(found, of_seed(1));
}

/// No threshold at all is better than the one that is fitted.
fn threshold_is_best(fit: impl Fn(&[Example<'_, f64>]) -> Option<f64>) -> Result<(), String> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for trial in 0..50 {
        // Scores of a judge that is sure of everything lie close together.
        let mut solution = |_| {
            let scores: Vec<f64> = (0..3).map(|_| 1.0 - 0.01 * rng.random::<f64>().powi(2)).collect();
            (scores, rng.random_bool(0.6).then(|| rng.random_range(0..3)))
        };
        let solutions: Vec<(Vec<f64>, Option<usize>)> = (0..12).map(&mut solution).collect();
        let examples: Vec<Example<'_, f64>> =
            solutions.iter().map(|(step_scores, label)| Example { step_scores, label: *label }).collect();
        let f1 = |threshold| evaluate(&examples, threshold).f1();
        let fitted = fit(&examples).map(f1);
        let best = (0..=20_000).map(|i| f1(0.98 + 1e-6 * f64::from(i))).fold(
            None,
            |best, f1| {
                if f1 > best { f1 } else { best }
            },
        );
        if fitted < Some(best) {
            return Err(format!("trial {trial}: {fitted:?} for {best:?}"));
        }
    }
    Ok(())
}

#[test]
fn the_fitted_threshold_is_the_best() {
    threshold_is_best(fit_threshold).unwrap();
    let tie = [Example { step_scores: &[0.5, 0.5][..], label: Some(1) }, Example { step_scores: &[0.5], label: None }];
    assert_eq!(fit_threshold(&tie), Some(0.5), "nothing to tell apart: everything passes");
    assert_eq!(fit_threshold(&tie[..1]), None, "without right solutions");
    let neighbours = [0.5, 0.5_f64.next_up()];
    let neighbours = [
        Example { step_scores: &neighbours[..1], label: Some(0) },
        Example { step_scores: &neighbours[1..], label: None },
    ];
    assert_eq!(fit_threshold(&neighbours), Some(0.5_f64.next_up()));
}

/// Negative control: hundredths are too coarse for such scores.
#[test]
fn a_coarse_threshold_is_caught() {
    let hundredths: Vec<f64> = (1..100).map(|percent| f64::from(percent) / 100.0).collect();
    let coarse = |examples: &[Example<'_, f64>]| {
        aprm_core::metrics::processbench::fit_threshold(examples, &hundredths).map(|(threshold, _)| threshold)
    };
    threshold_is_best(coarse).unwrap_err();
}

#[test]
fn no_chance_and_no_step_beats_the_best_guess() {
    let labels = [None, Some(0), Some(2), Some(2), Some(1), None, Some(2), Some(0)];
    let guess = best_guess(&labels).unwrap();
    assert_eq!(guess.step, 2);
    let f1 = |step: usize, pass: f64| {
        let share = labels.iter().filter(|label| **label == Some(step)).count() as f64 / 6.0;
        let found = (1.0 - pass) * share;
        if pass + found > 0.0 { 2.0 * pass * found / (pass + found) } else { 0.0 }
    };
    assert!((guess.f1 - f1(2, guess.acc_correct)).abs() < 1e-15);
    for step in 0..4 {
        for percent in 0..=1000 {
            assert!(f1(step, f64::from(percent) / 1000.0) <= guess.f1 + 1e-15, "{step} {percent}");
        }
    }
    // The control of the loop above: another chance is worse.
    assert!(f1(2, guess.acc_correct + 0.1) < guess.f1 - 1e-3 && f1(2, guess.acc_correct - 0.1) < guess.f1 - 1e-3);
    assert_eq!(best_guess(&[Some(1)]), None);
    assert_eq!(best_guess(&[None]), None);
    assert_eq!(best_guess(&[None, Some(3), Some(1)]).unwrap().step, 1, "the earliest of equals");
}

fn candidates<const N: usize>(solutions: [(&str, bool); N]) -> [Candidate; N] {
    solutions.map(|(answer, is_right)| Candidate { answer: (!answer.is_empty()).then(|| answer.into()), is_right })
}

#[test]
fn choices_by_hand() {
    let four = candidates([("7", false), ("5", true), ("7", false), ("6", false)]);
    assert_eq!((blind(&four), majority(&four), oracle(&four)), (0.25, 0.0, 1.0));
    assert_eq!(best(&[0.1, 0.9, 0.2, 0.9], &four), 0.5);
    // 0.3 for 7, 0.3 for 5: one of two answers is right.
    assert_eq!(weighted(&[0.125, 0.25, 0.125, 0.0], &four), 0.5);
    assert_eq!(weighted(&[0.125, 0.5, 0.125, 0.0], &four), 1.0);
    let tied = candidates([("1", false), ("2", true), ("1", false), ("2", true)]);
    assert_eq!((majority(&tied), best(&[0.5; 4], &tied)), (0.5, 0.5));
    // What does not answer is out of the question, unless nothing answers.
    let silent = candidates([("", true), ("3", false)]);
    assert_eq!((best(&[1.0, 0.0], &silent), majority(&silent), blind(&silent)), (0.0, 0.0, 0.5));
    assert_eq!(best(&[1.0, 0.0], &candidates([("", true), ("", false)])), 1.0);
    assert_eq!(best(&[f64::NAN, 0.0], &candidates([("1", true), ("2", false)])), 0.0);
    assert_eq!(best(&[f64::NAN; 2], &candidates([("1", true), ("2", false)])), 0.5);
    assert_eq!((best(&[], &[]), majority(&[]), blind(&[]), oracle(&[])), (0.0, 0.0, 0.0, 0.0));
}

/// Who stands first does not count.
fn order_does_not_count(choose: impl Fn(&[f64], &[Candidate]) -> f64) -> Result<(), String> {
    let mut solutions = candidates([("1", true), ("2", false), ("3", false), ("1", true), ("4", false)]);
    let mut scores = [0.5, 0.5, 0.25, 0.25, 0.5];
    let forwards = choose(&scores, &solutions);
    solutions.reverse();
    scores.reverse();
    let backwards = choose(&scores, &solutions);
    if forwards == backwards { Ok(()) } else { Err(format!("{forwards}, and backwards {backwards}")) }
}

#[test]
fn the_order_of_solutions_does_not_count() {
    order_does_not_count(best).unwrap();
    order_does_not_count(weighted).unwrap();
    order_does_not_count(|_, solutions| majority(solutions)).unwrap();
}

/// Negative control: a choice of the first of equals depends on the order.
#[test]
fn the_first_of_equals_is_caught() {
    let first_of_equals = |scores: &[f64], solutions: &[Candidate]| {
        let answers: Vec<Option<&str>> = solutions.iter().map(|solution| solution.answer.as_deref()).collect();
        let chosen = aprm_core::search::best_of_n::naive(scores, &answers).unwrap();
        f64::from(u8::from(solutions[chosen].is_right))
    };
    order_does_not_count(first_of_equals).unwrap_err();
}

#[test]
fn a_chain_is_read_in_parts() {
    let read = |text: &str| partial_equations(text).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(read("Cost = $5 * 3 = $15"), ["5*3=15"]);
    assert_eq!(read("2 + 3 = 5 pens, x = 4 + 4 = 8 = y"), ["2+3=5", "4+4=8"]);
    // Letters, powers and mixed numbers belong to sides, which are not read then.
    for text in ["y - 5 = 10", "x = 2^3 = 8", "x = 1 1/2 = 1.5", "x = 3(4) = 12", "a = 15*y = 30", "= = ="] {
        assert_eq!(read(text), [""; 0], "{text}");
    }
}

#[test]
fn latex_is_rendered_or_left_alone() {
    for (text, expected) in [
        (r"\(2\times3=6\)", " 2*3=6 "),
        (r"\left(\tfrac{\frac{6}{3}}{2}\right) \div 1", "(((6)/(3))/(2)) / 1"),
        (r"\frac12 \frac{1} \frac{1}{2", r"\frac12 \frac{1} \frac{1}{2"),
        (r"\text{so \(1+1=2\)", r"\text{so  1+1=2 "),
        (r"50\% of \$3 \", r"50% of $3 \"),
        (r"\é\timesé", r"\é*é"),
    ] {
        assert_eq!(without_latex(text), expected, "{text}");
    }
    // Braces without end are no stack without end.
    let deep = r"\frac{".repeat(100_000) + &"}{1}".repeat(100_000);
    assert!(without_latex(&deep).len() > 100_000);
}

#[test]
fn what_cannot_be_read_scores_zero() {
    let mut scorer = scorer("qwen2_token_classifier", ReadOut::Trl, 64);
    let long = "1".repeat(50);
    let solutions: [(&str, &[&str]); 6] = [
        ("1+1", &["1+1=2", "2*3=6"]),
        ("1+1", &["1+1=2", "so it is 2", "2*3=6"]),
        ("What?", &["1+1=2"]),
        ("1", &["2", &long, &long, "3"]),
        ("1", &[]),
        ("1+1", &["1+1=2"]),
    ];
    let readings: Vec<Reading> =
        solutions.iter().map(|(prompt, steps)| Reading::new(&scorer, prompt, steps).unwrap()).collect();
    let shortfalls: Vec<Option<Shortfall>> = readings.iter().map(|reading| reading.shortfall).collect();
    let (unknown, long) = (Some(Shortfall::UnknownText), Some(Shortfall::TooLong));
    assert_eq!(shortfalls, [None, unknown, unknown, long, Some(Shortfall::NoSteps), None]);
    assert_eq!(readings.iter().collect::<Shortfalls>(), Shortfalls { unknown_text: 2, too_long: 1, no_steps: 1 });
    let mut done = 0;
    let scores = step_scores(&mut scorer, &readings, |by| done += by).unwrap();
    assert_eq!((done, scores.iter().map(Vec::len).collect::<Vec<_>>()), (6, vec![2, 3, 1, 4, 0, 1]));
    let is_zero: Vec<Vec<bool>> =
        scores.iter().map(|scores| scores.iter().map(|score| *score == 0.0).collect()).collect();
    assert_eq!(
        is_zero[..4],
        [vec![false, false], vec![false, true, true], vec![true], vec![false, false, true, true],]
    );
    // What is read scores what it scores alone.
    assert_eq!((scores[0][0], scores[1][0]), (scores[5][0], scores[5][0]));
}

/// Who has named a marker that texts hold is told so, as by `score`.
#[test]
fn a_marker_in_a_text_is_no_shortfall() {
    let checkpoint = Checkpoint::load(&golden("llama"), Options::default()).unwrap();
    let markers = MarkerOptions { marker: Some("x".into()), ..MarkerOptions::default() };
    let step_text = StepText::new(characters(), ReadOut::MathShepherd, &markers).unwrap();
    let scorer = StepScorer::new(Cpu::<f32>::new(), &checkpoint, step_text, ReadOut::MathShepherd, 64).unwrap();
    assert_eq!(Reading::new(&scorer, "1", &["2"]).unwrap().shortfall, None);
    let refused = Reading::new(&scorer, "1x", &["2"]);
    assert_eq!(refused, Err(SolutionError::Text(StepTextError::Markers { steps: 1, found: 2 })));
}

/// The equation checker of ProcessBench's GSM8K blames nobody who is right.
#[test]
fn the_equation_checker_on_real_data() {
    let Some(rows) = rows::<ProcessBench>("processbench/gsm8k.jsonl") else { return };
    let outcomes: Vec<Outcome> =
        rows.iter().map(|row| Outcome { prediction: first_false_step(&row.steps), label: row.first_error }).collect();
    let found = FirstErrors::new(&outcomes, &Bootstrap { resamples: 1, ..Bootstrap::default() });
    assert_eq!((value(found.acc_error), value(found.acc_correct)), (13.0 / 207.0, 1.0));
    let labels: Vec<Option<usize>> = rows.iter().map(|row| row.first_error).collect();
    let guess = best_guess(&labels).unwrap();
    assert_eq!((guess.step, format!("{:.3}", guess.f1)), (1, "0.248".to_owned()));
}

#[test]
fn recorded_solutions_on_real_data() {
    let Some(rows) = rows::<RecordedSolutions>("gsm8k/example_model_solutions.jsonl") else { return };
    let problems: Vec<Vec<Candidate>> = rows
        .iter()
        .map(|row| {
            let candidate = |solution: &aprm_models::data::RecordedSolution| Candidate {
                answer: solution.canonical_answer(),
                is_right: solution.is_correct,
            };
            row.solutions.iter().map(candidate).collect()
        })
        .collect();
    let mean = |of: fn(&[Candidate]) -> f64| {
        format!("{:.3}", problems.iter().map(|solutions| of(solutions)).sum::<f64>() / problems.len() as f64)
    };
    assert_eq!([mean(blind), mean(majority), mean(oracle)], ["0.379", "0.482", "0.672"]);
    // The first of equals is the smallest model's.
    let first_of_equals = |solutions: &[Candidate]| {
        let answers: Vec<Option<&str>> = solutions.iter().map(|solution| solution.answer.as_deref()).collect();
        let chosen = aprm_core::search::best_of_n::majority(&answers);
        chosen.map_or(0.0, |chosen| f64::from(u8::from(solutions[chosen].is_right)))
    };
    assert_eq!(mean(first_of_equals), "0.443");
    // Equal answers are equally right.
    for solutions in &problems {
        for (i, one) in solutions.iter().enumerate() {
            for other in solutions[..i].iter().filter(|other| other.answer == one.answer) {
                assert_eq!(one.is_right, other.is_right, "{one:?}");
            }
        }
    }
}
