//! Keys and values that are kept, and attention over them.

use aprm_core::backend::CacheDims;

use super::attention::dot;
use super::policy::log_sum_exp;
use crate::Number;

/// `keys[slot, position] ← k_r`, `values[slot, position] ← v_r`.
pub fn append<N: Number>(
    dims: CacheDims,
    qkv: &[N],
    slots: &[u32],
    positions: &[u32],
    keys: &mut [N],
    values: &mut [N],
) {
    let attention = dims.attention;
    let width = attention.kv_heads * attention.head_dim;
    for r in 0..dims.rows {
        let key = r * attention.qkv_width() + attention.heads * attention.head_dim;
        let place = (slots[r] as usize * dims.capacity + positions[r] as usize) * width;
        for c in 0..width {
            keys[place + c] = qkv[key + c];
            values[place + c] = qkv[key + width + c];
        }
    }
}

/// `out_r = Σ_{j ≤ position} exp(s_j − ln Σ_k exp(s_k)) v_j`, `s_j = q_r · k_j / √D`.
pub fn attention<N: Number>(
    dims: CacheDims,
    qkv: &[N],
    slots: &[u32],
    positions: &[u32],
    keys: &[N],
    values: &[N],
    out: &mut [N],
) {
    let (heads, kv_heads, head_dim) = (dims.attention.heads, dims.attention.kv_heads, dims.attention.head_dim);
    let root = N::exactly(head_dim as f64).sqrt();
    for r in 0..dims.rows {
        for h in 0..heads {
            let query = &qkv[r * dims.attention.qkv_width() + h * head_dim..][..head_dim];
            let place = |j| ((slots[r] as usize * dims.capacity + j) * kv_heads + h / (heads / kv_heads)) * head_dim;
            let seen = 0..=positions[r] as usize;
            let scores: Vec<N> = seen.clone().map(|j| dot(query, &keys[place(j)..][..head_dim]) / root).collect();
            let lse = log_sum_exp(&scores);
            for c in 0..head_dim {
                let terms = seen.clone().zip(&scores);
                out[(r * heads + h) * head_dim + c] =
                    terms.map(|(j, &score)| (score - lse).exp() * values[place(j) + c]).sum();
            }
        }
    }
}
