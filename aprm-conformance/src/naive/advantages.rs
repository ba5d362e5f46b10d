//! What actions are worth over what could be expected.

use aprm_core::backend::ClassDims;
use aprm_core::gae::Discounts;

use super::policy::log_sum_exp;
use crate::Number;

/// `A_r = q_{r,a_r} − Σ_c π_rc q_rc`.
pub fn action_advantage<N: Number>(
    dims: ClassDims,
    logits: &[N],
    action_values: &[N],
    actions: &[u32],
    advantages: &mut [N],
) {
    let ClassDims { rows, classes } = dims;
    for r in 0..rows {
        let (logits, values) = (&logits[r * classes..][..classes], &action_values[r * classes..][..classes]);
        let lse = log_sum_exp(logits);
        let expected = (0..classes).map(|c| (logits[c] - lse).exp() * values[c]).sum::<N>();
        advantages[r] = values[actions[r] as usize] - expected;
    }
}

/// `A_t = Σ_k (γλ)^k δ_{t+k}`, `δ_t = r_t + γ V_{t+1} − V_t`, over the rest of each trajectory.
pub fn gae<N: Number>(
    Discounts { gamma, gae_lambda }: Discounts<f64>,
    offsets: &[u32],
    rewards: &[N],
    values: &[N],
    advantages: &mut [N],
) {
    let (gamma, decay) = (N::exactly(gamma), N::exactly(gamma) * N::exactly(gae_lambda));
    for pair in offsets.windows(2) {
        let (begin, end) = (pair[0] as usize, pair[1] as usize);
        for t in begin..end {
            let (mut advantage, mut weight) = (N::exactly(0.0), N::exactly(1.0));
            for k in t..end {
                let next = if k + 1 < end { values[k + 1] } else { N::exactly(0.0) };
                advantage = advantage + weight * (rewards[k] + gamma * next - values[k]);
                weight = weight * decay;
            }
            advantages[t] = advantage;
        }
    }
}
