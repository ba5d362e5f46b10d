//! What the generator minimises: the gradient that the device finds is that of the loss.

use std::ops::Range;

use aprm_conformance::naive::Naive;
use aprm_core::backend::Backend;
use aprm_core::ppo::{ClipRange, clipped_surrogate};
use aprm_models::aprm::config::{Divergence, ModelShape};
use aprm_models::aprm::generator_loss::{GeneratorLoss, GeneratorStatistics};
use aprm_models::aprm::model::Role;
use aprm_models::aprm::pretraining::initialize;
use aprm_models::aprm::streams::stream;
use aprm_models::aprm::token_policy::{Response, TokenLoss, TokenPolicy, TokenStatistics, TokenTerms};
use aprm_models::transformer::{Parameters, Transformer};

const TAU: f64 = 0.05;
const ENTROPY: f64 = 0.01;
const LENGTHS: [usize; 3] = [3, 2, 4];
const ADVANTAGES: [f64; 9] = [0.7, 0.7, 0.7, -1.3, -1.3, 0.4, 0.4, -0.2, 0.9];

/// A loss that adds itself up on the way.
struct Summed<'a> {
    loss: GeneratorLoss<'a, f64>,
    total: f64,
}

impl TokenLoss<f64> for Summed<'_> {
    fn terms(&mut self, range: Range<usize>) -> TokenTerms<f64> {
        self.loss.terms(range)
    }

    fn observe(&mut self, range: Range<usize>, statistics: &TokenStatistics<f64>) {
        let first: usize = LENGTHS[..range.start].iter().sum();
        self.loss.observe(range, statistics);
        let TokenStatistics { log_prob, entropy, kl, ref_log_prob } = statistics;
        for (i, &log_prob) in log_prob.iter().enumerate() {
            let old = self.loss.old_log_probs[first + i];
            let clip_range = ClipRange { low: 0.2, high: 0.2 };
            let reverse = match self.loss.divergence {
                Divergence::Plain => 0.0,
                // Its slope is that of the reverse divergence in expectation over the policy.
                Divergence::Symmetric => (ref_log_prob[i] - log_prob).exp(),
            };
            let surrogate = clipped_surrogate(log_prob, old, ADVANTAGES[first + i], clip_range).0;
            self.total += (surrogate + TAU * (kl[i] + reverse) - ENTROPY * entropy[i]) / LENGTHS.len() as f64;
        }
    }
}

/// Along itself, by finite differences: in the first epoch and in a later one, whichever the divergence.
#[test]
fn the_gradient_is_that_of_the_loss() {
    let mut backend = Naive::<f64>::new();
    let shape = ModelShape { hidden_size: 16, num_hidden_layers: 1, intermediate_size: 24, ..ModelShape::default() };
    let Ok(model) = Transformer::new(&mut backend, shape.config(Role::LanguageModel, 9).unwrap());
    // Apart by far more than a round moves them, so that some ratios are clipped.
    let [old, policy, reference] = [1, 2, 3].map(|seed| {
        let Ok(mut weights) = initialize(&mut backend, &model, &mut stream(seed, 1));
        for (tensor, spec) in weights.0.iter_mut().zip(&model.layout.tensors) {
            let Ok(()) = backend.scale(spec.len(), if spec.is_vector { 1.0 } else { 2.0 }, tensor);
        }
        weights
    });
    let response = |prompt: &[u32], tokens: &[u32]| Response { prompt: prompt.to_vec(), tokens: tokens.to_vec() };
    let responses = [response(&[1, 2], &[3, 4, 5]), response(&[6], &[7, 8]), response(&[2, 2, 3], &[1, 0, 4, 6])];
    // Room for one response or two, so that there are several passes.
    let Ok(mut room) = TokenPolicy::new(&mut backend, &model, 7);
    let old = room.log_prob(&mut backend, &model, &old, &responses).unwrap();

    for divergence in [Divergence::Plain, Divergence::Symmetric] {
        for old in [&[][..], &old] {
            let mut old_log_probs = old.to_vec();
            let mut at = |policy: &Parameters<Vec<f64>>| {
                let Ok(mut gradients) = Parameters::zeros(&mut backend, &model.layout);
                let loss = GeneratorLoss {
                    lengths: &LENGTHS,
                    advantages: &ADVANTAGES,
                    old_log_probs: &mut old_log_probs,
                    clip_range: 0.2,
                    tau: TAU,
                    divergence,
                    entropy: ENTROPY,
                    found: GeneratorStatistics::default(),
                };
                let mut loss = Summed { loss, total: 0.0 };
                let (of, reference) = (&mut loss, Some(&reference));
                room.accumulate(&mut backend, &model, policy, reference, &responses, of, &mut gradients).unwrap();
                (gradients.0, loss.total, loss.loss.found)
            };
            let (gradients, _, found) = at(&policy);
            assert_eq!(found.clipped > 0, !old.is_empty(), "{found:?}");
            let slope: f64 = gradients.iter().flatten().map(|g| g * g).sum();
            let mut loss = |epsilon: f64| {
                let mut moved = Parameters(policy.0.clone());
                for (weights, gradient) in moved.0.iter_mut().zip(&gradients) {
                    weights.iter_mut().zip(gradient).for_each(|(weight, g)| *weight += epsilon * g);
                }
                at(&moved).1
            };
            let epsilon = 1e-6 / slope.sqrt();
            let difference = (loss(epsilon) - loss(-epsilon)) / (2.0 * epsilon);
            assert!(slope > 1e-3, "{slope}");
            assert!((difference - slope).abs() < 1e-5 * slope, "{divergence:?}: {difference} is not {slope}");
        }
    }
}
