//! Causal attention over a ragged batch.
//!
//! A block of queries meets all keys that it sees, one head after the other.
//! Scores are kept as a row for each key and a column for each query of the block, so that maxima and sums run down the
//! columns, and each sum is taken in the order of the keys.
//! Blocks begin at the first row of a sequence, and no row that a query does not see is multiplied, even by zero: a row's
//! bits depend on the rows before it alone.

use std::ops::Range;

use aprm_core::backend::AttentionDims;
use aprm_core::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2, ArrayViewMut3, Axis};

use crate::gemm::{matrix, matrix_mut, rows, rows_mut};
use crate::lanes;
use crate::threads::{self, Rows, Split, Workspaces};
use crate::tile;

/// Queries that are taken together.
pub(crate) const BLOCK: usize = 32;

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
                            multiply_columns(keys, block_queries, scores);
                            let (max, sum) = softmax_columns(&block, scores);
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
        multiply_columns(keys, transposed, probs);
        transpose(&block, grad_out, T::one(), transposed);
        multiply_columns(values, transposed, grad_scores);
        let (mut lse, mut d) = ([T::zero(); BLOCK], [T::zero(); BLOCK]);
        for (i, r) in block.clone().enumerate() {
            lse[i] = log_sum_exp[[r, 0]];
            d[i] = lanes::dot(row(&out, r), row(&grad_out, r));
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
        add_seeing(&block, grad_scores, rows(&queries, block.clone()), grad_keys);
        add_seeing(&block, probs, rows(&grad_out, block.clone()), grad_values);
    }
}

/// A row for each key, and a column for each query of a block.
type Columns<T> = [[T; BLOCK]];

/// The rows of a block, scaled, as columns; zeros where the block ends early.
#[inline(always)]
fn transpose<T: Scalar>(block: &Range<usize>, x: ArrayView2<'_, T>, scale: T, columns: &mut Columns<T>) {
    if block.len() < BLOCK {
        columns.as_flattened_mut().fill(T::zero());
    }
    for (i, r) in block.clone().enumerate() {
        for (column, &x) in columns.iter_mut().zip(row(&x, r)) {
            column[i] = x * scale;
        }
    }
}

/// `products_j ← Σ_c x_jc columns_c`.
#[inline(always)]
fn multiply_columns<T: Scalar>(x: ArrayView2<'_, T>, columns: &Columns<T>, products: &mut Columns<T>) {
    let mut tiles = products.chunks_exact_mut(tile::ROWS);
    let mut j = 0;
    for products in &mut tiles {
        let x: [&[T]; tile::ROWS] = std::array::from_fn(|r| row(&x, j + r));
        multiply_tile(x, columns, products);
        j += tile::ROWS;
    }
    for products in tiles.into_remainder() {
        multiply_tile([row(&x, j)], columns, std::slice::from_mut(products));
        j += 1;
    }
}

#[inline(always)]
fn multiply_tile<T: Scalar, const R: usize>(x: [&[T]; R], columns: &Columns<T>, products: &mut Columns<T>) {
    let x = x.map(|x| &x[..columns.len()]);
    for first in (0..BLOCK).step_by(tile::COLUMNS) {
        let product = tile::product::<T, R, { tile::COLUMNS }>(
            0..columns.len(),
            #[inline(always)]
            |c| (x.map(|x| x[c]), tile::columns(&columns[c], first)),
        );
        for (products, product) in products.iter_mut().zip(product) {
            products[first..first + tile::COLUMNS].copy_from_slice(&product);
        }
    }
}

/// Replaces scores by `exp(score − max)`, zero for keys that a query does not see, and gives the maxima and the sums.
#[inline(always)]
fn softmax_columns<T: Scalar>(block: &Range<usize>, scores: &mut Columns<T>) -> ([T; BLOCK], [T; BLOCK]) {
    for (j, scores) in scores[block.start..].iter_mut().enumerate() {
        scores[..j].fill(T::neg_infinity());
    }
    let (mut max, mut sum) = ([T::neg_infinity(); BLOCK], [T::zero(); BLOCK]);
    for scores in scores.iter() {
        for (max, &score) in max.iter_mut().zip(scores) {
            *max = if score > *max { score } else { *max };
        }
    }
    for scores in scores.iter_mut() {
        for (score, &max) in scores.iter_mut().zip(&max) {
            *score = (*score - max).exp();
        }
        for (sum, &score) in sum.iter_mut().zip(scores.iter()) {
            *sum += score;
        }
    }
    (max, sum)
}

