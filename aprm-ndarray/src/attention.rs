//! Causal attention over a ragged batch.
//!
//! A block of queries meets all keys that it sees, one head after the other.
//! Blocks begin at the first row of a sequence, each sum is taken in the order of the keys, and no row that a query does
//! not see is multiplied, even by zero: a row's bits depend on the rows before it alone.

pub(crate) mod columns;

use std::ops::Range;

use aprm_core::backend::AttentionDims;
use ndarray::{ArrayView2, ArrayViewMut2, ArrayViewMut3, Axis};
use pulp::{Simd, WithSimd};

use self::columns::{BLOCK, Column, add_seeing, multiply, softmax, sum_seen, transpose};
use crate::lanes;
use crate::matrix::{matrix, matrix_mut, row, rows, rows_mut};
use crate::real::Real;
use crate::threads::{self, Rows, Split, Workspaces};

/// What belongs to some sequences.
struct Sequences<'a, S> {
    offsets: &'a [u32],
    rows: S,
}

impl<S: Split> Split for Sequences<'_, S> {
    fn split(self, mid: usize) -> (Self, Self) {
        let (head, tail) = self.rows.split((self.offsets[mid] - self.offsets[0]) as usize);
        (Self { offsets: &self.offsets[..=mid], rows: head }, Self { offsets: &self.offsets[mid..], rows: tail })
    }
}

/// One head of the queries, and the keys and values that it attends to.
struct Head<'a, T> {
    queries: ArrayView2<'a, T>,
    keys: ArrayView2<'a, T>,
    values: ArrayView2<'a, T>,
}

impl<'a, T> Head<'a, T> {
    #[inline(always)]
    fn new(dims: AttentionDims, qkv: &'a [T], rows: Range<usize>, head: usize) -> Self {
        let AttentionDims { heads, kv_heads, head_dim } = dims;
        let width = dims.qkv_width();
        let kv_head = head / (heads / kv_heads);
        let part = |index: usize| matrix(&qkv[rows.start * width + index * head_dim..], rows.len(), head_dim, width);
        Self { queries: part(head), keys: part(heads + kv_head), values: part(heads + kv_heads + kv_head) }
    }
}

pub(crate) fn forward<T: Real>(
    dims: AttentionDims,
    offsets: &[u32],
    qkv: &[T],
    out: &mut [T],
    log_sum_exp: &mut [T],
    workspaces: &mut Workspaces<Column<T>>,
) {
    let AttentionDims { heads, head_dim, .. } = dims;
    let workspaces = workspaces.reserve(head_dim + longest(offsets));
    let rows = (Rows::new(out, heads * head_dim), Rows::new(log_sum_exp, heads));
    threads::for_each_range(offsets.len() - 1, 1, Sequences { offsets, rows }, |range, outputs| {
        let rows = offsets[range.start] as usize..offsets[range.end] as usize;
        threads::for_each_range(rows.len(), BLOCK, outputs.rows, |block, (out, log_sum_exp)| {
            workspaces.with(|workspace| {
                let forward = Forward { dims, qkv, rows: rows.clone(), block, out, log_sum_exp, workspace };
                pulp::Arch::new().dispatch(forward);
            });
        });
    });
}

/// A block of queries of a sequence, all heads of it.
struct Forward<'a, T> {
    dims: AttentionDims,
    qkv: &'a [T],
    rows: Range<usize>,
    block: Range<usize>,
    out: Rows<'a, T>,
    log_sum_exp: Rows<'a, T>,
    workspace: &'a mut [Column<T>],
}

impl<T: Real> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 { self.attend::<S, 8>(simd) } else { self.attend::<S, 4>(simd) }
    }
}

impl<T: Real> Forward<'_, T> {
    #[inline(always)]
    fn attend<S: Simd, const R: usize>(self, simd: S) {
        let Self { dims, qkv, rows, block, out, log_sum_exp, workspace } = self;
        let AttentionDims { heads, head_dim, .. } = dims;
        let scale = T::one() / T::of_usize(head_dim).sqrt();
        let (block_queries, scores) = workspace.split_at_mut(head_dim);
        let (block_queries, scores) = (&mut block_queries[..], &mut scores[..block.end]);
        for head in 0..heads {
            let Head { queries, keys, values } = Head::new(dims, qkv, rows.clone(), head);
            let mut out = matrix_mut(&mut out.entries[head * head_dim..], block.len(), head_dim, out.width);
            transpose(&block, queries, scale, block_queries);
            multiply::<T, S, R>(simd, keys, block_queries, scores);
            let (max, sum) = softmax(&block, scores);
            sum_seen::<T, S, R>(simd, &block, scores, values, &mut out);
            for (i, mut out) in out.rows_mut().into_iter().enumerate() {
                let out = out.as_slice_mut().expect("the entries of a head are contiguous");
                out.iter_mut().for_each(|out| *out /= sum[i]);
                log_sum_exp.entries[i * heads + head] = max[i] + sum[i].ln();
            }
        }
    }
}

/// What belongs to some key-value heads: the gradients of their group's queries, and of their keys and values.
struct Groups<'a, T> {
    queries: ArrayViewMut3<'a, T>,
    keys: ArrayViewMut3<'a, T>,
    values: ArrayViewMut3<'a, T>,
}

impl<T: Send> Split for Groups<'_, T> {
    fn split(self, mid: usize) -> (Self, Self) {
        let group = self.queries.len_of(Axis(1)) / self.keys.len_of(Axis(1));
        let (queries, more_queries) = self.queries.split_at(Axis(1), mid * group);
        let (keys, more_keys) = self.keys.split_at(Axis(1), mid);
        let (values, more_values) = self.values.split_at(Axis(1), mid);
        (Self { queries, keys, values }, Self { queries: more_queries, keys: more_keys, values: more_values })
    }
}

