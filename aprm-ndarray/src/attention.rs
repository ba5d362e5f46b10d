//! Causal attention over a ragged batch.
//!
//! A block of queries meets all keys that it sees, one head after the other.
//! Blocks begin at the first row of a sequence, each sum is taken in the order of the keys, and no row that a query does
//! not see is multiplied, even by zero: a row's bits depend on the rows before it alone.

mod columns;

use std::ops::Range;

use aprm_core::backend::AttentionDims;
use aprm_core::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2, ArrayViewMut3, Axis};

pub(crate) use self::columns::BLOCK;
use self::columns::{Columns, add_seeing, add_seen, multiply, softmax, transpose};
use crate::gemm::{matrix, matrix_mut, row, rows, rows_mut};
use crate::lanes;
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

pub(crate) fn forward<T: Scalar>(
    dims: AttentionDims,
    offsets: &[u32],
    qkv: &[T],
    out: &mut [T],
    log_sum_exp: &mut [T],
    workspaces: &mut Workspaces<[T; BLOCK]>,
) {
    let AttentionDims { heads, head_dim, .. } = dims;
    let scale = T::one() / T::of_usize(head_dim).sqrt();
    let workspaces = workspaces.reserve(head_dim + longest(offsets));
    let rows = (Rows::new(out, heads * head_dim), Rows::new(log_sum_exp, heads));
    threads::for_each_range(offsets.len() - 1, 1, Sequences { offsets, rows }, |range, outputs| {
        let rows = offsets[range.start] as usize..offsets[range.end] as usize;
        threads::for_each_range(
            rows.len(),
            BLOCK,
            outputs.rows,
            #[inline(always)]
            |block, (out, log_sum_exp)| {
                for head in 0..heads {
                    let Head { queries, keys, values } = Head::new(dims, qkv, rows.clone(), head);
                    let mut out = matrix_mut(&mut out.entries[head * head_dim..], block.len(), head_dim, out.width);
                    workspaces.with(
                        #[inline(always)]
                        |workspace| {
                            let (block_queries, scores) = workspace.split_at_mut(head_dim);
                            let scores = &mut scores[..block.end];
                            transpose(&block, queries, scale, block_queries);
                            multiply(keys, block_queries, scores);
                            let (max, sum) = softmax(&block, scores);
                            out.fill(T::zero());
                            add_seen(&block, scores, values, &mut out);
                            for (i, mut out) in out.rows_mut().into_iter().enumerate() {
                                out.iter_mut().for_each(|out| *out /= sum[i]);
                                log_sum_exp.entries[i * heads + head] = max[i] + sum[i].ln();
                            }
                        },
                    );
                }
            },
        );
    });
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
pub(crate) fn backward<T: Scalar>(
    dims: AttentionDims,
    offsets: &[u32],
    qkv: &[T],
    out: &[T],
    log_sum_exp: &[T],
    grad_out: &[T],
    grad_qkv: &mut [T],
    workspaces: &mut Workspaces<[T; BLOCK]>,
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
        threads::for_each_range(
            kv_heads,
            1,
            Groups { queries, keys, values },
            #[inline(always)]
            |range, mut grads| {
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
                    workspaces.with(
                        #[inline(always)]
                        |workspace| {
                            head_backward(inputs, grad_queries, &mut grad_keys, &mut grad_values, workspace);
                        },
                    );
                }
            },
        );
    });
}

/// What the forward pass of one head read and wrote.
struct HeadForward<'a, T> {
    head: Head<'a, T>,
    out: ArrayView2<'a, T>,
    grad_out: ArrayView2<'a, T>,
    log_sum_exp: ArrayView2<'a, T>,
}

#[inline(always)]
fn head_backward<T: Scalar>(
    inputs: HeadForward<'_, T>,
    mut grad_queries: ArrayViewMut2<'_, T>,
    grad_keys: &mut ArrayViewMut2<'_, T>,
    grad_values: &mut ArrayViewMut2<'_, T>,
    workspace: &mut Columns<T>,
) {
    let HeadForward { head: Head { queries, keys, values }, out, grad_out, log_sum_exp } = inputs;
    let (len, head_dim) = queries.dim();
    let scale = T::one() / T::of_usize(head_dim).sqrt();
    let (transposed, workspace) = workspace.split_at_mut(head_dim);
    let (probs, grad_scores) = workspace.split_at_mut(len);
    for start in (0..len).step_by(BLOCK) {
        let block = start..len.min(start + BLOCK);
        let (probs, grad_scores) = (&mut probs[..block.end], &mut grad_scores[..block.end]);
        transpose(&block, queries, scale, transposed);
        multiply(keys, transposed, probs);
        transpose(&block, grad_out, T::one(), transposed);
        multiply(values, transposed, grad_scores);
        let (mut lse, mut d) = ([T::zero(); BLOCK], [T::zero(); BLOCK]);
        for (i, r) in block.clone().enumerate() {
            lse[i] = log_sum_exp[[r, 0]];
            d[i] = lanes::dot(row(out, r), row(grad_out, r));
        }
        for (probs, grad_scores) in probs.iter_mut().zip(grad_scores.iter_mut()) {
            for (((prob, grad_score), &lse), &d) in probs.iter_mut().zip(grad_scores.iter_mut()).zip(&lse).zip(&d) {
                *prob = (*prob - lse).exp();
                *grad_score = *prob * (*grad_score - d) * scale;
            }
        }
        let mut grad_queries = rows_mut(&mut grad_queries, block.clone());
        grad_queries.fill(T::zero());
        add_seen(&block, grad_scores, keys, &mut grad_queries);
        add_seeing(&block, grad_scores, rows(queries, block.clone()), grad_keys);
        add_seeing(&block, probs, rows(grad_out, block.clone()), grad_values);
    }
}

fn longest(offsets: &[u32]) -> usize {
    offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max().unwrap_or(0)
}
