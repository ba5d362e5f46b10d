//! A game that is stopped at any round and goes on is the unbroken game, bit for bit; a state that lacks anything is none.

use aprm_models::aprm::arithmetic_task::ArithmeticTask;
use aprm_models::aprm::config::{Baseline, GameConfig, ModelShape, RunConfig};
use aprm_models::aprm::critic::Critic;
use aprm_models::aprm::game::Game;
use aprm_models::aprm::model::{Role, graft};
use aprm_models::aprm::players::Player;
use aprm_models::aprm::pretraining::initialize;
use aprm_models::aprm::prompt::{Prompt, special_tokens};
use aprm_models::aprm::streams::{Streams, stream};
use aprm_models::arithmetic::ALPHABET;
use aprm_models::oracle::Leniency;
use aprm_models::tokenizer::{Alphabet, CharacterTokenizer, Tokenizer};
use aprm_models::training_state::{RestoreError, TrainingState};
use aprm_models::transformer::Transformer;
use aprm_ndarray::Cpu;

const SEED: u64 = 5;

fn config() -> GameConfig {
    GameConfig {
        positions: 3,
        max_rewrite_tokens: 6,
        league_share: 0.3,
        league_every: 1,
        league_size: 2,
        health_window: 2,
        baseline: Baseline::Critic,
        ..GameConfig::default()
    }
}

struct Table {
    cpu: Cpu<f32>,
    game: Game<Cpu<f32>>,
    task: ArithmeticTask,
    prompt: Prompt,
    streams: Streams,
}

impl Table {
    fn new() -> Self {
        let mut cpu = Cpu::new();
        let alphabet =
            Alphabet { characters: ALPHABET.into(), special_tokens: special_tokens(), ..Alphabet::default() };
        let tokenizer = CharacterTokenizer::new(alphabet).unwrap();
        let shape = ModelShape {
            hidden_size: 8,
            num_hidden_layers: 1,
            num_attention_heads: 2,
            intermediate_size: 8,
            ..ModelShape::default()
        };
        let model = |cpu: &mut Cpu<f32>, role| {
            let Ok(model) = Transformer::new(cpu, shape.config(role, tokenizer.vocab_size()).unwrap());
            model
        };
        let mut rng = stream(SEED, 9);
        let language_model = model(&mut cpu, Role::LanguageModel);
        let Ok(weights) = initialize(&mut cpu, &language_model, &mut rng);
        let config = config();
        let verifier_model = model(&mut cpu, Role::Verifier);
        let Ok(grafted) = graft(&mut cpu, &language_model, &weights, &verifier_model, &mut rng);
        let critic_model = model(&mut cpu, Role::Critic);
        let Ok(values) = graft(&mut cpu, &language_model, &weights, &critic_model, &mut rng);
        let verifier = Player::new(&mut cpu, verifier_model, grafted, config.verifier_learner()).unwrap();
        let generator = Player::new(&mut cpu, language_model, weights, config.generator_learner()).unwrap();
        let critic = Critic::new(&mut cpu, critic_model, values, config.critic_learner(), 512).unwrap();
        let mut game = Game::new(&mut cpu, config, generator, verifier).unwrap();
        game.critic = Some(critic);
        let problems = RunConfig::default().problems;
        let task = ArithmeticTask::new(problems, Leniency::default(), &mut stream(SEED, 0)).unwrap();
        let prompt = Prompt::new(Box::new(tokenizer)).unwrap();
        Self { cpu, game, task, prompt, streams: Streams::new(SEED) }
    }

    /// Plays up to a round, and says what was written on the way.
    fn play(&mut self, until: u64) -> Vec<String> {
        let mut written = Vec::new();
        while self.game.round < until {
            let report =
                self.game.play(&mut self.cpu, &mut self.task, &self.prompt, &mut self.streams).expect("a round");
            written.extend(report.rewrites.into_iter().map(|rewrite| format!("{} {}", rewrite.text, rewrite.score)));
        }
        written
    }

    fn capture(&mut self) -> TrainingState<f32> {
        let Ok(state) = self.game.capture(&mut self.cpu, &self.streams);
        state
    }

    fn restore(&mut self, state: &TrainingState<f32>) -> Result<(), RestoreError> {
        self.game.restore(&mut self.cpu, state, &mut self.streams)
    }
}

#[test]
fn a_game_goes_on_bit_for_bit() {
    const ROUNDS: u64 = 5;
    let mut unbroken = Table::new();
    let written = unbroken.play(ROUNDS);
    let end = unbroken.capture();
    for stop in 0..ROUNDS {
        let mut first = Table::new();
        let mut before = first.play(stop);
        let mut second = Table::new();
        second.restore(&first.capture()).unwrap();
        before.extend(second.play(ROUNDS));
        assert!(before == written && second.capture() == end, "stopped after {stop} rounds");
    }
}

/// A generator that has learnt nothing writes nothing that can be judged, so what the verifier is asked is the rules'.
#[test]
fn rules_rewrite_a_share_of_the_positions() {
    let written_and_asked = |rules_share| {
        let mut table = Table::new();
        table.game.config = GameConfig { positions: 8, rules_share, league_share: 0.0, ..table.game.config };
        let Table { cpu, game, task, prompt, streams } = &mut table;
        let report = game.play(cpu, task, prompt, streams).unwrap();
        let statistics = report.verifier_statistics;
        (report.rewrites.len(), statistics.steps - statistics.gold)
    };
    assert_eq!(written_and_asked(0.0), (16, 0));
    assert_eq!(written_and_asked(0.25), (12, 4));
    assert_eq!(written_and_asked(0.99), (2, 14));
}

#[test]
fn a_state_that_lacks_anything_is_none() {
    let mut table = Table::new();
    table.play(3);
    let whole = table.capture();
    assert!(Table::new().restore(&whole).is_ok());
    let mut lacking = Vec::new();
    for name in whole.learners.keys() {
        let mut state = whole.clone();
        state.learners.remove(name);
        lacking.push((name.clone(), state));
    }
    for name in whole.streams.keys() {
        let mut state = whole.clone();
        state.streams.remove(name);
        lacking.push((name.clone(), state));
    }
    for name in whole.extra.as_object().expect("fields").keys() {
        let mut state = whole.clone();
        state.extra.as_object_mut().expect("fields").remove(name);
        lacking.push((name.clone(), state));
    }
    // Three players, two past generators, four streams, health and the list of the league.
    assert_eq!(lacking.len(), 11);
    for (name, state) in lacking {
        let refusal = Table::new().restore(&state).expect_err(&name).to_string();
        assert!(refusal.contains(&name), "{name}: {refusal}");
    }
}

/// The control of the first test: what is not restored shows.
#[test]
fn a_part_of_another_state_is_another_game() {
    let at = |round| {
        let mut table = Table::new();
        table.play(round);
        table.capture()
    };
    let (older, whole, end) = (at(1), at(2), at(4));
    let goes_on_as_it_was = |state: &TrainingState<f32>| {
        let mut table = Table::new();
        table.restore(state).unwrap();
        table.play(4);
        table.capture() == end
    };
    assert!(goes_on_as_it_was(&whole));
    for part in ["generator", "verifier", "critic"] {
        let mut state = whole.clone();
        state.learners.insert(part.into(), older.learners[part].clone());
        assert!(!goes_on_as_it_was(&state), "{part}");
    }
    for stream in ["deal", "generator", "verifier", "league"] {
        let mut state = whole.clone();
        state.streams.insert(stream.into(), older.streams[stream]);
        assert!(!goes_on_as_it_was(&state), "{stream}");
    }
}
