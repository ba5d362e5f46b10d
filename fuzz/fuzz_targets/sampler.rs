//! Any row, any sampler, any draw: a possible action, or the typed error exactly where the row is no distribution.
#![no_main]

use core::convert::Infallible;

use aprm_core::policy::Sampler;
use aprm_core::rand_core::TryRng;
use aprm_core::scalar::Scalar;
use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    let is_narrow: bool = input.arbitrary().unwrap_or_default();
    let checked = if is_narrow { check::<f32>(&mut input) } else { check::<f64>(&mut input) };
    checked.expect("an input that is used up reads as zeros");
});

fn check<T: Scalar>(input: &mut Unstructured<'_>) -> Result<()> {
    let top_k = usize::from(input.arbitrary::<u8>()?);
    let mut number = || Ok(T::of(input.arbitrary()?));
    let finite = |number: T| if number.is_finite() { number } else { T::max_value() };
    let temperature = finite(number()?).abs();
    let top_p = finite(number()?).abs().min(T::one());
    let mut draw = Fixed(input.arbitrary()?);
    let actions = usize::from(input.arbitrary::<u8>()?);
    // NaN and infinities included.
    let log_probs = (0..actions).map(|_| Ok(T::of(input.arbitrary()?))).collect::<Result<Vec<T>>>()?;

    let is_possible = |log_prob: &T| *log_prob > T::neg_infinity();
    let is_broken = |log_prob: &T| log_prob.is_nan() || *log_prob == T::infinity();
    let is_distribution = log_probs.iter().any(is_possible) && !log_probs.iter().any(is_broken);
    let sampler = Sampler { temperature, top_k, top_p };
    match sampler.sample(&log_probs, &mut vec![(f64::NAN, usize::MAX); actions], &mut draw) {
        Ok((action, log_prob)) => {
            assert!(is_distribution, "{sampler:?} drew from {log_probs:?}");
            assert!(
                is_possible(&log_prob) && log_prob == log_probs[action],
                "{sampler:?} drew {action} of {log_probs:?}"
            );
            // By more than rounding: e times the weight.
            let more_probable = |&&other: &&T| (other - log_prob) / temperature > T::one();
            let before = log_probs.iter().filter(more_probable).count();
            assert!(top_k == 0 || before < top_k, "{sampler:?} drew {action} of {log_probs:?}");
            assert!(temperature > T::zero() || before == 0, "{sampler:?} drew {action} of {log_probs:?}");
        }
        Err(_) => assert!(!is_distribution, "{sampler:?} refused {log_probs:?}"),
    }
    Ok(())
}

/// A generator of one number.
struct Fixed(u64);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> core::result::Result<u32, Infallible> {
        Ok((self.0 >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> core::result::Result<u64, Infallible> {
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> core::result::Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}
