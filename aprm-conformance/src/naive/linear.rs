//! `out = x Wᵀ + b`.

use aprm_core::backend::LinearDims;

use crate::Number;

/// `out_ro ← [out_ro +] Σ_i x_ri W_oi + b_o`.
pub fn forward<N: Number>(dims: LinearDims, x: &[N], weight: &[N], bias: Option<&[N]>, out: &mut [N]) {
    let LinearDims { rows, inputs, outputs, accumulate } = dims;
    for r in 0..rows {
        for o in 0..outputs {
            let products = (0..inputs).map(|i| x[r * inputs + i] * weight[o * inputs + i]);
            let bias = bias.map(|bias| bias[o]);
            let residual = accumulate.then_some(out[r * outputs + o]);
            out[r * outputs + o] = products.chain(bias).chain(residual).sum();
        }
    }
}

/// `grad_x_ri ← [grad_x_ri +] Σ_o grad_out_ro W_oi`.
pub fn backward_input<N: Number>(dims: LinearDims, grad_out: &[N], weight: &[N], grad_x: &mut [N]) {
    let LinearDims { rows, inputs, outputs, accumulate } = dims;
    for r in 0..rows {
        for i in 0..inputs {
            let products = (0..outputs).map(|o| grad_out[r * outputs + o] * weight[o * inputs + i]);
            let residual = accumulate.then_some(grad_x[r * inputs + i]);
            grad_x[r * inputs + i] = products.chain(residual).sum();
        }
    }
}

/// `grad_W_oi ← grad_W_oi + Σ_r grad_out_ro x_ri`, `grad_b_o ← grad_b_o + Σ_r grad_out_ro`.
pub fn backward_weight<N: Number>(
    dims: LinearDims,
    x: &[N],
    grad_out: &[N],
    grad_weight: &mut [N],
    grad_bias: Option<&mut [N]>,
) {
    let LinearDims { rows, inputs, outputs, accumulate: _ } = dims;
    for o in 0..outputs {
        for i in 0..inputs {
            let grad = &mut grad_weight[o * inputs + i];
            *grad = grad.plus((0..rows).map(|r| grad_out[r * outputs + o] * x[r * inputs + i]));
        }
    }
    if let Some(grad_bias) = grad_bias {
        for o in 0..outputs {
            grad_bias[o] = grad_bias[o].plus((0..rows).map(|r| grad_out[r * outputs + o]));
        }
    }
}
