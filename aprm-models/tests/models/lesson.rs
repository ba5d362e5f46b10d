//! What a verifier is taught: each step counts once, and hints say where an error begins.

use std::convert::Infallible;
use std::ops::Range;

use aprm_conformance::naive::Naive;
use aprm_core::backend::Backend;
use aprm_core::oracle::Verdict;
use aprm_core::player::Label;
use aprm_core::scalar::Scalar;
use aprm_models::aprm::config::{Divergence, GameConfig, ModelShape};
use aprm_models::aprm::lesson::{Deviation, Lesson, Teaching, study};
use aprm_models::aprm::model::{Role, graft};
use aprm_models::aprm::players::Player;
use aprm_models::aprm::pretraining::initialize;
use aprm_models::aprm::prompt::{Prompt, special_tokens};
use aprm_models::aprm::row_scores::RowScores;
use aprm_models::aprm::streams::stream;
use aprm_models::aprm::token_policy::{Response, TokenLoss, TokenPolicy, TokenStatistics, TokenTerms};
use aprm_models::aprm::verifier_loss::{Opinion, VerifierLoss};
use aprm_models::arithmetic::ALPHABET;
use aprm_models::step_text::MarkedIds;
use aprm_models::tokenizer::{Alphabet, CharacterTokenizer, Tokenizer};
use aprm_models::transformer::{Parameters, Transformer};
use aprm_ndarray::Cpu;

const PROBLEM: &str = "a=7;b=2;c=3;d=a*b;e=d-c?";

struct Class<B: Backend> {
    backend: B,
    prompt: Prompt,
    verifier: Player<B>,
    room: RowScores<B>,
}

fn steps(steps: &[&str]) -> Vec<String> {
    steps.iter().map(|&step| step.to_owned()).collect()
}

/// Gold steps, the same with a wrong operand in the second, and where that departs from gold.
fn a_wrong_operand(prompt: &Prompt) -> (Vec<String>, MarkedIds, Deviation) {
    let (gold, wrong) = (steps(&["d=7*2=14", "e=14-3=11"]), steps(&["d=7*2=14", "e=14-2=12"]));
    let marked = prompt.marked(PROBLEM, &wrong).unwrap();
    let deviation = prompt.deviation(PROBLEM, &gold, &marked).unwrap();
    (gold, marked, deviation)
}

impl<B: Backend<Error = Infallible>> Class<B> {
    fn new(mut backend: B) -> Self {
        let alphabet =
            Alphabet { characters: ALPHABET.into(), special_tokens: special_tokens(), ..Alphabet::default() };
        let tokenizer = CharacterTokenizer::new(alphabet).unwrap();
        let shape =
            ModelShape { hidden_size: 32, num_hidden_layers: 1, intermediate_size: 64, ..ModelShape::default() };
        let mut rng = stream(3, 9);
        let mut model = |role| {
            let Ok(model) = Transformer::new(&mut backend, shape.config(role, tokenizer.vocab_size()).unwrap());
            model
        };
        let (language_model, verifier) = (model(Role::LanguageModel), model(Role::Verifier));
        let Ok(weights) = initialize(&mut backend, &language_model, &mut rng);
        let Ok(grafted) = graft(&mut backend, &language_model, &weights, &verifier, &mut rng);
        let Ok(room) = RowScores::new(&mut backend, &verifier, 512);
        let config = GameConfig { verifier_learning_rate: 1e-2, ..GameConfig::default() };
        let verifier = Player::new(&mut backend, verifier, grafted, config.verifier_learner()).unwrap();
        Self { prompt: Prompt::new(Box::new(tokenizer)).unwrap(), backend, verifier, room }
    }

