//! A game that is stopped, and goes on bit for bit.

use aprm_core::backend::Backend;
use serde::Deserialize;
use serde_json::json;

use super::game::Game;
use super::health::Health;
use super::streams::Streams;
use crate::safetensors::Float;
use crate::training_state::{LearnerState, RandomStream, RestoreError, TrainingState};

const GENERATOR: &str = "generator";
const VERIFIER: &str = "verifier";
const CRITIC: &str = "critic";
const HEALTH: &str = "health";
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
        state.extra = json!({ HEALTH: self.health });
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
        self.league.members.clear();
        // The names are in the order of the rounds.
        for (name, member) in &state.learners {
            let Some(Ok(round)) = name.strip_prefix(LEAGUE).map(str::parse) else { continue };
            let weights = member.to_weights(backend, name, &self.generator.model.layout)?;
            self.league.members.push((round, weights));
        }
        for (name, rng) in streams.named_mut() {
            *rng = state
                .streams
                .get(name)
                .ok_or_else(|| RestoreError::Missing { field: format!("streams.{name}") })?
                .rng();
        }
        let health =
            state.extra.get(HEALTH).ok_or_else(|| RestoreError::Missing { field: format!("extra.{HEALTH}") })?;
        self.health = Health::deserialize(health)
            .map_err(|error| RestoreError::Extra { field: format!("extra.{HEALTH}"), problem: error.to_string() })?;
        self.round = state.step;
        Ok(())
    }
}
