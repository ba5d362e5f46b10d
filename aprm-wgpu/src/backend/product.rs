//! The grid of a product, and what precedes one of cooperative matrices.

use super::{FULL, Gpu, word};
use crate::GpuError;
use crate::buffer::Buffer;
use crate::kernel::{Form, Kernel};
use crate::matrices::{BLOCK as BLOCK_OF_TILES, Matrices};

/// The side of a block of `product.wgsl`.
const BLOCK: usize = 64;
/// The side of a block of `product.small.wgsl`, and of `product.large.wgsl`.
const SMALL_BLOCK: usize = 32;
const LARGE_BLOCK: usize = 128;
/// Parts that `largest.wgsl` cuts an operand into.
const PARTS_OF_OPERAND: usize = 256;
/// Entries that a workgroup of `tiles.wgsl` makes.
const ENTRIES_OF_TILES: usize = 1024;

/// What products of cooperative matrices need besides their operands, kept from one to the next.
#[derive(Debug)]
pub(super) struct Tiles {
    /// What `largest.wgsl` and `powers.wgsl` find.
    largest: Buffer,
    powers: Buffer,
    /// What `tiles.wgsl` makes of both operands.
    operands: [Buffer; 2],
}

/// One side of a product.
pub(super) struct Operand<'a> {
    pub(super) buffer: &'a Buffer,
    /// The rows, or columns, that it gives the product, and the terms of which each entry is the sum.
    pub(super) shape: [usize; 2],
    /// Whether its entries beside each other are terms.
    pub(super) along_k: bool,
}

impl Gpu {
    /// The side of the blocks that most products have.
    pub(super) fn block(&self) -> usize {
        self.queue.matrices().map_or(BLOCK, |matrices| BLOCK_OF_TILES * matrices.side as usize)
    }

    /// Records a product of so many rows and columns in so many parts; the buffers are two operands, of which the
    /// right may be weights, and the `rest`.
    pub(super) fn product(
        &mut self,
        kernel: Kernel,
        operands: [Operand<'_>; 2],
        rest: &[&Buffer],
        words: &[u32],
        [rows, columns, parts]: [usize; 3],
    ) -> Result<(), GpuError> {
        let [left, right] =
            operands.each_ref().map(|Operand { buffer, shape, .. }| buffer.holds(shape.iter().product()));
        left.is_not_packed(kernel.shader().name)?;
        if rows * columns == 0 {
            return Ok(());
        }
        self.queue.expect(2 * operands[0].shape[1] as u64 * rows as u64 * columns as u64);
        let grid = |side| [word(columns.div_ceil(side)), word(rows.div_ceil(side)), word(parts)];
        if let Some(matrices) = self.queue.matrices() {
            let tiles = self.tiles(matrices, operands)?;
            let mut buffers = tiles.operands.each_ref().to_vec();
            buffers.extend(rest);
            buffers.push(&tiles.powers);
            self.queue.dispatch((kernel, Form::Only), &buffers, words, grid(self.block()))?;
            self.tiles = Some(tiles);
            return Ok(());
        }
        let mut buffers = vec![left, right];
        buffers.extend(rest);
        let blocks = |side| columns.div_ceil(side) * rows.div_ceil(side) * parts;
        let (form, side) = if blocks(LARGE_BLOCK) >= FULL {
            (Form::Large, LARGE_BLOCK)
        } else if blocks(BLOCK) >= FULL / 2 {
            (Form::Only, BLOCK)
        } else {
            (Form::Small, SMALL_BLOCK)
        };
        self.queue.dispatch((kernel, form), &buffers, words, grid(side))
    }

    /// Records what makes tiles of operands; the buffers are taken out, to be put back.
    fn tiles(&mut self, matrices: Matrices, operands: [Operand<'_>; 2]) -> Result<Tiles, GpuError> {
        let side = matrices.side as usize;
        let entries = operands.each_ref().map(|operand| {
            let [down, across] = operand.shape.map(|len| len.div_ceil(side));
            down * across * side * side
        });
        let mut allocate = |len| self.queue.allocate(len);
        let tiles = match self.tiles.take() {
            None => Tiles {
                largest: allocate(2 * PARTS_OF_OPERAND)?,
                powers: allocate(3)?,
                operands: [allocate(entries[0] / 2)?, allocate(entries[1] / 2)?],
            },
            Some(mut tiles) => {
                for (buffer, entries) in tiles.operands.iter_mut().zip(entries) {
                    if buffer.len < entries / 2 {
                        *buffer = allocate(entries / 2)?;
                    }
                }
                tiles
            }
        };
        let [left, right] = operands.each_ref().map(|operand| operand.buffer);
        let lens = operands.each_ref().map(|operand| word(operand.shape.iter().product()));
        let parts_of_both = [word(PARTS_OF_OPERAND), 2, 1];
        self.queue.dispatch((Kernel::Largest, Form::Only), &[left, right, &tiles.largest], &lens, parts_of_both)?;
        self.queue.dispatch((Kernel::Powers, Form::Only), &[&tiles.largest, &tiles.powers], &[], [2, 1, 1])?;
        for (i, Operand { buffer, shape: [rows, terms], along_k }) in operands.into_iter().enumerate() {
            let buffers = [&tiles.powers, buffer, &tiles.operands[i]];
            let words = [word(rows), word(terms), along_k.into(), word(i)];
            self.queue.dispatch_folded(Kernel::Tiles, &buffers, &words, entries[i].div_ceil(ENTRIES_OF_TILES))?;
        }
        Ok(tiles)
    }
}
