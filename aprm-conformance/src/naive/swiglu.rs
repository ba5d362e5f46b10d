//! `out = silu(gate) · up`.

use aprm_core::backend::SwigluDims;

use crate::Number;

/// `σ = 1 / (1 + e^{−x})`.
fn sigmoid<N: Number>(x: N) -> N {
    N::exactly(1.0) / (N::exactly(1.0) + (-x).exp())
}

/// `out_c = gate_c · σ · up_c`.
pub fn forward<N: Number>(dims: SwigluDims, gate_up: &[N], out: &mut [N]) {
    let SwigluDims { rows, channels } = dims;
    for r in 0..rows {
        for c in 0..channels {
            let gate = gate_up[2 * r * channels + c];
            let up = gate_up[(2 * r + 1) * channels + c];
            out[r * channels + c] = gate * sigmoid(gate) * up;
        }
    }
}

/// `grad_gate = grad_out · up · σ (1 + gate (1 − σ))`, `grad_up = grad_out · gate · σ`.
pub fn backward<N: Number>(dims: SwigluDims, gate_up: &[N], grad_out: &[N], grad_gate_up: &mut [N]) {
    let SwigluDims { rows, channels } = dims;
    let one = N::exactly(1.0);
    for r in 0..rows {
        for c in 0..channels {
            let (gate_at, up_at) = (2 * r * channels + c, (2 * r + 1) * channels + c);
            let (gate, up, grad) = (gate_up[gate_at], gate_up[up_at], grad_out[r * channels + c]);
            let s = sigmoid(gate);
            grad_gate_up[gate_at] = grad * up * s * (one + gate * (one - s));
            grad_gate_up[up_at] = grad * gate * s;
        }
    }
}
