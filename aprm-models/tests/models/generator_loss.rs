//! What the generator minimises: gradients that the device finds by itself, beside those from the statistics.

use std::ops::Range;

use aprm_core::backend::Backend;
use aprm_models::aprm::config::{Divergence, ModelShape};
use aprm_models::aprm::generator_loss::{GeneratorLoss, GeneratorStatistics};
use aprm_models::aprm::model::Role;
use aprm_models::aprm::pretraining::initialize;
use aprm_models::aprm::streams::stream;
use aprm_models::aprm::token_policy::{Response, TokenGradients, TokenLoss, TokenPolicy, TokenStatistics};
use aprm_models::transformer::{Parameters, Transformer};
use aprm_ndarray::Cpu;

/// A loss of which nothing is known beforehand.
struct Asked<'a, 'b>(&'a mut GeneratorLoss<'b, f32>);

impl TokenLoss<f32> for Asked<'_, '_> {
    fn backward(&mut self, of: Range<usize>, found: &TokenStatistics<f32>, gradients: &mut TokenGradients<f32>) {
        self.0.backward(of, found, gradients);
    }
}

/// In the first epoch and in later ones, whichever the divergence.
#[test]
fn device_and_host_find_the_same_gradient() {
    let mut cpu = Cpu::<f32>::new();
    let shape = ModelShape { hidden_size: 16, num_hidden_layers: 1, intermediate_size: 24, ..ModelShape::default() };
    let Ok(model) = Transformer::new(&mut cpu, shape.config(Role::LanguageModel, 9).unwrap());
    let [old, policy, reference] = [1, 2, 3].map(|seed| {
        let Ok(weights) = initialize(&mut cpu, &model, &mut stream(seed, 1));
        weights
    });
    // Apart by far more than a round moves them, so that some ratios are clipped.
    let scaled = |mut weights: Parameters<Vec<f32>>, cpu: &mut Cpu<f32>| {
        for (tensor, spec) in weights.0.iter_mut().zip(&model.layout.tensors) {
            let Ok(()) = cpu.scale(spec.len(), if spec.is_vector { 1.0 } else { 2.0 }, tensor);
        }
        weights
    };
    let [old, policy, reference] = [old, policy, reference].map(|weights| scaled(weights, &mut cpu));
    let response = |prompt: &[u32], tokens: &[u32]| Response { prompt: prompt.to_vec(), tokens: tokens.to_vec() };
    let responses = [response(&[1, 2], &[3, 4, 5]), response(&[6], &[7, 8]), response(&[2, 2, 3], &[1, 0, 4, 6])];
    let (lengths, advantages) = ([3, 2, 4], [0.7, 0.7, 0.7, -1.3, -1.3, 0.4, 0.4, -0.2, 0.9]);
    // Room for one response or two, so that there are several passes.
    let Ok(mut room) = TokenPolicy::new(&mut cpu, &model, 7);
    let old = room.log_prob(&mut cpu, &model, &old, &responses).unwrap();

    for divergence in [Divergence::Plain, Divergence::Symmetric] {
        for old in [&[][..], &old] {
            let mut gradients = |is_known| {
                let mut old_log_probs = old.to_vec();
                let mut loss = GeneratorLoss {
                    lengths: &lengths,
                    advantages: &advantages,
                    old_log_probs: &mut old_log_probs,
                    clip_range: 0.2,
                    tau: 0.05,
                    divergence,
                    entropy: 0.01,
                    found: GeneratorStatistics::default(),
                };
                let Ok(mut gradients) = Parameters::zeros(&mut cpu, &model.layout);
                let mut asked = Asked(&mut loss);
                assert!(asked.known(0..1).is_none());
                let of: &mut dyn TokenLoss<f32> = if is_known { asked.0 } else { &mut asked };
                room.accumulate(&mut cpu, &model, &policy, Some(&reference), &responses, of, &mut gradients).unwrap();
                (gradients.0, loss.found)
            };
            let ((on_device, found), (on_host, asked)) = (gradients(true), gradients(false));
            assert_eq!(found, asked);
            assert_eq!(found.clipped > 0, !old.is_empty(), "{found:?}");
            let largest = on_host.iter().flatten().fold(0.0, |largest: f32, host| largest.max(host.abs()));
            assert!(largest > 1e-2, "{largest}");
            for (device, host) in on_device.iter().flatten().zip(on_host.iter().flatten()) {
                assert!((device - host).abs() <= 1e-6 * largest, "{device} and {host}, of {largest}");
            }
        }
    }
}
