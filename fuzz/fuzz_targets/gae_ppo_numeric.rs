//! What finite numbers make of returns, advantages, losses, policies and divergences.
//!
//! Nothing panics within the documented preconditions, whatever the magnitude.
//!
//! | inputs | promise |
//! |---|---|
//! | up to [`Magnitude::TAME`], discounts in `[0, 1]` | every output is finite |
//! | any finite number | the functions below `// Never NaN` may overflow to an infinity, but not to NaN |
//! | any finite number | sums that meet +∞ and −∞, and products of an infinity with zero, may be NaN elsewhere |
//!
//! An infinity is an answer only where it is the rounded one: a sum, product or square beyond the largest number of the
//! type, or the log-probability −∞ of an action whose logit lies that far below the others.
#![no_main]

use aprm_core::advantage::{GroupScale, best_of_k_value, group_normalized, leave_one_out, process_advantage, whiten};
use aprm_core::gae::{Successor, gae};
use aprm_core::policy::kl_estimate::{k1, k1_backward, k2, k2_backward, k3, k3_backward};
use aprm_core::policy::{
    entropy, entropy_backward, kl_divergence, kl_divergence_backward_p, kl_divergence_backward_q, log_softmax_backward,
    log_softmax_forward, symmetric_kl, symmetric_kl_backward,
};
use aprm_core::ppo::{
    ClipRange, clipped_surrogate, clipped_value_loss, mean_clipped_surrogate, mean_clipped_value_loss,
};
use aprm_core::returns::{min_return, returns};
use aprm_core::scalar::Scalar;
use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

/// The magnitude up to which neither a square nor a ratio of probabilities times a number overflows.
trait Magnitude: Scalar {
    const TAME: Self;
}

impl Magnitude for f32 {
    const TAME: f32 = 1e18;
}

impl Magnitude for f64 {
    const TAME: f64 = 1e150;
}

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    let flags: u8 = input.arbitrary().unwrap_or_default();
    let limited = flags & 1 == 1;
    let checked = if flags & 2 == 0 { check::<f64>(&mut input, limited) } else { check::<f32>(&mut input, limited) };
    checked.expect("an input that is used up reads as zeros");
});

