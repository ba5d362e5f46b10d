//! Long sums, in an order that a vector unit likes.
//!
//! The order of the additions depends on the length alone, so equal terms give equal bits everywhere.
//! Terms are computed a block at a time, in a loop of its own, which becomes vector instructions where a term has no
//! branch.

use crate::scalar::Scalar;

/// How many terms are computed before they are added up.
const BLOCK: usize = 64;
/// Term i is added to partial sum `i mod LANES`.
const LANES: usize = 8;

/// Sum in `f64` of one term for each row of some columns of equal length.
pub(crate) fn sum<T: Scalar, const N: usize>(columns: [&[T]; N], term: impl Fn([T; N]) -> T) -> f64 {
    let len = columns[0].len();
    let mut sum = PartialSums::default();
    for start in (0..len).step_by(BLOCK) {
        let rows = start..len.min(start + BLOCK);
        let columns = columns.map(|column| &column[rows.clone()]);
        let mut terms = [T::zero(); BLOCK];
        for (i, value) in terms[..rows.len()].iter_mut().enumerate() {
            *value = term(columns.map(|column| column[i]));
        }
        sum.add(&terms);
    }
    sum.total()
}

/// Sums in `f64` of the M terms for each row whose `mask` is true; writes what comes with them into `output`.
///
/// A masked row adds nothing, whatever it holds, and its output is zero.
pub(crate) fn masked_sums<T: Scalar, const N: usize, const M: usize>(
    columns: [&[T]; N],
    mask: &[bool],
    output: &mut [T],
    terms: impl Fn([T; N]) -> (T, [T; M]),
) -> [f64; M] {
    let mut sums = [PartialSums::default(); M];
    for (block, output) in output.chunks_mut(BLOCK).enumerate() {
        let rows = block * BLOCK..block * BLOCK + output.len();
        let (columns, mask) = (columns.map(|column| &column[rows.clone()]), &mask[rows.clone()]);
        let mut block_terms = [[T::zero(); BLOCK]; M];
        for (i, output) in output.iter_mut().enumerate() {
            let unless_masked = |value| if mask[i] { value } else { T::zero() };
            let (value, terms) = terms(columns.map(|column| unless_masked(column[i])));
            *output = unless_masked(value);
            for (column, term) in block_terms.iter_mut().zip(terms) {
                column[i] = unless_masked(term);
            }
        }
        for (sum, terms) in sums.iter_mut().zip(&block_terms) {
            sum.add(terms);
        }
    }
    sums.map(PartialSums::total)
}

/// A term that is left at zero adds nothing, which is how a last block may be short.
#[derive(Clone, Copy, Default)]
struct PartialSums([f64; LANES]);

impl PartialSums {
    fn add<T: Scalar>(&mut self, terms: &[T; BLOCK]) {
        for terms in terms.chunks_exact(LANES) {
            for (sum, &term) in self.0.iter_mut().zip(terms) {
                *sum += term.widen();
            }
        }
    }

    fn total(self) -> f64 {
        self.0.into_iter().sum()
    }
}