#[expect(clippy::too_many_arguments, reason = "a backward kernel reads what its forward read and wrote")]
pub(crate) fn backward<T: Real>(
    dims: AttentionDims,
    offsets: &[u32],
    qkv: &[T],
    out: &[T],
    log_sum_exp: &[T],
    grad_out: &[T],
    grad_qkv: &mut [T],
    workspaces: &mut Workspaces<Column<T>>,
) {
    let AttentionDims { heads, kv_heads, head_dim } = dims;
    let workspaces = workspaces.reserve(head_dim + 2 * longest(offsets));
    let rows = Rows::new(grad_qkv, dims.qkv_width());
    threads::for_each_range(offsets.len() - 1, 1, Sequences { offsets, rows }, |range, outputs| {
        let rows = offsets[range.start] as usize..offsets[range.end] as usize;
        if rows.is_empty() {
            return;
        }
        let grad_qkv = ArrayViewMut3::from_shape((rows.len(), heads + 2 * kv_heads, head_dim), outputs.rows.entries)
            .expect("rows are queries, keys and values");
        let (queries, keys_and_values) = grad_qkv.split_at(Axis(1), heads);
        let (keys, values) = keys_and_values.split_at(Axis(1), kv_heads);
        threads::for_each_range(kv_heads, 1, Groups { queries, keys, values }, |range, mut grads| {
            let (mut grad_keys, mut grad_values) =
                (grads.keys.index_axis_mut(Axis(1), 0), grads.values.index_axis_mut(Axis(1), 0));
            grad_keys.fill(T::zero());
            grad_values.fill(T::zero());
            for (i, grad_queries) in grads.queries.axis_iter_mut(Axis(1)).enumerate() {
                let head = range.start * (heads / kv_heads) + i;
                let (first, stride) = (rows.start * heads + head, heads * head_dim);
                let inputs = HeadForward {
                    head: Head::new(dims, qkv, rows.clone(), head),
                    out: matrix(&out[first * head_dim..], rows.len(), head_dim, stride),
                    grad_out: matrix(&grad_out[first * head_dim..], rows.len(), head_dim, stride),
                    log_sum_exp: matrix(&log_sum_exp[first..], rows.len(), 1, heads),
                };
                let (grad_keys, grad_values) = (grad_keys.view_mut(), grad_values.view_mut());
                workspaces.with(|workspace| {
                    let grads = (grad_queries, grad_keys, grad_values);
                    pulp::Arch::new().dispatch(Backward { inputs, grads, workspace });
                });
            }
        });
    });
}

/// What the forward pass of one head read and wrote.
struct HeadForward<'a, T> {
    head: Head<'a, T>,
    out: ArrayView2<'a, T>,
    grad_out: ArrayView2<'a, T>,
    log_sum_exp: ArrayView2<'a, T>,
}

/// One head of a sequence: what its forward pass read and wrote, and the gradients of its queries, keys and values.
struct Backward<'a, 'w, T> {
    inputs: HeadForward<'a, T>,
    grads: (ArrayViewMut2<'a, T>, ArrayViewMut2<'a, T>, ArrayViewMut2<'a, T>),
    workspace: &'w mut [Column<T>],
}

impl<T: Real> WithSimd for Backward<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 { self.attend::<S, 8>(simd) } else { self.attend::<S, 4>(simd) }
    }
}

impl<T: Real> Backward<'_, '_, T> {
    #[inline(always)]
    fn attend<S: Simd, const R: usize>(self, simd: S) {
        let Self { inputs, grads: (mut grad_queries, mut grad_keys, mut grad_values), workspace } = self;
        let HeadForward { head: Head { queries, keys, values }, out, grad_out, log_sum_exp } = inputs;
        let (len, head_dim) = queries.dim();
        let scale = T::one() / T::of_usize(head_dim).sqrt();
        let (transposed, workspace) = workspace.split_at_mut(head_dim);
        let (probs, grad_scores) = workspace.split_at_mut(len);
        for start in (0..len).step_by(BLOCK) {
            let block = start..len.min(start + BLOCK);
            let (probs, grad_scores) = (&mut probs[..block.end], &mut grad_scores[..block.end]);
            transpose(&block, queries, scale, transposed);
            multiply::<T, S, R>(simd, keys, transposed, probs);
            transpose(&block, grad_out, T::one(), transposed);
            multiply::<T, S, R>(simd, values, transposed, grad_scores);
            let (mut lse, mut d) = ([T::zero(); BLOCK], [T::zero(); BLOCK]);
            for (i, r) in block.clone().enumerate() {
                lse[i] = log_sum_exp[[r, 0]];
                d[i] = lanes::dot(row(out, r), row(grad_out, r));
            }
            for (probs, grad_scores) in probs.iter_mut().zip(grad_scores.iter_mut()) {
                for (((prob, grad_score), &lse), &d) in
                    probs.0.iter_mut().zip(grad_scores.0.iter_mut()).zip(&lse).zip(&d)
                {
                    *prob = (*prob - lse).exp();
                    *grad_score = *prob * (*grad_score - d) * scale;
                }
            }
            let mut grad_queries = rows_mut(&mut grad_queries, block.clone());
            sum_seen::<T, S, R>(simd, &block, grad_scores, keys, &mut grad_queries);
            add_seeing::<T, S, R>(simd, &block, grad_scores, rows(queries, block.clone()), &mut grad_keys);
            add_seeing::<T, S, R>(simd, &block, probs, rows(grad_out, block.clone()), &mut grad_values);
        }
    }
}

fn longest(offsets: &[u32]) -> usize {
    offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max().unwrap_or(0)
}
