//! The grid of a product, and what precedes one of cooperative matrices.

use super::{FULL, Gpu, word};
use crate::GpuError;
use crate::buffer::Buffer;
use crate::kernel::{Form, Kernel};
use crate::matrices::Matrices;

/// The side of a block of `product.wgsl`.
const BLOCK: usize = 64;
/// The side of a block of `product.small.wgsl`, and of `product.large.wgsl`.
const SMALL_BLOCK: usize = 32;
const LARGE_BLOCK: usize = 128;
/// Parts that `largest.wgsl` cuts an operand into.
const PARTS_OF_OPERAND: usize = 1024;
/// Rows of matrices that a subgroup has, and fewer where blocks of these would be few.
pub(crate) const PATCH_ROWS: [u32; 2] = [4, 2];
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

impl Operand<'_> {
    fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The words of its tiles, with two entries each.
    fn words_of_tiles(&self, side: usize) -> usize {
        let tiles: usize = self.shape.iter().map(|len| len.div_ceil(side)).product();
        tiles * side * side / 2
    }
}

impl Gpu {
    /// The side of the blocks that most products have.
    pub(super) fn block(&self) -> usize {
        self.queue.matrices().map_or(BLOCK, |matrices| matrices.block(PATCH_ROWS[0])[0])
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
        let mut buffers: Vec<_> = operands.iter().map(|operand| operand.buffer.holds(operand.len())).collect();
        buffers[0].is_not_packed(kernel.shader().name)?;
        if rows * columns == 0 {
            return Ok(());
        }
        self.queue.expect(2 * operands[0].shape[1] as u64 * rows as u64 * columns as u64);
        let blocks = |[down, across]: [usize; 2]| [rows.div_ceil(down), columns.div_ceil(across)];
        // As `block_index.wgsl` reads it.
        let grid = |block| {
            let [down, across] = blocks(block).map(word);
            if columns > rows { [down, across, word(parts)] } else { [across, down, word(parts)] }
        };
        let are_enough = |block| blocks(block).iter().product::<usize>() * parts >= FULL / 2;
        if let Some(matrices) = self.queue.matrices().filter(|&matrices| self.have_room(matrices, &operands)) {
            let [many, few] = PATCH_ROWS;
            let fitting = if are_enough(matrices.block(many)) { many } else { few };
            let patch_rows = self.patch_rows.unwrap_or(fitting);
            let tiles = self.tiles(matrices, operands)?;
            buffers = tiles.operands.each_ref().to_vec();
            buffers.extend(rest);
            buffers.push(&tiles.powers);
            let block = matrices.block(patch_rows);
            self.queue.dispatch((kernel, Form::Matrices(patch_rows)), &buffers, words, grid(block))?;
            self.tiles = Some(tiles);
            return Ok(());
        }
        buffers.extend(rest);
        let (form, side) = if blocks([LARGE_BLOCK; 2]).iter().product::<usize>() >= FULL {
            (Form::Large, LARGE_BLOCK)
        } else if are_enough([BLOCK; 2]) {
            (Form::Only, BLOCK)
        } else {
            (Form::Small, SMALL_BLOCK)
        };
        self.queue.dispatch((kernel, form), &buffers, words, grid([side; 2]))
    }

    /// Whether tiles of these operands can be bound, as they cannot of the largest packed weights.
    fn have_room(&self, matrices: Matrices, operands: &[Operand<'_>; 2]) -> bool {
        let bytes = |operand: &Operand<'_>| 4 * operand.words_of_tiles(matrices.side as usize) as u64;
        operands.iter().all(|operand| bytes(operand) <= self.queue.binding_size())
    }

    /// Records what makes tiles of operands; the buffers are taken out, to be put back.
    fn tiles(&mut self, matrices: Matrices, operands: [Operand<'_>; 2]) -> Result<Tiles, GpuError> {
        let words = operands.each_ref().map(|operand| operand.words_of_tiles(matrices.side as usize));
        let mut tiles = match self.tiles.take() {
            Some(tiles) => tiles,
            None => Tiles {
                largest: self.queue.allocate(2 * PARTS_OF_OPERAND)?,
                powers: self.queue.allocate(3)?,
                operands: [self.queue.allocate(0)?, self.queue.allocate(0)?],
            },
        };
        for (buffer, words) in tiles.operands.iter_mut().zip(words) {
            if buffer.len < words {
                // With some room, so that batches that grow a little need no others; the old ones go first.
                let most = (self.queue.binding_size() / 4) as usize;
                *buffer = self.queue.allocate(0)?;
                *buffer = self.queue.allocate((words + words / 8).min(most))?;
            }
        }
        let [left, right] = operands.each_ref().map(|operand| operand.buffer);
        let lens = operands.each_ref().map(|operand| word(operand.len()));
        let parts_of_both = [word(PARTS_OF_OPERAND), 2, 1];
        self.queue.dispatch((Kernel::Largest, Form::Only), &[left, right, &tiles.largest], &lens, parts_of_both)?;
        self.queue.dispatch((Kernel::Powers, Form::Only), &[&tiles.largest, &tiles.powers], &[], [2, 1, 1])?;
        for (i, Operand { buffer, shape: [rows, terms], along_k }) in operands.into_iter().enumerate() {
            let buffers = [&tiles.powers, buffer, &tiles.operands[i]];
            let dims = [word(rows), word(terms), along_k.into(), word(i)];
            self.queue.dispatch_folded(Kernel::Tiles, &buffers, &dims, (2 * words[i]).div_ceil(ENTRIES_OF_TILES))?;
        }
        Ok(tiles)
    }
}
