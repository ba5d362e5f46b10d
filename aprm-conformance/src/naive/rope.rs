//! Rotary position embedding.

use aprm_core::backend::RopeDims;

use crate::Number;

/// `(a, b) ← (a cos − b sin, b cos + a sin)`.
pub fn forward<N: Number>(dims: RopeDims, positions: &[u32], cos: &[N], sin: &[N], x: &mut [N]) {
    each_pair(dims, positions, cos, sin, x, |a, b, cos, sin| (a * cos - b * sin, b * cos + a * sin));
}

/// `(a, b) ← (a cos + b sin, b cos − a sin)`.
pub fn backward<N: Number>(dims: RopeDims, positions: &[u32], cos: &[N], sin: &[N], grad_x: &mut [N]) {
    each_pair(dims, positions, cos, sin, grad_x, |a, b, cos, sin| (a * cos + b * sin, b * cos - a * sin));
}

/// Pairs entry i of each head with entry `i + head_dim / 2`.
fn each_pair<N: Number>(
    dims: RopeDims,
    positions: &[u32],
    cos: &[N],
    sin: &[N],
    x: &mut [N],
    rotate: impl Fn(N, N, N, N) -> (N, N),
) {
    let half = dims.head_dim / 2;
    for r in 0..dims.rows {
        for h in 0..dims.heads {
            for i in 0..half {
                let a = r * dims.stride + h * dims.head_dim + i;
                let angle = positions[r] as usize * half + i;
                (x[a], x[a + half]) = rotate(x[a], x[a + half], cos[angle], sin[angle]);
            }
        }
    }
}
