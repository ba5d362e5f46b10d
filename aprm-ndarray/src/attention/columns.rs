//! Scores as a row for each key and a column for each query of a block: maxima and sums run down the columns.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};
use pulp::Simd;

use crate::gemm::{Tile, VECTORS, add_terms, zeros};
use crate::matrix::{row, rows_mut};
use crate::real::Real;

/// Queries that are taken together.
pub(crate) const BLOCK: usize = 32;

/// An entry for each query of a block, within as few cache lines as can be.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(crate) struct Column<T>(pub(crate) [T; BLOCK]);

/// The rows of a block, scaled, as columns; zeros where the block ends early.
#[inline(always)]
pub(crate) fn transpose<T: Real>(block: &Range<usize>, x: ArrayView2<'_, T>, scale: T, columns: &mut [Column<T>]) {
    if block.len() < BLOCK {
        columns.fill(Column([T::zero(); BLOCK]));
    }
    for (i, r) in block.clone().enumerate() {
        for (column, &x) in columns.iter_mut().zip(row(x, r)) {
            column.0[i] = x * scale;
        }
    }
}

/// `products_j ← Σ_c x_jc columns_c`, R rows at a time.
#[inline(always)]
pub(crate) fn multiply<T: Real, S: Simd, const R: usize>(
    simd: S,
    x: ArrayView2<'_, T>,
    columns: &[Column<T>],
    products: &mut [Column<T>],
) {
    let (width, last) = (VECTORS * T::count::<S>(), x.nrows() - 1);
    for (first_row, products) in (0..).step_by(R).zip(products.chunks_mut(R)) {
        // Where rows are missing, the last is there more than once.
        let mut rows: [&[T]; R] = [&[]; R];
        for (r, entries) in rows.iter_mut().enumerate() {
            *entries = &row(x, last.min(first_row + r))[..columns.len()];
        }
        for first in (0..BLOCK).step_by(width) {
            let mut sums = zeros::<T, S, R, VECTORS>(simd);
            add_terms(
                simd,
                &mut sums,
                0..columns.len(),
                #[inline(always)]
                |r, c| rows[r][c],
                #[inline(always)]
                |c| *registers::<T, S, VECTORS>(&columns[c].0[first..first + width]),
            );
            for (product, sums) in products.iter_mut().zip(sums) {
                T::lanes_mut::<S>(&mut product.0[first..first + width]).copy_from_slice(&sums);
            }
        }
    }
}

/// The first registers of a slice.
#[inline(always)]
fn registers<T: Real, S: Simd, const V: usize>(entries: &[T]) -> &[T::Lanes<S>; V] {
    T::lanes::<S>(entries).first_chunk().expect("a row of a tile is as wide as a tile")
}

/// Replaces scores by `exp(score − max)`, zero for keys that a query does not see, and gives the maxima and the sums.
#[inline(always)]
pub(crate) fn softmax<T: Real>(block: &Range<usize>, scores: &mut [Column<T>]) -> ([T; BLOCK], [T; BLOCK]) {
    for (j, scores) in scores[block.start..].iter_mut().enumerate() {
        scores.0[..j].fill(T::neg_infinity());
    }
    let (mut max, mut sum) = ([T::neg_infinity(); BLOCK], [T::zero(); BLOCK]);
    for scores in scores.iter() {
        for (max, &score) in max.iter_mut().zip(&scores.0) {
            *max = if score > *max { score } else { *max };
        }
    }
    for scores in scores.iter_mut() {
        for (score, &max) in scores.0.iter_mut().zip(&max) {
            *score = (*score - max).exp();
        }
        for (sum, &score) in sum.iter_mut().zip(&scores.0) {
            *sum += score;
        }
    }
    (max, sum)
}

/// `out_i ← Σ_{j ≤ i} weights_ji x_j` for the queries i of a block, R of them at a time.
#[inline(always)]
pub(crate) fn sum_seen<T: Real, S: Simd, const R: usize>(
    simd: S,
    block: &Range<usize>,
    weights: &[Column<T>],
    x: ArrayView2<'_, T>,
    out: &mut ArrayViewMut2<'_, T>,
) {
    for i in (0..block.len()).step_by(R) {
        let rows = i..block.len().min(i + R);
        let all_see = block.start + rows.start + 1;
        let terms = Terms { all: 0..block.start + rows.end, some: all_see..block.start + rows.end };
        sum_rows::<T, S, R>(
            simd,
            terms,
            #[inline(always)]
            |r, j| j < all_see + r,
            #[inline(always)]
            |r, j| weights[j].0[i + r],
            x,
            false,
            rows_mut(out, rows),
        );
    }
}

