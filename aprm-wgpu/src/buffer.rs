use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::GpuError;

/// Numbers, or indices, in the memory of a GPU.
#[derive(Debug)]
pub struct Buffer {
    pub(crate) raw: wgpu::Buffer,
    pub(crate) id: u64,
    pub(crate) len: usize,
    /// Whether it holds weights in bfloat16, two to a word.
    pub(crate) is_packed: bool,
    pub(crate) ledger: Arc<Ledger>,
}

/// What buffers there are.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) next: AtomicU64,
    pub(crate) allocated: AtomicU64,
    pub(crate) peak: AtomicU64,
    /// Buffers that are gone while bindings still name them.
    pub(crate) retired: Mutex<Vec<u64>>,
}

impl Buffer {
    /// # Panics
    /// If fewer than `len` entries are there.
    pub(crate) fn holds(&self, len: usize) -> &Self {
        assert!(len <= self.len, "a buffer of {} entries where {len} are needed", self.len);
        self
    }

    /// # Errors
    /// [`GpuError::Packed`], if it holds weights in bfloat16.
    pub(crate) fn is_not_packed(&self, kernel: &'static str) -> Result<(), GpuError> {
        if self.is_packed { Err(GpuError::Packed { kernel }) } else { Ok(()) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.ledger.allocated.fetch_sub(self.raw.size(), Ordering::Relaxed);
        self.ledger.retired.lock().unwrap_or_else(PoisonError::into_inner).push(self.id);
    }
}
