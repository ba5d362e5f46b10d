use core::ops::Range;

use aprm_core::scalar::Scalar;

/// A buffer of a call, as the host sees it.
#[derive(Clone, Debug)]
pub(super) struct Operand<T> {
    pub(super) data: Vec<T>,
    /// Entries of a row; `None` if all rows share the buffer.
    pub(super) width: Option<usize>,
}

impl<T: Clone> Operand<T> {
    pub(super) fn rows(width: usize, data: Vec<T>) -> Self {
        Self { data, width: Some(width) }
    }

    pub(super) fn shared(data: Vec<T>) -> Self {
        Self { data, width: None }
    }

    /// Where the rows are; all of it if it is shared.
    pub(super) fn place(&self, rows: Range<usize>) -> Range<usize> {
        self.width.map_or(0..self.data.len(), |width| rows.start * width..rows.end * width)
    }

    fn only(&self, rows: Range<usize>) -> Self {
        Self { data: self.data[self.place(rows)].to_vec(), width: self.width }
    }
}

impl<T: Scalar> Operand<T> {
    /// A buffer that is overwritten, whatever it holds.
    pub(super) fn overwritten(rows: usize, width: usize) -> Self {
        Self::rows(width, vec![T::nan(); rows * width])
    }
}

/// What a kernel is called with: inputs, indices, and what the outputs hold before.
#[derive(Clone, Debug)]
pub(super) struct Operands<T, const I: usize, const K: usize, const O: usize> {
    pub(super) inputs: [Operand<T>; I],
    pub(super) indices: [Operand<u32>; K],
    pub(super) outputs: [Operand<T>; O],
}

impl<T: Scalar, const I: usize, const K: usize, const O: usize> Operands<T, I, K, O> {
    /// The same call for some of the rows.
    pub(super) fn only(&self, rows: Range<usize>) -> Self {
        Self {
            inputs: self.inputs.each_ref().map(|operand| operand.only(rows.clone())),
            indices: self.indices.each_ref().map(|operand| operand.only(rows.clone())),
            outputs: self.outputs.each_ref().map(|operand| operand.only(rows.clone())),
        }
    }

    /// The same call with a NaN in a row, once for each operand that has rows and a number in this one.
    pub(super) fn poisoned(&self, row: usize) -> impl Iterator<Item = Self> {
        (0..I + O).filter_map(move |which| {
            let mut poisoned = self.clone();
            let operand = poisoned.inputs.iter_mut().chain(&mut poisoned.outputs).nth(which)?;
            operand.width?;
            let place = operand.place(row..row + 1);
            // Not always the first entry: every operand has the entry of its own.
            let numbers: Vec<usize> = place.filter(|&i| !operand.data[i].is_nan()).collect();
            let entry = *numbers.get((7 * row + 3 * which) % numbers.len().max(1))?;
            operand.data[entry] = T::nan();
            Some(poisoned)
        })
    }
}
