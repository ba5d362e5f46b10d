//! Causal attention with grouped queries over a ragged batch.

use core::ops::Range;

use aprm_core::backend::AttentionDims;

use super::policy::log_sum_exp;
use crate::Number;

/// Where the query of row r and query head h is.
fn query(dims: AttentionDims, r: usize, h: usize) -> usize {
    r * dims.qkv_width() + h * dims.head_dim
}

/// Where the key is that query head h attends to in row r.
fn key(dims: AttentionDims, r: usize, h: usize) -> usize {
    query(dims, r, dims.heads + h / (dims.heads / dims.kv_heads))
}

/// Where its value is.
fn value(dims: AttentionDims, r: usize, h: usize) -> usize {
    key(dims, r, h) + dims.kv_heads * dims.head_dim
}

pub(super) fn dot<N: Number>(x: &[N], y: &[N]) -> N {
    x.iter().zip(y).map(|(&x, &y)| x * y).sum()
}

/// The rows of each sequence.
fn sequences(offsets: &[u32]) -> impl Iterator<Item = Range<usize>> {
    offsets.windows(2).map(|pair| pair[0] as usize..pair[1] as usize)
}

/// `s_ij = q_i · k_j / √D`, `lse_i = ln Σ_{j ≤ i} exp(s_ij)`, `out_i = Σ_{j ≤ i} exp(s_ij − lse_i) v_j`.
///
/// `offsets` are the first row of each sequence, and the number of rows.
pub fn forward<N: Number>(dims: AttentionDims, offsets: &[u32], qkv: &[N], out: &mut [N], log_sum_exps: &mut [N]) {
    let AttentionDims { heads, head_dim, .. } = dims;
    let root = N::exactly(head_dim as f64).sqrt();
    for rows in sequences(offsets) {
        for i in rows.clone() {
            for h in 0..heads {
                let scores: Vec<N> = (rows.start..=i)
                    .map(|j| dot(&qkv[query(dims, i, h)..][..head_dim], &qkv[key(dims, j, h)..][..head_dim]) / root)
                    .collect();
                let lse = log_sum_exp(&scores);
                for c in 0..head_dim {
                    let terms = (rows.start..=i).zip(&scores);
                    out[(i * heads + h) * head_dim + c] =
                        terms.map(|(j, &score)| (score - lse).exp() * qkv[value(dims, j, h) + c]).sum();
                }
                log_sum_exps[i * heads + h] = lse;
            }
        }
    }
}

/// ```text
/// p_ij = exp(s_ij − lse_i),   d_i = grad_out_i · out_i,   e_ij = p_ij (grad_out_i · v_j − d_i) / √D
/// grad_q_i = Σ_{j ≤ i} e_ij k_j,   grad_k_j = Σ_{h, i ≥ j} e_ij q_i,   grad_v_j = Σ_{h, i ≥ j} p_ij grad_out_i
/// ```
pub fn backward<N: Number>(
    dims: AttentionDims,
    offsets: &[u32],
    qkv: &[N],
    out: &[N],
    log_sum_exps: &[N],
    grad_out: &[N],
    grad_qkv: &mut [N],
) {
    let AttentionDims { heads, kv_heads, head_dim } = dims;
    let root = N::exactly(head_dim as f64).sqrt();
    for rows in sequences(offsets) {
        // p[h][i][j] and e[h][i][j], with i and j counted from the first row of the sequence.
        let (mut p, mut e) = (vec![vec![vec![]; rows.len()]; heads], vec![vec![vec![]; rows.len()]; heads]);
        for h in 0..heads {
            for i in rows.clone() {
                let grad_out = &grad_out[(i * heads + h) * head_dim..][..head_dim];
                let d = dot(grad_out, &out[(i * heads + h) * head_dim..][..head_dim]);
                for j in rows.start..=i {
                    let s = dot(&qkv[query(dims, i, h)..][..head_dim], &qkv[key(dims, j, h)..][..head_dim]) / root;
                    let p_ij = (s - log_sum_exps[i * heads + h]).exp();
                    let e_ij = p_ij * (dot(grad_out, &qkv[value(dims, j, h)..][..head_dim]) - d) / root;
                    p[h][i - rows.start].push(p_ij);
                    e[h][i - rows.start].push(e_ij);
                }
                for c in 0..head_dim {
                    let terms = (rows.start..=i).zip(&e[h][i - rows.start]);
                    grad_qkv[query(dims, i, h) + c] = terms.map(|(j, &e_ij)| e_ij * qkv[key(dims, j, h) + c]).sum();
                }
            }
        }
        let group = heads / kv_heads;
        for h in (0..heads).step_by(group) {
            for j in rows.clone() {
                let sharing = || (h..h + group).flat_map(|h| (j..rows.end).map(move |i| (h, i)));
                for c in 0..head_dim {
                    grad_qkv[key(dims, j, h) + c] =
                        sharing().map(|(h, i)| e[h][i - rows.start][j - rows.start] * qkv[query(dims, i, h) + c]).sum();
                    grad_qkv[value(dims, j, h) + c] = sharing()
                        .map(|(h, i)| p[h][i - rows.start][j - rows.start] * grad_out[(i * heads + h) * head_dim + c])
                        .sum();
                }
            }
        }
    }
}