    /// How likely the verifier finds all to be right so far, after each token.
    fn scores(&mut self, ids: &[u32]) -> Vec<f64> {
        let positions = (0..ids.len() as u32).collect();
        let sequence = MarkedIds { ids: ids.to_vec(), positions };
        let weights = &self.verifier.learner.weights;
        let logits = self.room.logits(&mut self.backend, &self.verifier.model, weights, &[sequence]).unwrap();
        logits.chunks_exact(2).map(|pair| 1.0 / (1.0 + (pair[0] - pair[1]).widen().exp())).collect()
    }
}

#[test]
fn a_deviation_is_the_first_token_that_is_not_golds() {
    let prompt = Class::new(Cpu::<f32>::new()).prompt;
    let (_, marked, deviation) = a_wrong_operand(&prompt);
    assert_eq!(prompt.decode(&marked.ids[..deviation.first]), "a=7;b=2;c=3;d=a*b;e=d-c?d=7*2=14<step>e=14-");
    assert_eq!(deviation.begin, PROBLEM.len());
}

#[test]
fn each_step_has_one_opinion_whatever_hints_there_are() {
    let Class { mut backend, prompt, mut verifier, mut room } = Class::new(Cpu::<f32>::new());
    let (gold, marked, deviation) = a_wrong_operand(&prompt);
    let mut lesson = Lesson::default();
    lesson.question(marked.clone(), Verdict::Incorrect, Some(deviation));
    lesson.question(marked.clone(), Verdict::Incorrect, None);
    lesson.labelled(marked, &[1.0, 0.25]);
    lesson.gold(prompt.marked(PROBLEM, &gold).unwrap(), PROBLEM.len(), true);
    assert_eq!((lesson.questions(), lesson.len()), (4, 6));
    let teaching = Teaching { loss: VerifierLoss::cross_entropy(), gold_share: 1.0, reading: 0.0, hints: 1.0 };
    let mut opinions = Vec::new();
    let statistics =
        study(&mut backend, &mut verifier, &mut room, &lesson, teaching, &mut opinions, &mut stream(3, 1)).unwrap();
    assert_eq!((opinions.len(), statistics.steps, statistics.gold), (6, 6, 2));
}

/// With nothing but hints to learn from, the verifier learns where the error begins, and there alone.
#[test]
fn hints_say_where_an_error_begins() {
    let mut class = Class::new(Cpu::<f32>::new());
    let (gold, marked, deviation) = a_wrong_operand(&class.prompt);
    let mut lesson = Lesson::default();
    lesson.question(marked.clone(), Verdict::Incorrect, Some(deviation));
    lesson.gold(class.prompt.marked(PROBLEM, &gold).unwrap(), PROBLEM.len(), true);
    let silent = VerifierLoss { cross_entropy: 0.0, ..VerifierLoss::cross_entropy() };
    let teaching = Teaching { loss: silent, gold_share: 1.0, reading: 0.0, hints: 1.0 };
    let begin = marked.positions[0] as usize + 1;
    let is_learnt = |class: &mut Class<_>| {
        let scores = class.scores(&marked.ids);
        (begin..=deviation.first).all(|i| (scores[i] > 0.5) == (i < deviation.first))
    };
    assert!(!is_learnt(&mut class));
    for step in 0..60 {
        let Class { backend, verifier, room, .. } = &mut class;
        study(backend, verifier, room, &lesson, teaching, &mut Vec::new(), &mut stream(3, 1)).unwrap();
        verifier.learner.apply(backend, &step).unwrap();
    }
    assert!(is_learnt(&mut class));
}

