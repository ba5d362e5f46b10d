//! Work in parallel, with results that do not depend on the number of threads.
//!
//! Work is halved until a piece is small, and each piece writes to its own part of the outputs.
//! Where a piece ends depends on the sizes alone.
//! Every piece runs with the widest vector instructions that the processor has.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Outputs that two threads can share by taking a part each.
pub(crate) trait Split: Send + Sized {
    /// The first `mid` items, and the rest.
    fn split(self, mid: usize) -> (Self, Self);
}

/// Rows of equal width; the last may be shorter.
pub(crate) struct Rows<'a, T> {
    pub(crate) entries: &'a mut [T],
    pub(crate) width: usize,
}

impl<'a, T> Rows<'a, T> {
    pub(crate) fn new(entries: &'a mut [T], width: usize) -> Self {
        Self { entries, width }
    }

    #[inline(always)]
    pub(crate) fn iter(self) -> std::slice::ChunksMut<'a, T> {
        self.entries.chunks_mut(self.width.max(1))
    }
}

impl<T: Send> Split for Rows<'_, T> {
    fn split(self, mid: usize) -> (Self, Self) {
        let (head, tail) = self.entries.split_at_mut((mid * self.width).min(self.entries.len()));
        (Self::new(head, self.width), Self::new(tail, self.width))
    }
}

impl<A: Split, B: Split> Split for (A, B) {
    fn split(self, mid: usize) -> (Self, Self) {
        let ((a, more_a), (b, more_b)) = (self.0.split(mid), self.1.split(mid));
        ((a, b), (more_a, more_b))
    }
}

/// Calls `kernel` with the items `0 .. items` in ranges of at most `grain`, and with each range's part of the outputs.
///
/// The kernel and what it calls must be `#[inline(always)]` to be compiled for the processor at hand.
pub(crate) fn for_each_range<S: Split>(
    items: usize,
    grain: usize,
    outputs: S,
    kernel: impl Fn(Range<usize>, S) + Sync,
) {
    if items > 0 {
        halve(0..items, grain.max(1), outputs, &kernel);
    }
}

fn halve<S: Split, F: Fn(Range<usize>, S) + Sync>(items: Range<usize>, grain: usize, outputs: S, kernel: &F) {
    if items.len() <= grain {
        return pulp::Arch::new().dispatch(
            #[inline(always)]
            || kernel(items, outputs),
        );
    }
    let half = items.len().div_ceil(grain).div_ceil(2) * grain;
    let (head, tail) = outputs.split(half);
    let mid = items.start + half;
    rayon::join(|| halve(items.start..mid, grain, head, kernel), || halve(mid..items.end, grain, tail, kernel));
}

/// How many threads work at once.
pub(crate) fn count() -> usize {
    rayon::current_num_threads()
}

/// Memory for intermediate results, a piece for each thread, which grows on demand and is kept.
#[derive(Debug, Default)]
pub(crate) struct Workspaces<T>(Vec<Mutex<Vec<T>>>);

impl<T: Clone + Default> Workspaces<T> {
    /// Makes room for `len` entries for each thread.
    pub(crate) fn reserve(&mut self, len: usize) -> &Self {
        if self.0.len() < count() {
            self.0.resize_with(count(), Mutex::default);
        }
        for workspace in &mut self.0 {
            grow(workspace.get_mut().unwrap_or_else(PoisonError::into_inner), len);
        }
        self
    }

    /// Lends the calling thread its piece; what it holds means nothing.
    #[inline(always)]
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut [T]) -> R) -> R {
        let thread = rayon::current_thread_index().unwrap_or(0);
        work(&mut self.0[thread].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The first `len` entries of a buffer that grows if it must.
pub(crate) fn grow<T: Clone + Default>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    if buffer.len() < len {
        buffer.resize(len, T::default());
    }
    &mut buffer[..len]
}
