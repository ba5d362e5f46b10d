//! Scores of every convention: equal to the model's own logits, whatever stands beside a solution.

use aprm_models::checkpoint::Checkpoint;
use aprm_models::evaluator::{Evaluator, SequenceError};
use aprm_models::read_out::ReadOut;
use aprm_models::safetensors::Options;
use aprm_models::step_scorer::{ScorerError, StepScorer};
use aprm_models::step_text::{MarkedIds, MarkerOptions, StepText};
use aprm_models::tokenizer::{Alphabet, CharacterTokenizer};
use aprm_ndarray::Cpu;
use safetensors::SafeTensors;

use crate::golden;
use crate::transformer::{assert_close, file, floats, integers};

/// 29 tokens, as the golden models have: a newline, 21 characters, and seven special tokens.
pub(crate) fn characters() -> Box<CharacterTokenizer> {
    let special_tokens = ["<|im_start|>", "<|im_end|>", "<extra_0>", "ки", "<pad>"].map(String::from).into();
    let characters = "\n 0123456789+-*/=abxy?.".chars().take(22).collect();
    Box::new(CharacterTokenizer::new(Alphabet { characters, special_tokens, ..Alphabet::default() }).unwrap())
}

pub(crate) fn scorer(name: &str, read_out: ReadOut, batch_tokens: usize) -> StepScorer<Cpu<f32>> {
    let checkpoint = Checkpoint::load(&golden(name), Options::default()).unwrap();
    let step_text = StepText::new(characters(), read_out, &MarkerOptions::default()).unwrap();
    StepScorer::new(Cpu::new(), &checkpoint, step_text, read_out, batch_tokens).unwrap()
}

fn solutions(scorer: &StepScorer<Cpu<f32>>) -> Vec<MarkedIds> {
    [("1+1", &["1+1=2", "2*3=6"][..]), ("a", &["b"]), ("1+2*3", &["2*3=6", "1+6=7", "7"]), ("", &["x", "", "y=1"])]
        .iter()
        .map(|(prompt, steps)| scorer.encode(prompt, steps).unwrap())
        .collect()
}

#[test]
fn scores_do_not_depend_on_the_batch_or_its_order() {
    let alone = {
        let mut scorer = scorer("qwen2_token_classifier", ReadOut::Trl, 1);
        let solutions = solutions(&scorer);
        scorer.score(&solutions).unwrap()
    };
    assert_eq!(alone.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 3, 3]);
    for batch_tokens in [1, 16, 30, 1000] {
        let mut scorer = scorer("qwen2_token_classifier", ReadOut::Trl, batch_tokens);
        let mut solutions = solutions(&scorer);
        for _ in 0..2 {
            assert_eq!(scorer.score(&solutions).unwrap(), alone, "{batch_tokens} tokens");
        }
        solutions.reverse();
        let mut reversed = scorer.score(&solutions).unwrap();
        reversed.reverse();
        assert_eq!(reversed, alone, "{batch_tokens} tokens, reversed");
    }
    // Not for want of differences.
    assert!(alone.concat().windows(2).all(|pair| (pair[0].score - pair[1].score).abs() > 1e-4));
}

/// The scores of golden token ids are those of the golden logits.
#[test]
fn scores_are_read_from_the_models_logits() {
    for (name, read_out) in
        [("qwen2_token_classifier", ReadOut::Trl), ("skywork", ReadOut::Skywork), ("reason_eval", ReadOut::ReasonEval)]
    {
        let bytes = file(name, "golden.safetensors");
        let golden_tensors = SafeTensors::deserialize(&bytes).unwrap();
        let positions = integers(&golden_tensors, "steps");
        let logits = floats(&golden_tensors, "logits");
        let marked = MarkedIds { ids: integers(&golden_tensors, "ids"), positions: positions.clone() };
        // No text is encoded, so any convention's text does.
        let step_text = StepText::new(characters(), ReadOut::Trl, &MarkerOptions::default()).unwrap();
        let checkpoint = Checkpoint::load(&golden(name), Options::default()).unwrap();
        let mut scorer = StepScorer::new(Cpu::<f32>::new(), &checkpoint, step_text, read_out, 64).unwrap();
        let [scores] = &scorer.score(&[marked]).unwrap()[..] else { panic!("one solution") };
        let classes = logits.len() / 40;
        for (score, position) in scores.iter().zip(positions) {
            let x: Vec<f64> = logits[position as usize * classes..][..classes].iter().map(|&x| x.into()).collect();
            let exp: Vec<f64> = x.iter().map(|x| x.exp()).collect();
            let expected = match classes {
                1 => exp[0] / (1.0 + exp[0]),
                _ => 1.0 - exp[0] / exp.iter().sum::<f64>(),
            };
            assert!((score.score - expected).abs() < 1e-5, "{name}: {} is not {expected}", score.score);
            assert_eq!(score.redundancy.is_some(), classes == 3, "{name}");
        }
    }
}