/// Labelled steps, and a class whose verifier has moved away from its reference.
fn labelled_steps() -> (Class<Naive<f64>>, Lesson, [f64; 4]) {
    const TARGETS: [f64; 4] = [1.0, 0.25, 1.0, 0.0];
    let mut class = Class::new(Naive::<f64>::new());
    let (gold, marked, _) = a_wrong_operand(&class.prompt);
    let mut lesson = Lesson::default();
    lesson.labelled(marked, &TARGETS[..2]);
    lesson.labelled(class.prompt.marked(PROBLEM, &gold).unwrap(), &TARGETS[2..]);
    let teaching = Teaching { loss: VerifierLoss::cross_entropy(), gold_share: 0.0, reading: 0.0, hints: 0.0 };
    let Class { backend, verifier, room, .. } = &mut class;
    study(backend, verifier, room, &lesson, teaching, &mut Vec::new(), &mut stream(3, 1)).unwrap();
    verifier.learner.apply(backend, &0).unwrap();
    (class, lesson, TARGETS)
}

/// Along itself, by finite differences: with labels that are paid and without, whichever the divergence, in the first
/// epoch and in a later one.
#[test]
fn the_gradient_is_that_of_the_loss() {
    for (policy_gradient, divergence, is_later) in [
        (0.0, Divergence::Plain, false),
        (0.0, Divergence::Symmetric, false),
        (0.7, Divergence::Plain, false),
        (0.7, Divergence::Symmetric, true),
    ] {
        let (Class { mut backend, mut verifier, mut room, .. }, lesson, targets) = labelled_steps();
        let loss = VerifierLoss {
            policy_gradient,
            tau: 0.3,
            divergence,
            entropy: 0.1,
            clip_range: 0.2,
            ..VerifierLoss::cross_entropy()
        };
        let teaching = Teaching { loss, gold_share: 0.0, reading: 0.0, hints: 0.0 };
        let mut old_opinions = Vec::new();
        let mut opinions = |verifier: &mut Player<_>, opinions: &mut Vec<Opinion<f64>>| {
            study(&mut backend, verifier, &mut room, &lesson, teaching, opinions, &mut stream(3, 1)).unwrap();
            verifier.learner.gradients.0.clone()
        };
        if is_later {
            let gradients = opinions(&mut verifier, &mut old_opinions);
            for (weights, gradient) in verifier.learner.weights.0.iter_mut().zip(&gradients) {
                weights.iter_mut().zip(gradient).for_each(|(weight, g)| *weight -= 1e-2 * g);
            }
        }
        let gradients = opinions(&mut verifier, &mut old_opinions);
        let begin = verifier.learner.weights.0.clone();
        let slope: f64 = gradients.iter().flatten().map(|g| g * g).sum();
        let mut at = |epsilon: f64| -> f64 {
            for ((weights, begin), gradient) in verifier.learner.weights.0.iter_mut().zip(&begin).zip(&gradients) {
                weights.iter_mut().zip(begin).zip(gradient).for_each(|((w, begin), g)| *w = begin + epsilon * g);
            }
            let mut moved = Vec::new();
            opinions(&mut verifier, &mut moved);
            let losses = moved.iter().zip(&old_opinions).zip(targets);
            losses.map(|((opinion, old), target)| loss.loss(opinion, old, target)).sum::<f64>() / 4.0
        };
        let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!(slope > 1e-3, "{slope}");
        assert!(
            (difference - slope).abs() < 1e-5 * slope,
            "{policy_gradient} {divergence:?}: {difference} is not {slope}"
        );
    }
}

/// Labels are drawn with the same numbers whether they are paid or not, and kept for later epochs; before the policy has
/// moved these find the same gradient.
#[test]
fn labels_are_drawn_once() {
    let (Class { mut backend, mut verifier, mut room, .. }, lesson, _) = labelled_steps();
    let mut first = |policy_gradient, opinions: &mut Vec<Opinion<f64>>, seed| {
        let loss = VerifierLoss { policy_gradient, clip_range: 0.2, ..VerifierLoss::cross_entropy() };
        let teaching = Teaching { loss, gold_share: 0.0, reading: 0.0, hints: 0.0 };
        study(&mut backend, &mut verifier, &mut room, &lesson, teaching, opinions, &mut stream(seed, 1)).unwrap();
        verifier.learner.gradients.0.concat()
    };
    let mut labels = Vec::new();
    for seed in 0..20 {
        let (mut unpaid, mut paid) = (Vec::new(), Vec::new());
        first(0.0, &mut unpaid, seed);
        let drawn = first(1.0, &mut paid, seed);
        assert_eq!(unpaid, paid);
        let taken = first(1.0, &mut paid, seed + 100);
        assert_eq!(unpaid, paid);
        for (drawn, taken) in drawn.iter().zip(&taken) {
            assert!((drawn - taken).abs() < 1e-12, "{drawn} and {taken}");
        }
        labels.extend(paid.iter().map(|opinion| opinion.label));
    }
    assert!(labels.contains(&Label::Correct) && labels.contains(&Label::Incorrect));
}

