//! The critic: its advantages are those of GAE over its values, and it learns from them what to expect.

use aprm_conformance::naive::Naive;
use aprm_core::gae::{Discounts, Successor, gae};
use aprm_models::aprm::config::{GameConfig, ModelShape};
use aprm_models::aprm::critic::Critic;
use aprm_models::aprm::model::Role;
use aprm_models::aprm::pretraining::initialize;
use aprm_models::aprm::row_scores::RowScores;
use aprm_models::aprm::streams::stream;
use aprm_models::aprm::token_policy::Response;
use aprm_models::step_text::MarkedIds;
use aprm_models::transformer::Transformer;

#[test]
fn a_critic_learns_what_is_paid() {
    let mut backend = Naive::<f64>::new();
    let shape = ModelShape { hidden_size: 16, num_hidden_layers: 1, intermediate_size: 24, ..ModelShape::default() };
    let Ok(model) = Transformer::new(&mut backend, shape.config(Role::Critic, 9).unwrap());
    let Ok(weights) = initialize(&mut backend, &model, &mut stream(5, 1));
    let response = |prompt: &[u32], tokens: &[u32]| Response { prompt: prompt.to_vec(), tokens: tokens.to_vec() };
    let responses = [response(&[1, 2], &[3, 4, 5]), response(&[6], &[7]), response(&[2, 2, 3], &[1, 0, 4, 6])];
    let payoffs = [1.0, -0.5, 0.25];
    let discounts = Discounts { gamma: 1.0, gae_lambda: 0.9 };

    // The states before each token, and where the values of each response lie.
    let states = [(vec![1, 2, 3, 4], 1..4), (vec![6], 0..1), (vec![2, 2, 3, 1, 0, 4], 2..6)];
    let sequences = states.map(|(ids, positions)| MarkedIds { ids, positions: positions.collect() });
    let Ok(mut room) = RowScores::new(&mut backend, &model, 16);
    let values = room.logits(&mut backend, &model, &weights, &sequences).unwrap();
    let (mut expected, mut start) = (Vec::new(), 0);
    for (response, payoff) in responses.iter().zip(payoffs) {
        let steps = response.tokens.len();
        let (mut rewards, mut successors) = (vec![0.0; steps], vec![Successor::Continue; steps]);
        (rewards[steps - 1], successors[steps - 1]) = (payoff, Successor::Terminate);
        let mut advantages = vec![0.0; steps];
        gae(&rewards, &values[start..start + steps], &successors, 1.0, 0.9, &mut advantages);
        expected.extend(advantages);
        start += steps;
    }

    // Room for a response or two, so that there are several passes.
    let config = GameConfig { critic_learning_rate: 1e-2, ..GameConfig::default() };
    let mut critic = Critic::new(&mut backend, model, weights, config.critic_learner(), 7).unwrap();
    let first = critic.assess(&mut backend, &responses, &payoffs, discounts, 0).unwrap();
    assert_eq!(first.advantages.len(), expected.len());
    for (advantage, expected) in first.advantages.iter().zip(&expected) {
        assert!((advantage - expected).abs() < 1e-12, "{advantage} is not {expected}");
    }
    let loss = expected.iter().map(|advantage| advantage * advantage).sum::<f64>() / 2.0 / expected.len() as f64;
    assert!((first.statistics.loss - loss).abs() < 1e-12);
    let mut last = first.statistics;
    for round in 1..40 {
        last = critic.assess(&mut backend, &responses, &payoffs, discounts, round).unwrap().statistics;
    }
    assert!(last.loss < 0.02 * loss && last.explained_variance > Some(0.9), "{last:?} after {loss}");
}
