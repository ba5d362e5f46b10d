//! Keys and values that are kept, and attention over them.

use aprm_core::backend::CacheDims;
use aprm_core::scalar::Scalar;

use crate::gemm::{matrix, matrix_mut};
use crate::threads::{self, Rows, Workspaces};
use crate::{lanes, tile};

pub(crate) fn append<T: Scalar>(
    dims: CacheDims,
    qkv: &[T],
    slots: &[u32],
    positions: &[u32],
    keys: &mut [T],
    values: &mut [T],
) {
    let width = dims.attention.kv_heads * dims.attention.head_dim;
    let first_key = dims.attention.heads * dims.attention.head_dim;
    for (qkv, (&slot, &position)) in qkv.chunks_exact(dims.attention.qkv_width()).zip(slots.iter().zip(positions)) {
        let place = (slot as usize * dims.capacity + position as usize) * width;
        let (key, value) = qkv[first_key..].split_at(width);
        keys[place..][..width].copy_from_slice(key);
        values[place..][..width].copy_from_slice(value);
    }
}

#[expect(clippy::too_many_arguments, reason = "the cache is four of them")]
pub(crate) fn attend<T: Scalar>(
    dims: CacheDims,
    qkv: &[T],
    slots: &[u32],
    positions: &[u32],
    keys: &[T],
    values: &[T],
    out: &mut [T],
    workspaces: &mut Workspaces<T>,
) {
    let (heads, kv_heads, head_dim) = (dims.attention.heads, dims.attention.kv_heads, dims.attention.head_dim);
    let (width, scale) = (kv_heads * head_dim, T::one() / T::of_usize(head_dim).sqrt());
    let workspaces = workspaces.reserve(dims.capacity);
    threads::for_each_range(
        dims.rows,
        1,
        Rows::new(out, heads * head_dim),
        #[inline(always)]
        |range, out| {
            for (r, out) in range.zip(out.iter()) {
                let queries = qkv[r * dims.attention.qkv_width()..].chunks_exact(head_dim);
                let cached = slots[r] as usize * dims.capacity * width;
                for (head, (query, out)) in queries.zip(out.chunks_exact_mut(head_dim)).enumerate() {
                    let first = cached + head / (heads / kv_heads) * head_dim;
                    workspaces.with(
                        #[inline(always)]
                        |scores| {
                            let scores = &mut scores[..=positions[r] as usize];
                            for (score, key) in scores.iter_mut().zip(keys[first..].chunks(width)) {
                                *score = lanes::dot(query, &key[..head_dim]);
                            }
                            let sum = softmax(scale, scores);
                            let values = matrix(&values[first..], scores.len(), head_dim, width);
                            let mut out = matrix_mut(out, 1, head_dim, head_dim);
                            out.fill(T::zero());
                            tile::add(0, 0..scores.len(), |j| [scores[j]], values, &mut out);
                            out.iter_mut().for_each(|out| *out /= sum);
                        },
                    );
                }
            }
        },
    );
}

/// Replaces scores by `exp(scale (score − max))`, and gives their sum.
#[inline(always)]
fn softmax<T: Scalar>(scale: T, scores: &mut [T]) -> T {
    let max = lanes::max(scores);
    for score in scores.iter_mut() {
        *score = ((*score - max) * scale).exp();
    }
    let [sum] = lanes::sums([scores], |[x]| [x]);
    sum
}
