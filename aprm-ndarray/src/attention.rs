//! Causal attention over a ragged batch.
//!
//! A block of queries meets all keys that it sees at once, one head after the other.
//! Blocks begin at the first row of a sequence, and what a row sees beyond it is masked before anything is summed, so a
//! row's bits depend on the rows before it alone.

use std::ops::Range;

use aprm_core::backend::AttentionDims;
use aprm_core::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2, ArrayViewMut3, Axis};

use crate::gemm::{gemm, matrix, matrix_mut, rows, rows_mut};
use crate::lanes;
use crate::threads::{self, Rows, Split, Workspaces};

/// Queries that are taken together.
const BLOCK: usize = 64;

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
    workspaces: &mut Workspaces<T>,
) {
    let AttentionDims { heads, head_dim, .. } = dims;
    let scale = T::one() / T::of_usize(head_dim).sqrt();
    let workspaces = workspaces.reserve(BLOCK * (longest(offsets) + BLOCK));
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
                            let scores = scores(&block, queries, keys, workspace);
                            let width = block.start + BLOCK;
                            // The sum of each row is kept where its log-sum-exp is written.
                            for (i, scores) in scores.chunks_exact_mut(width).enumerate() {
                                scores[block.start + i + 1..].fill(T::neg_infinity());
                                let (max, sum) = softmax(scale, scores);
                                log_sum_exp.entries[i * heads + head] = max + sum.ln();
                                for score in scores {
                                    *score /= sum;
                                }
                            }
                            multiply_seen(&block, scores, values, &mut out);
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
    workspaces: &mut Workspaces<T>,
) {
    let AttentionDims { heads, kv_heads, head_dim } = dims;
    let workspaces = workspaces.reserve(2 * BLOCK * (longest(offsets) + BLOCK));
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
                    let inputs = HeadForward {
                        head: Head::new(dims, qkv, rows.clone(), head),
                        out: matrix(
                            &out[(rows.start * heads + head) * head_dim..],
                            rows.len(),
                            head_dim,
                            heads * head_dim,
                        ),
                        grad_out: matrix(
                            &grad_out[(rows.start * heads + head) * head_dim..],
                            rows.len(),
                            head_dim,
                            heads * head_dim,
                        ),
                        log_sum_exp: matrix(&log_sum_exp[rows.start * heads + head..], rows.len(), 1, heads),
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
    workspace: &mut [T],
) {
    let HeadForward { head: Head { queries, keys, values }, out, grad_out, log_sum_exp } = inputs;
    let (len, head_dim) = queries.dim();
    let scale = T::one() / T::of_usize(head_dim).sqrt();
    let (probs, grad_scores) = workspace.split_at_mut(workspace.len() / 2);
    for start in (0..len).step_by(BLOCK) {
        let block = start..len.min(start + BLOCK);
        let width = start + BLOCK;
        let probs = scores(&block, queries, keys, probs);
        let grad_scores = scores(&block, grad_out, values, grad_scores);
        let both = probs.chunks_exact_mut(width).zip(grad_scores.chunks_exact_mut(width));
        for (i, (probs, grad_scores)) in block.clone().zip(both) {
            let lse = log_sum_exp[[i, 0]];
            let (out, grad_out) = (out.row(i), grad_out.row(i));
            let d = lanes::dot(row(&out), row(&grad_out));
            for (prob, grad_score) in probs.iter_mut().zip(grad_scores.iter_mut()) {
                *prob = (*prob * scale - lse).exp();
                *grad_score = *prob * (*grad_score - d) * scale;
            }
            probs[i + 1..].fill(T::zero());
            grad_scores[i + 1..].fill(T::zero());
        }
        multiply_seen(&block, grad_scores, keys, &mut rows_mut(&mut grad_queries, block.clone()));
        let transposed = |entries| matrix(entries, block.len(), block.end, width).reversed_axes();
        let (block_queries, block_grad_out) = (rows(&queries, block.clone()), rows(&grad_out, block.clone()));
        gemm(&transposed(grad_scores), &block_queries, T::one(), &mut rows_mut(grad_keys, 0..block.end));
        gemm(&transposed(probs), &block_grad_out, T::one(), &mut rows_mut(grad_values, 0..block.end));
    }
}

/// `a_i · b_j` for i in the block and j up to its end, in rows of `block.start + BLOCK` entries.
#[inline(always)]
fn scores<'a, T: Scalar>(
    block: &Range<usize>,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    workspace: &'a mut [T],
) -> &'a mut [T] {
    let width = block.start + BLOCK;
    let scores = &mut workspace[..block.len() * width];
    let (a, b) = (rows(&a, block.clone()), rows(&b, 0..block.end));
    gemm(&a, &b.reversed_axes(), T::zero(), &mut matrix_mut(scores, block.len(), block.end, width));
    scores
}

/// `out_i ← Σ_{j ≤ i} weights_ij b_j` for i in the block.
///
/// No weight of zero meets a row that i does not see, which may be NaN.
#[inline(always)]
fn multiply_seen<T: Scalar>(block: &Range<usize>, weights: &[T], b: ArrayView2<'_, T>, out: &mut ArrayViewMut2<'_, T>) {
    let width = block.start + BLOCK;
    let before = matrix(weights, block.len(), block.start, width);
    gemm(&before, &rows(&b, 0..block.start), T::zero(), out);
    for (i, weights) in weights.chunks_exact(width).enumerate() {
        let mut out = out.row_mut(i);
        let out = out.as_slice_mut().expect("the entries of a head are contiguous");
        for (&weight, j) in weights[block.start..=block.start + i].iter().zip(block.start..) {
            lanes::axpy(weight, row(&b.row(j)), out);
        }
    }
}

/// Replaces scores by `exp(scale (score − max))`, and gives `scale · max` and the sum.
#[inline(always)]
pub(crate) fn softmax<T: Scalar>(scale: T, scores: &mut [T]) -> (T, T) {
    let max = lanes::max(scores);
    for score in scores.iter_mut() {
        *score = ((*score - max) * scale).exp();
    }
    let [sum] = lanes::sums([scores], |[x]| [x]);
    (scale * max, sum)
}

#[inline(always)]
fn row<'a, T>(row: &'a ndarray::ArrayView1<'_, T>) -> &'a [T] {
    row.as_slice().expect("the entries of a head are contiguous")
}

fn longest(offsets: &[u32]) -> usize {
    offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max().unwrap_or(0)
}