/// Half the mean negative log-probability of so many tokens.
struct Likelihood(usize);

impl TokenLoss<f32> for Likelihood {
    fn terms(&mut self, _: Range<usize>) -> TokenTerms<f32> {
        TokenTerms::likelihood(vec![0.5 / self.0 as f32; self.0])
    }

    fn observe(&mut self, _: Range<usize>, _: &TokenStatistics<f32>) {}
}

/// Reading teaches a verifier what imitation teaches a language model of the same layers, bit for bit.
#[test]
fn reading_is_imitation() {
    let mut cpu = Cpu::<f32>::new();
    let prompt = Class::new(Cpu::<f32>::new()).prompt;
    let alphabet = Alphabet { characters: ALPHABET.into(), special_tokens: special_tokens(), ..Alphabet::default() };
    let vocab = CharacterTokenizer::new(alphabet).unwrap().vocab_size();
    let shape = ModelShape {
        hidden_size: 32,
        num_hidden_layers: 2,
        verifier_extra_layers: 0,
        intermediate_size: 64,
        ..ModelShape::default()
    };
    let mut rng = stream(3, 9);
    let [language_model, verifier] = [Role::LanguageModel, Role::Verifier].map(|role| {
        let Ok(model) = Transformer::new(&mut cpu, shape.config(role, vocab).unwrap());
        model
    });
    let Ok(weights) = initialize(&mut cpu, &language_model, &mut rng);
    let Ok(grafted) = graft(&mut cpu, &language_model, &weights, &verifier, &mut rng);
    let gold = steps(&["d=7*2=14", "e=14-3=11"]);

    let marked = prompt.marked(PROBLEM, &gold).unwrap();
    let (asked, written) = marked.ids.split_at(PROBLEM.len());
    let responses = [Response { prompt: asked.to_vec(), tokens: written.to_vec() }];
    let Ok(mut room) = TokenPolicy::new(&mut cpu, &language_model, 64);
    let Ok(mut imitated) = Parameters::zeros(&mut cpu, &language_model.layout);
    let mut likelihood = Likelihood(written.len());
    room.accumulate(&mut cpu, &language_model, &weights, None, &responses, &mut likelihood, &mut imitated).unwrap();

    let config = GameConfig::default().verifier_learner();
    let mut verifier = Player::new(&mut cpu, verifier, grafted, config).unwrap();
    let Ok(mut room) = RowScores::new(&mut cpu, &verifier.model, 64);
    let mut lesson = Lesson::default();
    lesson.gold(marked.clone(), PROBLEM.len(), false);
    let silent = VerifierLoss { cross_entropy: 0.0, ..VerifierLoss::cross_entropy() };
    let teaching = Teaching { loss: silent, gold_share: 1.0, reading: 0.5, hints: 0.0 };
    study(&mut cpu, &mut verifier, &mut room, &lesson, teaching, &mut Vec::new(), &mut rng).unwrap();
    for (imitated, read) in imitated.0.iter().zip(&verifier.learner.gradients.0) {
        assert!(imitated[..] == read[..]);
    }
    assert!(imitated.0.iter().any(|gradient| gradient.iter().any(|entry| *entry != 0.0)));
}