#[test]
fn a_language_model_is_read_at_its_markers() {
    let mut scorer = scorer("llama", ReadOut::MathShepherd, 100);
    // The alphabet encodes the marker as text, character by character, so it is not found.
    let complaint = scorer.encode("1+1", &["1+1=2"]).unwrap_err().to_string();
    assert!(complaint.contains("'к'") || complaint.contains("the marker"), "{complaint}");
    let marked = MarkedIds { ids: vec![3, 12, 5, 27], positions: vec![3] };
    let score = scorer.score(&[marked]).unwrap()[0][0].score;
    let checkpoint = Checkpoint::load(&golden("llama"), Options::default()).unwrap();
    let logits = Evaluator::new(Cpu::<f32>::new(), &checkpoint).unwrap().logits(&[3, 12, 5, 27]).unwrap();
    let [plus, minus] = [12, 13].map(|id| f64::from(logits[3][id]));
    assert!((score - 1.0 / (1.0 + (minus - plus).exp())).abs() < 1e-6);
}

#[test]
fn logits_are_those_of_transformers() {
    for name in ["llama", "qwen2", "qwen2_prm", "skywork"] {
        let bytes = file(name, "golden.safetensors");
        let golden_tensors = SafeTensors::deserialize(&bytes).unwrap();
        let checkpoint = Checkpoint::load(&golden(name), Options::default()).unwrap();
        let mut evaluator = Evaluator::new(Cpu::<f32>::new(), &checkpoint).unwrap();
        // A longer batch before, whose remains must not be seen.
        evaluator.hidden(&[&[1; 60]]).unwrap();
        let logits = evaluator.logits(&integers(&golden_tensors, "ids")).unwrap();
        let logits: Vec<f64> = logits.concat().into_iter().map(f64::from).collect();
        assert_close(name, &logits, &floats(&golden_tensors, "logits"), 2e-5);
    }
}

#[test]
fn what_a_model_cannot_take_is_refused() {
    let prm = scorer("qwen2_prm", ReadOut::QwenPrm, 100);
    assert!(prm.encode("1", &["1"]).is_err(), "the system prompt is not in the alphabet");
    let trl = scorer("qwen2_token_classifier", ReadOut::Trl, 100);
    let long = trl.encode(&"1".repeat(64), &["1"]).unwrap_err().to_string();
    assert!(long.contains("66 tokens are more than the model's context of 64"), "{long}");
    let checkpoint = Checkpoint::load(&golden("llama"), Options::default()).unwrap();
    let evaluator = Evaluator::new(Cpu::<f32>::new(), &checkpoint).unwrap();
    let beyond = SequenceError::OutOfVocabulary { position: 1, id: 29, vocab_size: 29 };
    assert_eq!(evaluator.check(&[28, 29, 30]), Err(beyond));
    let step_text = StepText::new(characters(), ReadOut::Trl, &MarkerOptions::default()).unwrap();
    let refused = StepScorer::new(Cpu::<f32>::new(), &checkpoint, step_text, ReadOut::Trl, 100).unwrap_err();
    assert!(matches!(refused, ScorerError::ReadOut { of_head: [ReadOut::MathShepherd, ReadOut::Rlhflow], .. }));
}
