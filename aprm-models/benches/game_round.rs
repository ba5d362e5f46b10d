//! A round of the game with the default settings: its time by phase, beside a supervised step of the verifier over as many
//! tokens.
//!
//! `cargo bench -p aprm-models --bench game_round`. The players are trained first, for about half a minute, since a
//! generator that writes noise writes far more of it.

use std::time::{Duration, Instant};

use aprm_core::oracle::Verdict;
use aprm_models::aprm::arithmetic_task::ArithmeticTask;
use aprm_models::aprm::config::{Phase, RunConfig, WarmStartPhases};
use aprm_models::aprm::game::Game;
use aprm_models::aprm::lesson::{Lesson, Teaching, study};
use aprm_models::aprm::model::Role;
use aprm_models::aprm::players::Player;
use aprm_models::aprm::pretraining::Pretraining;
use aprm_models::aprm::prompt::{Prompt, special_tokens};
use aprm_models::aprm::row_scores::RowScores;
use aprm_models::aprm::streams::{Streams, stream};
use aprm_models::aprm::task::Task;
use aprm_models::aprm::verifier_loss::VerifierLoss;
use aprm_models::aprm::warm_start::{Corruption, WarmStart};
use aprm_models::arithmetic::ALPHABET;
use aprm_models::tokenizer::{Alphabet, CharacterTokenizer, Tokenizer};
use aprm_models::transformer::Transformer;
use aprm_ndarray::Cpu;
use rand::rngs::ChaCha8Rng;

const ROOM: usize = 4096;
const ROUNDS: usize = 24;
const WARM_UP: usize = 4;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// Gold steps and rule-made errors in equal parts, of about so many tokens.
fn lesson(task: &ArithmeticTask, prompt: &Prompt, tokens: usize, rng: &mut ChaCha8Rng) -> Lesson {
    let mut lesson = Lesson::default();
    while lesson.tokens() < tokens * 6 / 10 {
        let corruption = Corruption::deal(task, rng);
        let marked = prompt.marked(&corruption.problem, &corruption.corrupted_steps()).expect("known characters");
        let deviation = prompt.deviation(&corruption.problem, &corruption.steps, &marked).expect("known characters");
        lesson.question(marked, Verdict::Incorrect, Some(deviation));
    }
    while lesson.tokens() < tokens {
        let solution = task.deal(rng);
        let marked = prompt.marked(task.problem(&solution), task.steps(&solution)).expect("known characters");
        lesson.gold(marked, task.problem(&solution).len(), true);
    }
    lesson
}

fn main() {
    let run = RunConfig::default();
    let mut cpu = Cpu::<f32>::new();
    let alphabet = Alphabet { characters: ALPHABET.into(), special_tokens: special_tokens(), ..Alphabet::default() };
    let tokenizer = CharacterTokenizer::new(alphabet).expect("an alphabet");
    let vocab_size = tokenizer.vocab_size();
    let prompt = Prompt::new(Box::new(tokenizer)).expect("a prompt");
    let mut rng = stream(1, 9);
    let mut task =
        ArithmeticTask::new(run.problems.clone(), run.oracle.leniency(), &mut rng).expect("problems to draw");
    let model = |cpu: &mut Cpu<f32>, role| {
        let Ok(model) = Transformer::new(cpu, run.model.config(role, vocab_size).expect("a shape"));
        model
    };

    let language_model = model(&mut cpu, Role::LanguageModel);
    let phase = Phase { steps: 400, ..run.pretraining };
    let mut stage = Pretraining::new(&mut cpu, language_model, phase, ROOM, &mut rng).expect("room");
    while !stage.is_done() {
        stage.step(&mut cpu, std::slice::from_ref(&task), &prompt, &mut rng).expect("a step");
    }
    let models = (model(&mut cpu, Role::LanguageModel), model(&mut cpu, Role::Verifier));
    let (WarmStartPhases { generator, verifier, own_errors }, hints) = (run.warm_start, run.game.verifier_hints);
    let phases = WarmStartPhases {
        generator: Phase { steps: 300, ..generator },
        verifier: Phase { steps: 100, ..verifier },
        own_errors,
    };
    let mut warm =
        WarmStart::new(&mut cpu, models, (&stage.learner.weights, Vec::new()), (phases, &run.game), ROOM, &mut rng)
            .expect("room");
    while !warm.is_done() {
        warm.step(&mut cpu, &task, &prompt, &mut rng).expect("a step");
    }
    let WarmStart { generator, verifier, .. } = warm;
    let generator = Player::new(&mut cpu, generator.model, generator.learner.weights, run.game.generator_learner());
    let verifier = Player::new(&mut cpu, verifier.model, verifier.learner.weights, run.game.verifier_learner());
    let (generator, verifier) = (generator.expect("a learner"), verifier.expect("a learner"));
    let mut game = Game::new(&mut cpu, run.game.clone(), generator, verifier).expect("room");
    let mut streams = Streams::new(1);

    let (mut rounds, mut phases, mut tokens) = (Vec::new(), [const { Vec::new() }; 4], 0);
    for round in 0..ROUNDS {
        let begun = Instant::now();
        let report = game.play(&mut cpu, &mut task, &prompt, &mut streams).expect("a round");
        if round >= WARM_UP {
            rounds.push(begun.elapsed());
            tokens += report.tokens;
            let found = report.phases;
            for (times, time) in phases.iter_mut().zip([found.generate, found.judge, found.verifier, found.generator]) {
                times.push(time);
            }
        }
    }
    let tokens = tokens / rounds.len();

    let room = RowScores::new(&mut cpu, &game.verifier.model, ROOM);
    let Ok(mut room) = room;
    let mut steps = Vec::new();
    for step in 0..ROUNDS {
        let lesson = lesson(&task, &prompt, tokens, &mut rng);
        let begun = Instant::now();
        let loss = VerifierLoss::cross_entropy();
        let teaching = Teaching { loss, gold_share: run.game.gold_share, reading: run.game.verifier_reading, hints };
        study(&mut cpu, &mut game.verifier, &mut room, &lesson, teaching, &mut Vec::new(), &mut rng).expect("a pass");
        game.verifier.learner.apply(&mut cpu, &step).expect("an update");
        if step >= WARM_UP {
            steps.push(begun.elapsed());
        }
    }

    let (round, step) = (median(rounds), median(steps));
    println!("a round of the game, {tokens} tokens   {round:8.1} ms");
    for (name, times) in ["rewriting", "oracle", "verifier", "generator"].into_iter().zip(phases) {
        let time = median(times);
        println!("  {name:10} {time:8.1} ms  {:4.1} %", 100.0 * time / round);
    }
    println!("a supervised step of the verifier over as many {step:8.1} ms");
    println!("ratio {:.2}", round / step);
}
