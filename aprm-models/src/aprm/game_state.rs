//! A game that is stopped, and goes on bit for bit.

use aprm_core::backend::Backend;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::game::Game;
use super::streams::Streams;
use crate::safetensors::Float;
use crate::training_state::{LearnerState, RandomStream, RestoreError, TrainingState};

const GENERATOR: &str = "generator";
const VERIFIER: &str = "verifier";
const CRITIC: &str = "critic";
const HEALTH: &str = "health";
const MEMBERS: &str = "league";
const LEAGUE: &str = "league-";

impl<B: Backend<Scalar: Float>> Game<B> {
    /// All that the next round depends on, but for the rules and the initial policies.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn capture(&self, backend: &mut B, streams: &Streams) -> Result<TrainingState<B::Scalar>, B::Error> {
        let mut state = TrainingState { step: self.round, ..TrainingState::default() };
        state.capture(backend, GENERATOR, &self.generator.learner)?;
        state.capture(backend, VERIFIER, &self.verifier.learner)?;
        if let Some(critic) = &self.critic {
            state.capture(backend, CRITIC, &critic.learner)?;
        }
        for (round, weights) in &self.league.members {
            let member = LearnerState::of_weights(backend, &self.generator.model.layout, weights)?;
            state.learners.insert(format!("{LEAGUE}{round:08}"), member);
        }
        let members: Vec<u64> = self.league.members.iter().map(|(round, _)| *round).collect();
        state.extra = json!({ HEALTH: self.health, MEMBERS: members });
        state.streams = streams.named().map(|(name, rng)| (name.into(), RandomStream::from(rng))).into();
        Ok(state)
    }

    /// Goes on from a state; the rules and the initial policies must be those of the game that it was taken from.
    ///
    /// # Errors
    /// [`RestoreError`], naming the field.
    pub fn restore(
        &mut self,
        backend: &mut B,
        state: &TrainingState<B::Scalar>,
        streams: &mut Streams,
    ) -> Result<(), RestoreError<B::Error>> {
        state.restore(backend, GENERATOR, &mut self.generator.learner)?;
        state.restore(backend, VERIFIER, &mut self.verifier.learner)?;
        if let Some(critic) = &mut self.critic {
            state.restore(backend, CRITIC, &mut critic.learner)?;
        }
        let rounds: Vec<u64> = extra(state, MEMBERS)?;
        self.league.members.clear();
        for round in rounds {
            let name = format!("{LEAGUE}{round:08}");
            let member = state.learners.get(&name);
            let member = member.ok_or_else(|| RestoreError::Missing { field: format!("learners.{name}") })?;
            let weights = member.to_weights(backend, &name, &self.generator.model.layout)?;
            self.league.members.push((round, weights));
        }
        for (name, rng) in streams.named_mut() {
            *rng = state
                .streams
                .get(name)
                .ok_or_else(|| RestoreError::Missing { field: format!("streams.{name}") })?
                .rng();
        }
        self.health = extra(state, HEALTH)?;
        self.round = state.step;
        Ok(())
    }
}

/// What the game keeps beside the learners.
fn extra<T: Float, V: DeserializeOwned, E>(state: &TrainingState<T>, name: &str) -> Result<V, RestoreError<E>> {
    let field = || format!("extra.{name}");
    let value = state.extra.get(name).ok_or_else(|| RestoreError::Missing { field: field() })?;
    V::deserialize(value).map_err(|error| RestoreError::Extra { field: field(), problem: error.to_string() })
}
