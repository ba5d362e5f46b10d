//! Labelled steps that were collected once, and what a language model adds to them.

use std::collections::{BTreeMap, BTreeSet};

use aprm_core::oracle::Verdict;
use aprm_core::policy::Sampler;
use aprm_core::rand_core::Rng;
use aprm_models::aprm::arithmetic_task::ArithmeticTask;
use aprm_models::aprm::collection::{Collection, NothingCollected};
use aprm_models::aprm::config::ModelShape;
use aprm_models::aprm::gsm8k_task::Gsm8kTask;
use aprm_models::aprm::model::Role;
use aprm_models::aprm::own_errors::own_errors;
use aprm_models::aprm::pretraining::initialize;
use aprm_models::aprm::prompt::{Prompt, special_tokens};
use aprm_models::aprm::solver::Sampling;
use aprm_models::aprm::streams::stream;
use aprm_models::aprm::task::Task;
use aprm_models::aprm::warm_start::Corruption;
use aprm_models::arithmetic::{ALPHABET, ErrorKind, Form, Preset};
use aprm_models::data::{Gsm8k, Row};
use aprm_models::generate::Generation;
use aprm_models::oracle::Leniency;
use aprm_models::tokenizer::{Alphabet, CharacterTokenizer, Tokenizer};
use aprm_models::transformer::Transformer;
use aprm_ndarray::Cpu;

fn task() -> ArithmeticTask {
    let distribution = Preset::InDistribution.distribution(Form::WordFree);
    ArithmeticTask::new(distribution, Leniency::default(), &mut stream(1, 1)).unwrap()
}

/// The problems that a task deals, and the errors in the place of each step of each.
fn dealt<K: Task>(task: &K, deals: usize) -> BTreeMap<(String, usize), BTreeSet<String>> {
    let (mut rng, mut found) = (stream(2, 1), BTreeMap::<_, BTreeSet<_>>::new());
    for _ in 0..deals {
        let solution = task.deal(&mut rng);
        for step in 0..task.steps(&solution).len() {
            let error = task.corrupt(&solution, step, &mut rng);
            let errors = found.entry((task.problem(&solution).to_owned(), step)).or_default();
            errors.extend(error.map(|(_, corrupted)| corrupted));
        }
    }
    found
}

#[test]
fn an_error_is_made_once() {
    let collection = Collection::new(task(), 20, &mut stream(3, 1)).unwrap();
    let found = dealt(&collection, 1000);
    let problems: BTreeSet<_> = found.keys().map(|(problem, _)| problem).collect();
    assert_eq!(problems.len(), 20);
    assert!(found.values().all(|errors| errors.len() == 1), "{found:?}");

    let renewed = dealt(&collection.with_new_errors(), 1000);
    assert!(renewed.keys().eq(found.keys()));
    assert!(renewed.values().all(|errors| errors.len() > 5), "{renewed:?}");

    let endless = dealt(&Collection::endless(task()), 100);
    assert!(endless.keys().filter(|(_, step)| *step == 0).count() > 90);
}

#[test]
fn a_seed_is_a_collection() {
    let of_seed = |seed| dealt(&Collection::new(task(), 20, &mut stream(seed, 1)).unwrap(), 200);
    assert_eq!(of_seed(3), of_seed(3));
    assert_ne!(of_seed(3), of_seed(4));
}

#[test]
fn a_task_of_few_problems_is_collected_whole() {
    let row = |pens: u32| {
        let answer = format!("Each gets {pens}/6=<<{pens}/6={0}>>{0} pens.\\n#### {0}", pens / 6);
        let row = format!(r#"{{"question": "{pens} pens for 6 children. How many each?", "answer": "{answer}"}}"#);
        Gsm8k::parse(&row).unwrap()
    };
    let task = Gsm8kTask::new([24, 30, 36].map(row), 1000, 100).unwrap();
    let collection = Collection::new(task, 1000, &mut stream(3, 1)).unwrap();
    assert_eq!(dealt(&collection, 100).len(), 3);
    // The rules of `Odd` know no errors.
    assert_eq!(Collection::new(Odd, 5, &mut stream(3, 1)).err(), Some(NothingCollected));
}

/// A task whose oracle finds steps of an odd number of bytes wrong.
struct Odd;

const GOLD: [&str; 2] = ["a=1", "b=1+1=2"];

impl Task for Odd {
    type Solution = Vec<String>;
    type Error = core::convert::Infallible;

    fn deal(&self, _: &mut dyn Rng) -> Vec<String> {
        GOLD.map(str::to_owned).into()
    }

    fn problem<'a>(&self, _: &'a Vec<String>) -> &'a str {
        "a=1;b=a+1?"
    }

    fn steps<'a>(&self, solution: &'a Vec<String>) -> &'a [String] {
        solution
    }

    fn corrupt(&self, _: &Vec<String>, _: usize, _: &mut dyn Rng) -> Option<(ErrorKind, String)> {
        None
    }

    fn judge(&mut self, _: &Vec<String>, _: usize, rewrite: &str) -> Result<Verdict, Self::Error> {
        Ok(if rewrite.len() % 2 == 1 { Verdict::Incorrect } else { Verdict::Correct })
    }

    fn solves(&self, _: &Vec<String>, _: &[String]) -> bool {
        false
    }

    fn error_kind(&self, _: &Vec<String>, step: usize, _: &str) -> &'static str {
        if step == 0 { ErrorKind::Digit.name() } else { "of no name" }
    }
}

#[test]
fn own_errors_are_wrong_steps_behind_gold_ones() {
    let mut cpu = Cpu::<f32>::new();
    let alphabet = Alphabet { characters: ALPHABET.into(), special_tokens: special_tokens(), ..Alphabet::default() };
    let tokenizer = CharacterTokenizer::new(alphabet).unwrap();
    let shape = ModelShape { hidden_size: 16, num_hidden_layers: 1, intermediate_size: 24, ..ModelShape::default() };
    let Ok(model) = Transformer::new(&mut cpu, shape.config(Role::LanguageModel, tokenizer.vocab_size()).unwrap());
    let Ok(weights) = initialize(&mut cpu, &model, &mut stream(3, 1));
    let prompt = Prompt::new(Box::new(tokenizer)).unwrap();

    let stop = [prompt.step_end];
    let generation = Generation { max_new_tokens: 12, sampler: Sampler::default(), stop: &stop };
    let sampling = Sampling { sequences: 64, capacity: 256, generation };
    let mut found = |seed| {
        let mut rng = stream(seed, 1);
        own_errors(&mut cpu, (&model, &weights), (&mut Odd, &prompt), 300, sampling, &mut rng, |_| {}).unwrap()
    };
    let errors = found(4);
    assert_eq!(errors, found(4));
    assert_ne!(errors, found(5));
    // A model that has learnt nothing ends one step in six within so many tokens, and half of those are odd.
    assert!((5..150).contains(&errors.len()), "{}", errors.len());
    for Corruption { problem, steps, corrupted, kind } in errors {
        assert_eq!((&problem[..], corrupted.len() % 2), ("a=1;b=a+1?", 1));
        let expected: &[&str] = if kind == ErrorKind::Digit { &GOLD[..1] } else { &GOLD };
        assert_eq!(steps, expected);
        assert!(kind == ErrorKind::Digit || kind == ErrorKind::Other);
    }
}
