//! Root-mean-square normalisation.

use aprm_core::backend::NormDims;

use crate::Number;

/// Where group g of row r begins.
fn begin(dims: NormDims<f64>, r: usize, g: usize) -> usize {
    r * dims.stride + dims.offset + g * dims.channels
}

/// `rstd = 1 / √(mean_c x_c² + ε)`, `out_c = x_c · rstd · weight_c`.
pub fn forward<N: Number>(dims: NormDims<f64>, x: &[N], weight: &[N], out: &mut [N], rstd: &mut [N]) {
    let NormDims { rows, groups, channels, epsilon, .. } = dims;
    for r in 0..rows {
        for g in 0..groups {
            let begin = begin(dims, r, g);
            let mean = (0..channels).map(|c| x[begin + c] * x[begin + c]).sum::<N>() / N::exactly(channels as f64);
            let scale = N::exactly(1.0) / (mean + N::exactly(epsilon)).sqrt();
            for c in 0..channels {
                out[begin + c] = x[begin + c] * scale * weight[c];
            }
            rstd[r * groups + g] = scale;
        }
    }
}

/// ```text
/// n_c = x_c · rstd,   g_c = grad_out_c · weight_c
/// grad_x_c ← [grad_x_c +] rstd (g_c − n_c · mean_k(g_k n_k)),   grad_weight_c += Σ_{r, group} grad_out_c n_c
/// ```
pub fn backward<N: Number>(
    dims: NormDims<f64>,
    x: &[N],
    weight: &[N],
    rstd: &[N],
    grad_out: &[N],
    grad_x: &mut [N],
    grad_weight: &mut [N],
) {
    let NormDims { rows, groups, channels, accumulate, .. } = dims;
    let normalised = |r, g, c| x[begin(dims, r, g) + c] * rstd[r * groups + g];
    for r in 0..rows {
        for g in 0..groups {
            let begin = begin(dims, r, g);
            let weighted = |c: usize| grad_out[begin + c] * weight[c];
            let mean =
                (0..channels).map(|c| weighted(c) * normalised(r, g, c)).sum::<N>() / N::exactly(channels as f64);
            for c in 0..channels {
                let grad = rstd[r * groups + g] * (weighted(c) - normalised(r, g, c) * mean);
                grad_x[begin + c] = if accumulate { grad_x[begin + c] + grad } else { grad };
            }
        }
    }
    for c in 0..channels {
        let all = (0..rows).flat_map(|r| (0..groups).map(move |g| (r, g)));
        let products = all.map(|(r, g)| grad_out[begin(dims, r, g) + c] * normalised(r, g, c));
        grad_weight[c] = grad_weight[c].plus(products);
    }
}
