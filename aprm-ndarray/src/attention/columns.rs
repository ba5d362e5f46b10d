//! Scores as a row for each key and a column for each query of a block: maxima and sums run down the columns.

use std::ops::Range;

use aprm_core::scalar::Scalar;
use ndarray::{ArrayView2, ArrayViewMut2};

use crate::gemm::row;
use crate::tile;

/// Queries that are taken together.
pub(crate) const BLOCK: usize = 32;

/// A row for each key, and a column for each query of a block.
pub(super) type Columns<T> = [[T; BLOCK]];

/// The rows of a block, scaled, as columns; zeros where the block ends early.
#[inline(always)]
pub(super) fn transpose<T: Scalar>(block: &Range<usize>, x: ArrayView2<'_, T>, scale: T, columns: &mut Columns<T>) {
    if block.len() < BLOCK {
        columns.as_flattened_mut().fill(T::zero());
    }
    for (i, r) in block.clone().enumerate() {
        for (column, &x) in columns.iter_mut().zip(row(x, r)) {
            column[i] = x * scale;
        }
    }
}

/// `products_j ← Σ_c x_jc columns_c`.
#[inline(always)]
pub(super) fn multiply<T: Scalar>(x: ArrayView2<'_, T>, columns: &Columns<T>, products: &mut Columns<T>) {
    let mut tiles = products.chunks_exact_mut(tile::ROWS);
    let mut j = 0;
    for products in &mut tiles {
        let x: [&[T]; tile::ROWS] = std::array::from_fn(|r| row(x, j + r));
        multiply_tile(x, columns, products);
        j += tile::ROWS;
    }
    for products in tiles.into_remainder() {
        multiply_tile([row(x, j)], columns, std::slice::from_mut(products));
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
pub(super) fn softmax<T: Scalar>(block: &Range<usize>, scores: &mut Columns<T>) -> ([T; BLOCK], [T; BLOCK]) {
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
#[expect(clippy::needless_range_loop, reason = "i is a column")]
pub(super) fn add_seen<T: Scalar>(
    block: &Range<usize>,
    weights: &Columns<T>,
    x: ArrayView2<'_, T>,
    out: &mut ArrayViewMut2<'_, T>,
) {
    let whole = block.len() / tile::ROWS * tile::ROWS;
    for i in (0..whole).step_by(tile::ROWS) {
        tile::add::<T, { tile::ROWS }>(i, 0..block.start + i + 1, |j| *tile::columns(&weights[j], i), x, out);
        for r in 1..tile::ROWS {
            // One after the other, as if they had been part of the sum before.
            for j in block.start + i + 1..=block.start + i + r {
                tile::add(i + r, j..j + 1, |j| [weights[j][i + r]], x, out);
            }
        }
    }
    for i in whole..block.len() {
        tile::add(i, 0..block.start + i + 1, |j| [weights[j][i]], x, out);
    }
}

/// `out_j ← out_j + Σ_{i ≥ j} weights_ji x_i`, where i runs over the queries of a block.
#[inline(always)]
pub(super) fn add_seeing<T: Scalar>(
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
        tile::add(j, all_see..block.len(), |i| rows.map(|weights| weights[i]), x, out);
        for (r, weights) in rows.into_iter().enumerate() {
            tile::add(j + r, first_seeing(j + r)..all_see, |i| [weights[i]], x, out);
        }
    }
    for (j, weights) in weights[..block.end].iter().enumerate().skip(whole) {
        tile::add(j, first_seeing(j)..block.len(), |i| [weights[i]], x, out);
    }
}
