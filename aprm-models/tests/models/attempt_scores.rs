//! What is said of the steps of attempts.

use aprm_models::aprm::attempt_scores::step_likelihoods;
use aprm_models::aprm::attempts::{Attempt, Attempts};
use aprm_models::aprm::config::ModelShape;
use aprm_models::aprm::model::Role;
use aprm_models::aprm::pretraining::initialize;
use aprm_models::aprm::prompt::{Prompt, special_tokens};
use aprm_models::aprm::streams::stream;
use aprm_models::aprm::token_policy::TokenPolicy;
use aprm_models::arithmetic::ALPHABET;
use aprm_models::checkpoint::Checkpoint;
use aprm_models::evaluator::Evaluator;
use aprm_models::tokenizer::{Alphabet, CharacterTokenizer, Tokenizer};
use aprm_models::transformer::Transformer;
use aprm_ndarray::Cpu;

fn attempt(steps: &[&str]) -> Attempt {
    let steps = steps.iter().map(|step| (*step).to_owned()).collect();
    Attempt { steps, first_error: None, answer: None, solved: false }
}

/// A step is as likely as its tokens one after the other, each by the softmax of the logits at the one before.
#[test]
fn likelihoods_are_products_over_tokens() {
    let mut cpu = Cpu::<f32>::new();
    let alphabet = Alphabet { characters: ALPHABET.into(), special_tokens: special_tokens(), ..Alphabet::default() };
    let tokenizer = CharacterTokenizer::new(alphabet).unwrap();
    let vocab = tokenizer.vocab_size();
    let prompt = Prompt::new(Box::new(tokenizer)).unwrap();
    let shape = ModelShape { hidden_size: 16, num_hidden_layers: 1, intermediate_size: 24, ..ModelShape::default() };
    let Ok(model) = Transformer::new(&mut cpu, shape.config(Role::LanguageModel, vocab).unwrap());
    let Ok(weights) = initialize(&mut cpu, &model, &mut stream(3, 1));

    let twice = attempt(&["c=1", "d=22"]);
    let set = [
        Attempts { problem: "a?".into(), attempts: vec![twice.clone(), attempt(&["d=2", "€=1", "c=1"]), twice] },
        Attempts { problem: "b=1+2?".into(), attempts: vec![attempt(&[]), attempt(&["€"])] },
    ];
    // Room for one sequence at a time, so that there are several passes.
    let Ok(mut room) = TokenPolicy::new(&mut cpu, &model, 12);
    let scores = step_likelihoods(&mut cpu, &model, &weights, &mut room, &prompt, &set).unwrap();

    let Ok(checkpoint) = Checkpoint::download(&mut cpu, model.config, &weights);
    let Ok(mut evaluator) = Evaluator::new(cpu, &checkpoint);
    let mut likelihood = |before: &[u32], step: &[u32]| {
        let Ok(logits) = evaluator.logits(&[before, step].concat());
        let of_token = |(i, &id): (usize, &u32)| {
            let row = &logits[before.len() + i - 1];
            let sum: f64 = row.iter().map(|logit| f64::from(*logit).exp()).sum();
            f64::from(row[id as usize]).exp() / sum
        };
        step.iter().enumerate().map(of_token).product::<f64>()
    };
    let mut before = prompt.transcript("a?", &[]).unwrap();
    for (i, text) in ["c=1", "d=22"].into_iter().enumerate() {
        let step = prompt.step(text).unwrap();
        let expected = likelihood(&before, &step);
        assert!((f64::from(scores[0][0][i]) / expected - 1.0).abs() < 1e-4, "{text}: {scores:?}, {expected}");
        before.extend(step);
    }
    assert_eq!(scores[0][2], scores[0][0]);
    // From the first character on that the model does not know, nothing is likely.
    assert!(scores[0][1][0] > 0.0 && scores[0][1][1..] == [0.0, 0.0], "{scores:?}");
    assert_eq!(scores[1], [vec![], vec![0.0]]);
}