/// `out_j ← out_j + Σ_{i ≥ j} weights_ji x_i`, where i runs over the queries of a block.
#[inline(always)]
pub(crate) fn add_seeing<T: Real, S: Simd, const R: usize>(
    simd: S,
    block: &Range<usize>,
    weights: &[Column<T>],
    x: ArrayView2<'_, T>,
    out: &mut ArrayViewMut2<'_, T>,
) {
    for j in (0..block.end).step_by(R) {
        let rows = j..block.end.min(j + R);
        let first_seeing = |j: usize| j.saturating_sub(block.start);
        let all_see = first_seeing(rows.end - 1);
        let terms = Terms { all: first_seeing(j)..block.len(), some: first_seeing(j)..all_see };
        // Where rows are missing, the last is there more than once.
        let mut weights_of = [&weights[j].0; R];
        for (r, weights_of) in weights_of.iter_mut().enumerate() {
            *weights_of = &weights[(rows.end - 1).min(j + r)].0;
        }
        sum_rows::<T, S, R>(
            simd,
            terms,
            #[inline(always)]
            |r, i| first_seeing(j + r) <= i,
            #[inline(always)]
            |r, i| weights_of[r][i],
            x,
            true,
            rows_mut(out, rows),
        );
    }
}

/// The terms of a sum over rows, and those among them that not all sums have.
#[derive(Clone)]
struct Terms {
    all: Range<usize>,
    some: Range<usize>,
}

/// `Σ_k weight(r, k) x_k` over the terms that sum r has, in their order, for the rows of `out`, which are R at most.
#[inline(always)]
fn sum_rows<T: Real, S: Simd, const R: usize>(
    simd: S,
    terms: Terms,
    has: impl Fn(usize, usize) -> bool + Copy,
    weight: impl Fn(usize, usize) -> T + Copy,
    x: ArrayView2<'_, T>,
    accumulate: bool,
    mut out: ArrayViewMut2<'_, T>,
) {
    let lanes = T::count::<S>();
    let mut first = 0;
    while x.ncols() - first >= VECTORS * lanes {
        let end = first + VECTORS * lanes;
        let sums = sum_tile::<T, S, R, VECTORS>(
            simd,
            &terms,
            has,
            weight,
            #[inline(always)]
            |k| *registers::<T, S, VECTORS>(&row(x, k)[first..end]),
        );
        for (r, sums) in sums.into_iter().enumerate().take(out.nrows()) {
            let mut out = out.row_mut(r);
            let out = &mut out.as_slice_mut().expect("the entries of a head are contiguous")[first..end];
            for (out, sum) in T::lanes_mut::<S>(out).iter_mut().zip(sums) {
                *out = if accumulate { T::plus(simd, *out, sum) } else { sum };
            }
        }
        first = end;
    }
    while x.ncols() > first {
        let end = x.ncols().min(first + lanes);
        let sums = sum_tile::<T, S, R, 1>(
            simd,
            &terms,
            has,
            weight,
            #[inline(always)]
            |k| [T::load(simd, &row(x, k)[first..end])],
        );
        for (r, [sum]) in sums.into_iter().enumerate().take(out.nrows()) {
            let mut out = out.row_mut(r);
            let out = &mut out.as_slice_mut().expect("the entries of a head are contiguous")[first..end];
            let sum = if accumulate { T::plus(simd, T::load(simd, out), sum) } else { sum };
            T::store(simd, out, sum);
        }
        first = end;
    }
}

#[inline(always)]
fn sum_tile<T: Real, S: Simd, const R: usize, const V: usize>(
    simd: S,
    Terms { all, some }: &Terms,
    has: impl Fn(usize, usize) -> bool,
    weight: impl Fn(usize, usize) -> T + Copy,
    x: impl Fn(usize) -> [T::Lanes<S>; V] + Copy,
) -> Tile<T, S, R, V> {
    let mut sums = zeros::<T, S, R, V>(simd);
    if some.is_empty() {
        add_terms(simd, &mut sums, all.clone(), weight, x);
        return sums;
    }
    add_terms(simd, &mut sums, all.start..some.start, weight, x);
    for k in some.clone() {
        let mut more = sums;
        add_terms(simd, &mut more, k..k + 1, weight, x);
        for (r, (sums, more)) in sums.iter_mut().zip(more).enumerate() {
            if has(r, k) {
                *sums = more;
            }
        }
    }
    add_terms(simd, &mut sums, some.end..all.end, weight, x);
    sums
}
