use aprm_core::backend::Backend;
use aprm_core::scalar::Scalar;
use aprm_models::learner::{Learner, RuleConfig};
use aprm_models::safetensors::Float;
use aprm_models::training_state::{DataCursor, LearnerState, RandomStream, RestoreError, StateTensor, TrainingState};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::learner::whole_config;
use crate::tiny::{Tiny, backward, sequences};

const NAMES: [&str; 2] = ["generator", "verifier"];
const EPOCH: u64 = 5;

/// Two models that learn from a data set and from what is drawn at random, and from each other.
pub(crate) struct Run<B: Backend> {
    tiny: Tiny<B>,
    pub(crate) learners: [Learner<B>; 2],
    rng: ChaCha8Rng,
    cursor: DataCursor,
    /// A running mean of gradient norms, which weighs the loss.
    baseline: f64,
    pub(crate) step: u64,
}

impl<B> Run<B>
where
    B: Backend<Scalar: Float, Error: core::fmt::Debug>,
{
    pub(crate) fn new(backend: B, rules: [RuleConfig<B::Scalar>; 2], seed: u64) -> Self {
        let mut tiny = Tiny::new(backend);
        let learners = [0, 1].map(|player| {
            let weights = tiny.weights(10 * seed + player as u64);
            Learner::new(&mut tiny.backend, &tiny.model.layout, weights, whole_config(rules[player])).unwrap()
        });
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(100 + seed);
        Self { tiny, learners, rng, cursor: DataCursor::default(), baseline: seed as f64, step: 0 }
    }

    pub(crate) fn step(&mut self) {
        let mut batch = sequences(&mut ChaCha8Rng::seed_from_u64(self.cursor.index + 7 * self.cursor.epoch), 3);
        batch.extend(sequences(&mut self.rng, 2));
        self.cursor.index += 1;
        if self.cursor.index == EPOCH {
            self.cursor = DataCursor { epoch: self.cursor.epoch + 1, index: 0 };
        }
        for learner in &mut self.learners {
            // An odd number of words, so that the place in the stream is anywhere.
            let targets = 20 + self.rng.random_range(0..4_u32) as usize + (10.0 * self.baseline) as usize;
            learner.gradients.clear(&mut self.tiny.backend, &self.tiny.model.layout).unwrap();
            backward(&mut self.tiny, &batch, targets, &learner.weights, &mut learner.gradients);
            if (7..10).contains(&self.step) {
                self.tiny.backend.write(&[B::Scalar::of(f64::NAN)], &mut learner.gradients.0[2], 0).unwrap();
            }
            let report = learner.apply(&mut self.tiny.backend, &self.step).unwrap();
            assert_eq!(report.skipped, (7..10).contains(&self.step));
            if !report.skipped {
                self.baseline = 0.7 * self.baseline + 0.3 * report.gradient_norm.widen();
            }
        }
        self.step += 1;
    }

    pub(crate) fn state(&mut self) -> TrainingState<B::Scalar> {
        let mut state = TrainingState {
            step: self.step,
            streams: [("sampling".into(), RandomStream::from(&self.rng))].into(),
            cursors: [("train".into(), self.cursor)].into(),
            extra: json!({"baseline": self.baseline}),
            ..TrainingState::default()
        };
        for (name, learner) in NAMES.iter().zip(&self.learners) {
            state.capture(&mut self.tiny.backend, name, learner).unwrap();
        }
        state
    }

    pub(crate) fn restore(&mut self, state: &TrainingState<B::Scalar>) -> Result<(), RestoreError<B::Error>> {
        for (name, learner) in NAMES.iter().zip(&mut self.learners) {
            state.restore(&mut self.tiny.backend, name, learner)?;
        }
        self.rng = state.stream("sampling").unwrap();
        self.cursor = state.cursor("train").unwrap();
        self.baseline = state.extra["baseline"].as_f64().unwrap();
        self.step = state.step;
        Ok(())
    }
}

/// A state in which every bit counts: −0 is not 0.
pub(crate) type Fingerprint = (String, Vec<(String, Vec<u64>, Vec<u64>)>);

pub(crate) fn fingerprint<T: Float>(state: &TrainingState<T>) -> Fingerprint {
    let mut tensors = Vec::new();
    let mut counters = state.clone();
    for (learner, LearnerState { tensors: of_learner, .. }) in &mut counters.learners {
        for (name, StateTensor { shape, entries }) in core::mem::take(of_learner) {
            let bits = entries.iter().map(|entry| entry.widen().to_bits()).collect();
            tensors.push((format!("{learner}/{name}"), shape, bits));
        }
    }
    (format!("{counters:?}"), tensors)
}