/// `out_i ← out_i + Σ_{j ≤ i} weights_ji x_j` for the queries i of a block.
#[inline(always)]
fn add_seen<T: Scalar>(
    block: &Range<usize>,
    weights: &Columns<T>,
    x: ArrayView2<'_, T>,
    out: &mut ArrayViewMut2<'_, T>,
) {
    let whole = block.len() / tile::ROWS * tile::ROWS;
    for i in (0..whole).step_by(tile::ROWS) {
        add_tile::<T, { tile::ROWS }>(i, 0..block.start + i + 1, |j| *tile::columns(&weights[j], i), x, out);
        for r in 1..tile::ROWS {
            add_tile::<T, 1>(i + r, block.start + i + 1..block.start + i + r + 1, |j| [weights[j][i + r]], x, out);
        }
    }
    for i in whole..block.len() {
        add_tile::<T, 1>(i, 0..block.start + i + 1, |j| [weights[j][i]], x, out);
    }
}

/// `out_j ← out_j + Σ_{i ≥ j} weights_ji x_i`, where i runs over the queries of a block.
#[inline(always)]
fn add_seeing<T: Scalar>(
    block: &Range<usize>,
    weights: &Columns<T>,
    x: ArrayView2<'_, T>,
    out: &mut ArrayViewMut2<'_, T>,
) {
    let whole = block.end / tile::ROWS * tile::ROWS;
    let first_seeing = |j: usize| j.saturating_sub(block.start);
    for j in (0..whole).step_by(tile::ROWS) {
        let rows: [&[T; BLOCK]; tile::ROWS] = std::array::from_fn(|r| &weights[j + r]);
        let all_see = first_seeing(j + tile::ROWS - 1);
        add_tile(j, all_see..block.len(), |i| rows.map(|weights| weights[i]), x, out);
        for (r, weights) in rows.into_iter().enumerate() {
            add_tile(j + r, first_seeing(j + r)..all_see, |i| [weights[i]], x, out);
        }
    }
    for j in whole..block.end {
        add_tile(j, first_seeing(j)..block.len(), |i| [weights[j][i]], x, out);
    }
}

/// `out_{first + r} ← out_{first + r} + Σ_k weights(k)_r x_k`, in tiles as wide as the columns allow.
#[inline(always)]
pub(crate) fn add_tile<T: Scalar, const R: usize>(
    first: usize,
    terms: Range<usize>,
    weights: impl Fn(usize) -> [T; R],
    x: ArrayView2<'_, T>,
    out: &mut ArrayViewMut2<'_, T>,
) {
    if x.ncols() % tile::COLUMNS == 0 {
        add_tile_of::<T, R, { tile::COLUMNS }>(first, terms, weights, x, out);
    } else if x.ncols() % (tile::COLUMNS / 2) == 0 {
        add_tile_of::<T, R, { tile::COLUMNS / 2 }>(first, terms, weights, x, out);
    } else {
        add_tile_of::<T, R, 1>(first, terms, weights, x, out);
    }
}

#[inline(always)]
fn add_tile_of<T: Scalar, const R: usize, const C: usize>(
    first: usize,
    terms: Range<usize>,
    weights: impl Fn(usize) -> [T; R],
    x: ArrayView2<'_, T>,
    out: &mut ArrayViewMut2<'_, T>,
) {
    for column in (0..x.ncols()).step_by(C) {
        let sums = tile::product::<T, R, C>(
            terms.clone(),
            #[inline(always)]
            |k| (weights(k), tile::columns(row(&x, k), column)),
        );
        for (r, sums) in sums.into_iter().enumerate() {
            let mut out = out.row_mut(first + r);
            let out = out.as_slice_mut().expect("the entries of a head are contiguous");
            for (out, sum) in out[column..column + C].iter_mut().zip(sums) {
                *out += sum;
            }
        }
    }
}

#[inline(always)]
fn row<'a, T>(x: &ArrayView2<'a, T>, r: usize) -> &'a [T] {
    x.clone().index_axis_move(Axis(0), r).to_slice().expect("the entries of a head are contiguous")
}

fn longest(offsets: &[u32]) -> usize {
    offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize).max().unwrap_or(0)
}
