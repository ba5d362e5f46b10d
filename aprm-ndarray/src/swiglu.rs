//! Gated linear unit with the sigmoid-weighted gate.

use aprm_core::backend::SwigluDims;
use aprm_core::scalar::Scalar;

use crate::threads::{self, Rows};

/// Channels that one thread takes at least.
const GRAIN: usize = 1 << 13;

pub(crate) fn forward<T: Scalar>(dims: SwigluDims, gate_up: &[T], out: &mut [T]) {
    let SwigluDims { rows, channels } = dims;
    threads::for_each_range(
        rows,
        GRAIN / channels.max(1),
        Rows::new(out, channels),
        #[inline(always)]
        |range, out| {
            let gate_up = gate_up[2 * channels * range.start..].chunks_exact(2 * channels);
            for (out, gate_up) in out.iter().zip(gate_up) {
                let (gate, up) = gate_up.split_at(channels);
                for ((out, &gate), &up) in out.iter_mut().zip(gate).zip(up) {
                    *out = gate * up / (T::one() + (-gate).exp());
                }
            }
        },
    );
}

pub(crate) fn backward<T: Scalar>(dims: SwigluDims, gate_up: &[T], grad_out: &[T], grad_gate_up: &mut [T]) {
    let SwigluDims { rows, channels } = dims;
    threads::for_each_range(
        rows,
        GRAIN / channels.max(1),
        Rows::new(grad_gate_up, 2 * channels),
        #[inline(always)]
        |range, grad_gate_up| {
            let gate_up = gate_up[2 * channels * range.start..].chunks_exact(2 * channels);
            let grad_out = grad_out[channels * range.start..].chunks_exact(channels);
            for ((grad_gate_up, gate_up), grad_out) in grad_gate_up.iter().zip(gate_up).zip(grad_out) {
                let (gate, up) = gate_up.split_at(channels);
                let (grad_gate, grad_up) = grad_gate_up.split_at_mut(channels);
                let grads = grad_gate.iter_mut().zip(grad_up);
                for ((grad_gate, grad_up), ((&gate, &up), &grad_out)) in grads.zip(gate.iter().zip(up).zip(grad_out)) {
                    let sigmoid = T::one() / (T::one() + (-gate).exp());
                    *grad_gate = grad_out * up * sigmoid * (T::one() + gate * (T::one() - sigmoid));
                    *grad_up = grad_out * gate * sigmoid;
                }
            }
        },
    );
}
