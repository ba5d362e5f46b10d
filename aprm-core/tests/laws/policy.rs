//! Log-softmax, sampling, entropy and divergences against their definitions.

mod divergence;
mod log_softmax;
mod sample;

use aprm_core::policy::log_softmax_forward;

fn log_softmax(logits: &[f64]) -> Vec<f64> {
    let mut log_probs = vec![f64::NAN; logits.len()];
    log_softmax_forward(logits, &mut log_probs);
    log_probs
}

fn backward(write: impl FnOnce(&mut [f64]), len: usize) -> Vec<f64> {
    let mut gradient = vec![f64::NAN; len];
    write(&mut gradient);
    gradient
}

fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    for (a, e) in actual.iter().zip(expected) {
        assert!(a == e || (a - e).abs() <= tolerance, "{actual:?} is not {expected:?}");
    }
}
