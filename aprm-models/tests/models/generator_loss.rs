//! What the generator minimises: gradients that are known beforehand, beside those from the statistics.

use aprm_models::aprm::config::Divergence;
use aprm_models::aprm::generator_loss::{GeneratorLoss, GeneratorStatistics};
use aprm_models::aprm::token_policy::{TokenGradients, TokenLoss, TokenStatistics};

/// In the first epoch ratios are one, so that nothing hangs on the statistics, to the last bit; later, and where the
/// divergence is symmetric, something does.
#[test]
fn what_is_known_beforehand_is_what_the_statistics_give() {
    let statistics = TokenStatistics {
        log_prob: vec![-0.3_f32, -1.7, -0.9],
        entropy: vec![0.8, 1.1, 0.2],
        kl: vec![0.1, 0.4, 0.0],
        ref_log_prob: vec![-0.5, -1.2, -0.9],
    };
    let (lengths, advantages) = ([2, 1], [0.7, 0.7, -1.3]);
    for (divergence, ratio) in [(Divergence::Plain, 1.0), (Divergence::Plain, 1.1), (Divergence::Symmetric, 1.0)] {
        let mut old_log_probs: Vec<f32> = match ratio {
            1.0 => Vec::new(),
            ratio => statistics.log_prob.iter().map(|log_prob| log_prob - f32::ln(ratio)).collect(),
        };
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
        let known = loss.known(0..2);
        let zeros = || vec![0.0; 3];
        let mut asked = TokenGradients { log_prob: zeros(), entropy: zeros(), kl: zeros() };
        loss.backward(0..2, &statistics, &mut asked);
        assert!(asked.log_prob[0] < 0.0 && asked.kl[0] > 0.0 && asked.entropy[0] < 0.0, "{asked:?}");
        let is_first_and_plain = ratio == 1.0 && divergence == Divergence::Plain;
        assert_eq!(known, is_first_and_plain.then_some(asked));
    }
}
