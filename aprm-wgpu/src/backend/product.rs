//! The grid of a product, and what precedes one of cooperative matrices.

use super::{FULL, Gpu, word};
use crate::GpuError;
use crate::buffer::Buffer;
use crate::kernel::{Form, Kernel, Tier};

/// The side of a block of `product.wgsl` and of `matrices.wgsl`.
pub(super) const BLOCK: usize = 64;
/// The side of a block of `product.large.wgsl`.
const LARGE_BLOCK: usize = 128;
/// Parts that `largest.wgsl` cuts an operand into.
const PARTS_OF_OPERAND: usize = 256;

impl Gpu {
    /// Records a product of so many rows and columns in so many parts; the buffers are two operands, with their
    /// lengths, and the `rest`.
    pub(super) fn product(
        &mut self,
        kernel: Kernel,
        [(left, left_len), (right, right_len)]: [(&Buffer, usize); 2],
        rest: &[&Buffer],
        words: &[u32],
        [rows, columns, parts]: [usize; 3],
    ) -> Result<(), GpuError> {
        let mut buffers = vec![left.holds(left_len), right.holds(right_len)];
        buffers.extend(rest);
        if rows * columns == 0 {
            return Ok(());
        }
        self.queue.expect(2 * left_len as u64 * columns as u64);
        let grid = |side| [word(columns.div_ceil(side)), word(rows.div_ceil(side)), word(parts)];
        if self.tier() < Tier::Matrices {
            let is_large = columns.div_ceil(LARGE_BLOCK) * rows.div_ceil(LARGE_BLOCK) >= FULL;
            let (form, side) = if is_large { (Form::Large, LARGE_BLOCK) } else { (Form::Only, BLOCK) };
            return self.queue.dispatch((kernel, form), &buffers, words, grid(side));
        }
        let [largest, powers] = match self.powers.take() {
            Some(powers) => powers,
            None => [self.queue.allocate(2 * PARTS_OF_OPERAND)?, self.queue.allocate(3)?],
        };
        let lens = [word(left_len), word(right_len)];
        let parts_of_both = [word(PARTS_OF_OPERAND), 2, 1];
        self.queue.dispatch((Kernel::Largest, Form::Only), &[left, right, &largest], &lens, parts_of_both)?;
        self.queue.dispatch((Kernel::Powers, Form::Only), &[&largest, &powers], &[], [2, 1, 1])?;
        buffers.push(&powers);
        self.queue.dispatch((kernel, Form::Only), &buffers, words, grid(BLOCK))?;
        self.powers = Some([largest, powers]);
        Ok(())
    }
}
