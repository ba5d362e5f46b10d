//! Keys and values that are kept, and attention over them.

use aprm_core::backend::{AttentionDims, CacheDims};

use crate::lanes;
use crate::real::Real;
use crate::threads::{self, Rows, Workspaces};

pub(crate) fn append<T: Real>(
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
pub(crate) fn attend<T: Real>(
    dims: CacheDims,
    qkv: &[T],
    slots: &[u32],
    positions: &[u32],
    keys: &[T],
    values: &[T],
    out: &mut [T],
    workspaces: &mut Workspaces<T>,
) {
    let AttentionDims { heads, kv_heads, head_dim } = dims.attention;
    let (width, scale) = (kv_heads * head_dim, T::one() / T::of_usize(head_dim).sqrt());
    let workspaces = workspaces.reserve(dims.capacity);
    threads::for_each_range(
        dims.rows,
        1,
        Rows::new(out, heads * head_dim),
        #[inline(always)]
        |range, out| {
            for (r, out) in range.zip(out.iter()) {
                let (slot, seen) = (slots[r] as usize, positions[r] as usize + 1);
                let queries = qkv[r * dims.attention.qkv_width()..].chunks_exact(head_dim);
                workspaces.with(
                    #[inline(always)]
                    |scores| {
                        for (head, (query, out)) in queries.zip(out.chunks_exact_mut(head_dim)).enumerate() {
                            let first = slot * dims.capacity * width + head / (heads / kv_heads) * head_dim;
                            let [keys, values] = [keys, values].map(|cache| cache[first..].chunks(width).take(seen));
                            let scores = &mut scores[..seen];
                            for (score, key) in scores.iter_mut().zip(keys) {
                                *score = scale * lanes::dot(query, &key[..head_dim]);
                            }
                            let sum = softmax(scores);
                            out.fill(T::zero());
                            for (&score, value) in scores.iter().zip(values) {
                                lanes::axpy(score, &value[..head_dim], out);
                            }
                            out.iter_mut().for_each(|out| *out /= sum);
                        }
                    },
                );
            }
        },
    );
}

/// Replaces scores by `exp(score − max)`, and gives their sum.
#[inline(always)]
fn softmax<T: Real>(scores: &mut [T]) -> T {
    let max = lanes::max(scores);
    scores.iter_mut().for_each(|score| *score = (*score - max).exp());
    let [sum] = lanes::sums([scores], |[score]| [score]);
    sum
}
