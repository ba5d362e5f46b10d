//! Loops over slices that become vector instructions.
//!
//! The order of additions depends on the length alone.

use aprm_core::scalar::Scalar;

/// How many terms are computed in a loop of their own before they are added up.
const BLOCK: usize = 64;
/// Term i is added to partial sum `i mod LANES`.
const LANES: usize = 16;

/// M sums over the rows of N columns of equal length.
#[inline(always)]
pub(crate) fn sums<T: Scalar, const N: usize, const M: usize>(
    columns: [&[T]; N],
    terms: impl Fn([T; N]) -> [T; M],
) -> [T; M] {
    let len = columns[0].len();
    let whole = len - len % BLOCK;
    let mut partial = [[T::zero(); LANES]; M];
    let mut block = [[T::zero(); BLOCK]; M];
    for start in (0..whole).step_by(BLOCK) {
        let columns: [&[T; BLOCK]; N] =
            columns.map(|column| column[start..start + BLOCK].try_into().expect("a block is as long as a block"));
        for i in 0..BLOCK {
            let terms = terms(columns.map(|column| column[i]));
            for (block, term) in block.iter_mut().zip(terms) {
                block[i] = term;
            }
        }
        for (partial, block) in partial.iter_mut().zip(&block) {
            for terms in block.chunks_exact(LANES) {
                for (partial, &term) in partial.iter_mut().zip(terms) {
                    *partial += term;
                }
            }
        }
    }
    let mut sums = partial.each_ref().map(total);
    for i in whole..len {
        for (sum, term) in sums.iter_mut().zip(terms(columns.map(|column| column[i]))) {
            *sum += term;
        }
    }
    sums
}

/// `Σ_i x_i y_i`.
#[inline(always)]
pub(crate) fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    let (x_blocks, y_blocks) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let (x_rest, y_rest) = (x_blocks.remainder(), y_blocks.remainder());
    let mut partial = [T::zero(); LANES];
    for (x, y) in x_blocks.zip(y_blocks) {
        for i in 0..LANES {
            partial[i] += x[i] * y[i];
        }
    }
    x_rest.iter().zip(y_rest).fold(total(&partial), |sum, (&x, &y)| sum + x * y)
}

/// The square root; taken in `f64` and rounded, it is the nearest number all the same.
#[inline(always)]
pub(crate) fn sqrt<T: Scalar>(x: T) -> T {
    T::of(x.widen().sqrt())
}

/// `y ← α x + y`.
#[inline(always)]
pub(crate) fn axpy<T: Scalar>(alpha: T, x: &[T], y: &mut [T]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += alpha * x;
    }
}

/// The largest entry that is not NaN, −∞ if there is none.
#[inline(always)]
pub(crate) fn max<T: Scalar>(x: &[T]) -> T {
    let larger = |a: T, b: T| if b > a { b } else { a };
    let blocks = x.chunks_exact(LANES);
    let rest = blocks.remainder();
    let mut partial = [T::neg_infinity(); LANES];
    for block in blocks {
        for (partial, &x) in partial.iter_mut().zip(block) {
            *partial = larger(*partial, x);
        }
    }
    partial.into_iter().chain(rest.iter().copied()).fold(T::neg_infinity(), larger)
}

/// The sum of the lanes, by halves.
///
/// Inlined, its last steps would have the compiler work in pairs throughout the loop before it.
#[inline(never)]
fn total<T: Scalar>(lanes: &[T; LANES]) -> T {
    let eight: [T; 8] = std::array::from_fn(|i| lanes[i] + lanes[i + 8]);
    let four: [T; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}
