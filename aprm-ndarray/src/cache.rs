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
    let (width, group, scale) = (kv_heads * head_dim, heads / kv_heads, T::one() / T::of_usize(head_dim).sqrt());
    let workspaces = workspaces.reserve(heads * dims.capacity);
    threads::for_each_range(
        dims.rows,
        1,
        Rows::new(out, heads * head_dim),
        #[inline(always)]
        |range, out| {
            for (r, out) in range.zip(out.iter()) {
                let (first, seen) = (slots[r] as usize * dims.capacity * width, positions[r] as usize + 1);
                let [keys, values] = [keys, values].map(|cache| cache[first..].chunks_exact(width).take(seen));
                let queries = &qkv[r * dims.attention.qkv_width()..][..heads * head_dim];
                workspaces.with(
                    #[inline(always)]
                    |scores| {
                        // Keys and values are read once, as they lie in memory, for all heads.
                        for (j, key) in keys.enumerate() {
                            for (head, query) in queries.chunks_exact(head_dim).enumerate() {
                                let key = &key[head / group * head_dim..][..head_dim];
                                scores[head * seen + j] = scale * lanes::dot(query, key);
                            }
                        }
                        scores.chunks_exact_mut(seen).take(heads).for_each(softmax);
                        out.fill(T::zero());
                        for (j, value) in values.enumerate() {
                            for (head, out) in out.chunks_exact_mut(head_dim).enumerate() {
                                lanes::axpy(
                                    scores[head * seen + j],
                                    &value[head / group * head_dim..][..head_dim],
                                    out,
                                );
                            }
                        }
                    },
                );
            }
        },
    );
}

/// Replaces scores by their softmax.
#[inline(always)]
fn softmax<T: Real>(scores: &mut [T]) {
    let max = lanes::max(scores);
    scores.iter_mut().for_each(|score| *score = (*score - max).exp());
    let [sum] = lanes::sums([&*scores], |[score]| [score]);
    scores.iter_mut().for_each(|score| *score /= sum);
}
