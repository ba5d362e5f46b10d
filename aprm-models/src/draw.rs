//! Draws that are the same on every platform.

use aprm_core::rand_core::Rng;

/// A number below `count`, each equally likely (Lemire 2019, arXiv 1805.10941: the high word of a product, redrawn where
/// it would be biased).
pub(crate) fn below(count: u64, rng: &mut (impl Rng + ?Sized)) -> u64 {
    let threshold = count.wrapping_neg() % count;
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(count);
        if product as u64 >= threshold {
            return (product >> 64) as u64;
        }
    }
}

/// An index below `count`.
pub(crate) fn index(count: usize, rng: &mut (impl Rng + ?Sized)) -> usize {
    below(count as u64, rng) as usize
}

/// A number between the two, both included.
pub(crate) fn between([least, most]: [i64; 2], rng: &mut (impl Rng + ?Sized)) -> i64 {
    least + below(most.abs_diff(least) + 1, rng) as i64
}

/// One of the items, if there are any.
pub(crate) fn choose<'a, T>(items: &'a [T], rng: &mut (impl Rng + ?Sized)) -> Option<&'a T> {
    (!items.is_empty()).then(|| &items[index(items.len(), rng)])
}

/// Whether something of this probability happens.
pub(crate) fn happens(probability: f64, rng: &mut (impl Rng + ?Sized)) -> bool {
    // 53 bits: the numbers below one that a f64 has at equal distances.
    ((rng.next_u64() >> 11) as f64) * (-53_f64).exp2() < probability
}

/// All orders equally likely (Fisher and Yates).
pub(crate) fn shuffle<T>(items: &mut [T], rng: &mut (impl Rng + ?Sized)) {
    for last in (1..items.len()).rev() {
        items.swap(last, index(last + 1, rng));
    }
}
