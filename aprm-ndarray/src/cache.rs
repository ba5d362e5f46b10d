//! Keys and values that are kept, and attention over them.

use aprm_core::backend::{AttentionDims, CacheDims};
use pulp::{Simd, WithSimd};

use crate::attention::columns::{BLOCK, Column, multiply, softmax_of_all, sum_all, transpose};
use crate::matrix::{matrix, matrix_mut};
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
    workspaces: &mut Workspaces<Column<T>>,
) {
    let AttentionDims { heads, head_dim, .. } = dims.attention;
    let workspaces = workspaces.reserve(head_dim + dims.capacity);
    threads::for_each_range(dims.rows, 1, Rows::new(out, heads * head_dim), |range, out| {
        for (r, out) in range.zip(out.iter()) {
            let (qkv, slot) = (&qkv[r * dims.attention.qkv_width()..], slots[r] as usize);
            workspaces.with(|workspace| {
                let attend = Attend { dims, qkv, slot, seen: positions[r] as usize + 1, keys, values, out, workspace };
                pulp::Arch::new().dispatch(attend);
            });
        }
    });
}

/// One row, all heads of it.
struct Attend<'a, T> {
    dims: CacheDims,
    qkv: &'a [T],
    slot: usize,
    seen: usize,
    keys: &'a [T],
    values: &'a [T],
    out: &'a mut [T],
    workspace: &'a mut [Column<T>],
}

impl<T: Real> WithSimd for Attend<'_, T> {
    type Output = ();

    /// The queries that share keys and values are the columns of scores.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { dims, qkv, slot, seen, keys, values, out, workspace } = self;
        let AttentionDims { heads, kv_heads, head_dim } = dims.attention;
        let (width, scale) = (kv_heads * head_dim, T::one() / T::of_usize(head_dim).sqrt());
        let (columns, scores) = workspace.split_at_mut(head_dim);
        let scores = &mut scores[..seen];
        for kv_head in 0..kv_heads {
            let first = slot * dims.capacity * width + kv_head * head_dim;
            let [keys, values] = [keys, values].map(|cache| matrix(&cache[first..], seen, head_dim, width));
            let group = kv_head * (heads / kv_heads)..(kv_head + 1) * (heads / kv_heads);
            for first in group.clone().step_by(BLOCK) {
                let block = first..group.end.min(first + BLOCK);
                transpose(&block, matrix(qkv, heads, head_dim, head_dim), scale, columns);
                multiply::<T, S, 8>(simd, keys, block.len(), columns, scores);
                let (_, sums) = softmax_of_all(scores);
                let entries = &mut out[block.start * head_dim..block.end * head_dim];
                let mut out = matrix_mut(entries, block.len(), head_dim, head_dim);
                sum_all::<T, S, 4>(simd, scores, values, &mut out);
                for (out, sum) in entries.chunks_exact_mut(head_dim).zip(sums) {
                    out.iter_mut().for_each(|out| *out /= sum);
                }
            }
        }
    }
}