fn check<T: Magnitude>(input: &mut Unstructured<'_>, is_tame: bool) -> Result<()> {
    let limit = if is_tame { T::TAME } else { T::max_value() };
    let steps = usize::from(input.arbitrary::<u8>()? % 16) + 1;
    let mut number = |limit: T| {
        let number = T::of(input.arbitrary()?);
        // Out of range or NaN: the limit itself.
        Ok(if number.abs() <= limit { number } else { limit })
    };
    let mut numbers = || (0..steps).map(|_| number(limit)).collect::<Result<Vec<T>>>();
    let (rewards, values, logits, other_logits, grads) = (numbers()?, numbers()?, numbers()?, numbers()?, numbers()?);
    let discount = if is_tame { T::one() } else { limit };
    let (gamma, gae_lambda) = (number(discount)?.abs(), number(discount)?.abs());
    let (bootstrap, low, high, range) =
        (number(limit)?, number(limit)?.abs(), number(limit)?.abs(), number(limit)?.abs());
    let successors = (0..steps)
        .map(|t| {
            Ok(match input.arbitrary::<u8>()? % 3 {
                0 if t + 1 < steps => Successor::Continue,
                1 => Successor::Interrupt(bootstrap),
                _ => Successor::Terminate,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let mask = (0..steps).map(|_| input.arbitrary()).collect::<Result<Vec<bool>>>()?;
    let clip_range = ClipRange { low, high };

    let never_nan = |name: &str, outputs: &[T]| {
        assert!(!outputs.iter().any(|output| output.is_nan()), "{name}: {outputs:?}");
        assert!(!is_tame || outputs.iter().all(|output| output.is_finite()), "{name}: {outputs:?}");
    };
    let finite_if_tame = |name: &str, outputs: &[T]| {
        assert!(!is_tame || outputs.iter().all(|output| output.is_finite()), "{name}: {outputs:?}");
    };
    let mut out = vec![T::nan(); steps];

    // Never NaN
    min_return(&rewards, &successors, &mut out);
    never_nan("min_return", &out);
    process_advantage(&values, &mut out[1..]);
    never_nan("process_advantage", &out[1..]);
    let mut log_probs = vec![T::nan(); steps];
    let mut other = log_probs.clone();
    log_softmax_forward(&logits, &mut log_probs);
    log_softmax_forward(&other_logits, &mut other);
    never_nan("log_softmax_forward", &log_probs);
    never_nan("entropy", &[entropy(&log_probs)]);
    never_nan("kl_divergence", &[kl_divergence(&log_probs, &other), symmetric_kl(&log_probs, &other)]);
    for t in 0..steps {
        let (new, old) = (logits[t], other_logits[t]);
        never_nan("kl_estimate", &[k1(new, old), k2(new, old), k3(new, old)]);
        never_nan("best_of_k_value", &[best_of_k_value(values[t].abs().min(T::one()), steps)]);
        let (loss, gradient) = clipped_surrogate(new, old, rewards[t], clip_range);
        never_nan("clipped_surrogate", &[loss, gradient]);
        let (loss, gradient) = clipped_value_loss(values[t], new, old, range);
        never_nan("clipped_value_loss", &[loss, gradient]);
    }

    // Finite if tame
    gae(&rewards, &values, &successors, gamma, gae_lambda, &mut out);
    finite_if_tame("gae", &out);
    returns(&rewards, &successors, gamma, &mut out);
    finite_if_tame("returns", &out);
    if steps >= 2 {
        leave_one_out(&rewards, steps, &mut out);
        finite_if_tame("leave_one_out", &out);
    }
    for scale in [GroupScale::StandardDeviation, GroupScale::None] {
        group_normalized(&rewards, steps, scale, &mut out);
        finite_if_tame("group_normalized", &out);
    }
    for shift_mean in [true, false] {
        whiten(&rewards, &mask, shift_mean, &mut out);
        finite_if_tame("whiten", &out);
    }
    log_softmax_backward(&log_probs, &grads, &mut out);
    finite_if_tame("log_softmax_backward", &out);
    entropy_backward(&log_probs, grads[0], &mut out);
    finite_if_tame("entropy_backward", &out);
    kl_divergence_backward_p(&log_probs, &other, grads[0], &mut out);
    finite_if_tame("kl_divergence_backward_p", &out);
    kl_divergence_backward_q(&log_probs, &other, grads[0], &mut out);
    finite_if_tame("kl_divergence_backward_q", &out);
    symmetric_kl_backward(&log_probs, &other, grads[0], &mut out);
    finite_if_tame("symmetric_kl_backward", &out);
    for ((&new, &old), &grad) in logits.iter().zip(&other_logits).zip(&grads) {
        let backward = [k1_backward(new, old, grad), k2_backward(new, old, grad), k3_backward(new, old, grad)];
        finite_if_tame("kl_estimate backward", &backward);
    }
    let surrogate = mean_clipped_surrogate(&logits, &other_logits, &rewards, &mask, clip_range, &mut out);
    finite_if_tame("mean_clipped_surrogate", &out);
    let critic = mean_clipped_value_loss(&values, &logits, &other_logits, &mask, range, &mut out);
    finite_if_tame("mean_clipped_value_loss", &out);
    let means = [surrogate.loss, surrogate.approx_kl, surrogate.ratio_mean, surrogate.ratio_max, critic.loss];
    assert!(!is_tame || means.iter().all(|mean| mean.is_finite()), "{surrogate:?}, {critic:?}");
    assert!([surrogate.clip_fraction, critic.clip_fraction].iter().all(|share| (0.0..=1.0).contains(share)));
    Ok(())
}
