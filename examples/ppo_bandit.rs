//! PPO on a three-armed bandit: sample, leave-one-out advantages, clipped surrogate, Adam.

use aprm::core::advantage::leave_one_out;
use aprm::core::optimizer::{Adam, Host, Optimizer};
use aprm::core::policy::{Sampler, log_softmax_backward, log_softmax_forward};
use aprm::core::ppo::{ClipRange, mean_clipped_surrogate};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const ARMS: usize = 3;
const BATCH: usize = 16;
/// How often each arm pays 1.
const PAYS: [f64; ARMS] = [0.3, 0.5, 0.8];

fn main() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut logits = [0.0; ARMS];
    let mut adam = Adam::new([0.0; ARMS], [0.0; ARMS], [0.0; ARMS]);
    let sampler = Sampler { temperature: 1.0, top_k: 0, top_p: 1.0 };
    let clip_range = ClipRange { low: 0.2, high: 0.2 };

    for update in 0..=100 {
        let mut log_probs = [0.0; ARMS];
        log_softmax_forward(&logits, &mut log_probs);
        if update % 25 == 0 {
            println!("update {update:>3}: policy {:.3?}", log_probs.map(f64::exp));
        }
        // Sixteen pulls, each paid against the mean of the other fifteen.
        let (mut arms, mut old_log_probs, mut rewards) = ([0; BATCH], [0.0; BATCH], [0.0; BATCH]);
        for i in 0..BATCH {
            let mut scratch = [(0.0, 0); ARMS];
            (arms[i], old_log_probs[i]) = sampler.sample(&log_probs, &mut scratch, &mut rng).unwrap();
            rewards[i] = f64::from(u8::from(rng.random_bool(PAYS[arms[i]])));
        }
        let mut advantages = [0.0; BATCH];
        leave_one_out(&rewards, BATCH, &mut advantages);

        // Four epochs over the batch; the clip keeps the policy near the one that sampled it.
        for _ in 0..4 {
            log_softmax_forward(&logits, &mut log_probs);
            let current = arms.map(|arm| log_probs[arm]);
            let mut grad_current = [0.0; BATCH];
            mean_clipped_surrogate(
                &current,
                &old_log_probs,
                &advantages,
                &[true; BATCH],
                clip_range,
                &mut grad_current,
            );
            let mut grad_log_probs = [0.0; ARMS];
            for (&arm, grad) in arms.iter().zip(grad_current) {
                grad_log_probs[arm] += grad;
            }
            let mut grad_logits = [0.0; ARMS];
            log_softmax_backward(&log_probs, &grad_log_probs, &mut grad_logits);
            let Ok(()) = adam.step(&mut Host::new(), 0.03, &grad_logits, &mut logits);
        }
    }
}
