//! What actions are worth over what could be expected.

use aprm_core::gae::Discounts;
use aprm_core::scalar::Scalar;

pub(crate) fn action_advantage<T: Scalar>(
    classes: usize,
    logits: &[T],
    action_values: &[T],
    actions: &[u32],
    advantages: &mut [T],
) {
    let rows = logits.chunks_exact(classes).zip(action_values.chunks_exact(classes)).zip(actions);
    for (advantage, ((logits, values), &action)) in advantages.iter_mut().zip(rows) {
        let max = logits.iter().fold(T::neg_infinity(), |max, &x| if x > max { x } else { max });
        let sum: T = logits.iter().map(|&x| (x - max).exp()).sum();
        let expected: T = logits.iter().zip(values).map(|(&x, &value)| (x - max).exp() / sum * value).sum();
        *advantage = values[action as usize] - expected;
    }
}

pub(crate) fn gae<T: Scalar>(
    discounts: Discounts<T>,
    offsets: &[u32],
    rewards: &[T],
    values: &[T],
    advantages: &mut [T],
) {
    for pair in offsets.windows(2) {
        let (mut next_value, mut next_advantage) = (T::zero(), T::zero());
        for t in (pair[0] as usize..pair[1] as usize).rev() {
            next_advantage = discounts.advantage(rewards[t], values[t], next_value, next_advantage);
            next_value = values[t];
            advantages[t] = next_advantage;
        }
    }
}
