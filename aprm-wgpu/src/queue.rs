//! What is recorded for a device, and when the device gets it.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wgpu::util::StagingBelt;

use crate::GpuError;
use crate::buffer::{Buffer, Ledger};
use crate::kernel::{Form, IMMEDIATE_SIZE, Kernel, Means, Pipelines, Tier, WEIGHTS};
use crate::matrices::Matrices;

/// Dispatches that are handed over together: enough to keep a device busy while more are recorded.
const DISPATCHES_OF_A_SUBMISSION: usize = 128;

/// Operations of products that are handed over together: half a second's on a device of 0.3 TFLOP/s, whose driver would
/// take it for hung after two.
const OPERATIONS_OF_A_SUBMISSION: u64 = 1 << 37;

/// Workgroups in one dimension of a grid, on any device.
const MOST_WORKGROUPS: usize = 65_535;

/// The largest write that goes through staging memory of its own accord.
const STAGED_BYTES: u64 = 1 << 20;

/// The most bytes of larger writes that may wait in memory of the device's choice, and that are read at once.
const BYTES_UNDER_WAY: u64 = 1 << 26;

/// What a device was given to do so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Kernels.
    pub dispatches: u64,
    /// Groups of commands that they were handed over in.
    pub submissions: u64,
    /// Times that the host waited to read.
    pub reads: u64,
    /// Bytes that the host wrote.
    pub bytes_written: u64,
    /// Bytes that the host read.
    pub bytes_read: u64,
    /// The time that the host took to record and hand over.
    pub recording: Duration,
    /// The most bytes that buffers took at once.
    pub peak_bytes: u64,
}

/// Bindings are made once for the same kernel on the same buffers.
type Bindings = (Kernel, Form, [u64; 8]);

struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    immediates: [u8; IMMEDIATE_SIZE as usize],
    len: usize,
    grid: [u32; 3],
}

/// A device and its queue of commands.
pub(crate) struct Queue {
    adapter: String,
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipelines: Pipelines,
    bindings: HashMap<Bindings, wgpu::BindGroup>,
    binding_size: u64,
    encoder: Option<wgpu::CommandEncoder>,
    dispatches: Vec<Dispatch>,
    recorded: usize,
    operations: u64,
    belt: StagingBelt,
    /// Bytes of large writes since the last submission.
    unsubmitted: u64,
    read_back: Option<wgpu::Buffer>,
    ledger: Arc<Ledger>,
    fault: Arc<Mutex<Option<GpuError>>>,
    work: Work,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("adapter", &self.adapter).field("work", &self.work).finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    pub(crate) fn new(
        adapter: String,
        device: wgpu::Device,
        queue: wgpu::Queue,
        means: Means,
        binding_size: u64,
    ) -> Self {
        let (fault, ledger) = (Arc::new(Mutex::new(None)), Arc::<Ledger>::default());
        let (first, of_ledger, name) = (fault.clone(), ledger.clone(), adapter.clone());
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            locked(&first).get_or_insert_with(|| match error {
                wgpu::Error::OutOfMemory { .. } => {
                    let allocated = of_ledger.allocated.load(Ordering::Relaxed);
                    GpuError::OutOfMemory { adapter: name.clone(), bytes: 0, allocated }
                }
                error => GpuError::Validation(error.to_string()),
            });
        }));
        let lost = fault.clone();
        device.set_device_lost_callback(move |reason, message| {
            // A device that is dropped calls itself lost.
            if reason != wgpu::DeviceLostReason::Destroyed || !message.contains("dropped") {
                *locked(&lost) = Some(GpuError::Lost(message));
            }
        });
        Self {
            belt: StagingBelt::new(device.clone(), STAGED_BYTES),
            adapter,
            device,
            queue,
            pipelines: Pipelines::new(means),
            bindings: HashMap::new(),
            binding_size,
            encoder: None,
            dispatches: Vec::new(),
            recorded: 0,
            operations: 0,
            unsubmitted: 0,
            read_back: None,
            ledger,
            fault,
            work: Work::default(),
        }
    }

    pub(crate) fn adapter(&self) -> &str {
        &self.adapter
    }

    pub(crate) fn tier(&self) -> Tier {
        self.pipelines.tier()
    }

    pub(crate) fn matrices(&self) -> Option<Matrices> {
        self.pipelines.matrices()
    }

    /// The most bytes that can be bound at once.
    pub(crate) fn binding_size(&self) -> u64 {
        self.binding_size
    }

    pub(crate) fn work(&self) -> Work {
        Work { peak_bytes: self.ledger.peak.load(Ordering::Relaxed), ..self.work }
    }

    pub(crate) fn destroy(&self) {
        self.device.destroy();
    }

    fn check(&self) -> Result<(), GpuError> {
        if matches!(*locked(&self.fault), Some(GpuError::Validation(_))) {
            // A device that is lost refuses commands before it says that it is: that is said in a poll.
            let _ = self.device.poll(wgpu::PollType::Poll);
        }
        locked(&self.fault).clone().map_or(Ok(()), Err)
    }

    // ---- memory ----

    /// A buffer of zeros; one that is empty has room for an entry all the same, since nothing else can be bound.
    pub(crate) fn allocate(&mut self, len: usize) -> Result<Buffer, GpuError> {
        self.check()?;
        let bytes = 4 * len.max(1) as u64;
        if bytes > self.binding_size {
            let (adapter, limit) = (self.adapter.clone(), self.binding_size);
            return Err(GpuError::TooLarge { adapter, bytes, limit });
        }
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let raw = match self.create("numbers", bytes, usage) {
            Err(GpuError::OutOfMemory { .. }) => {
                // Bindings and commands that are under way may hold memory whose buffers are gone.
                self.submit()?;
                self.device
                    .poll(wgpu::PollType::wait_indefinitely())
                    .map_err(|error| GpuError::Lost(error.to_string()))?;
                self.create("numbers", bytes, usage)?
            }
            created => created?,
        };
        let allocated = self.ledger.allocated.fetch_add(raw.size(), Ordering::Relaxed) + raw.size();
        self.ledger.peak.fetch_max(allocated, Ordering::Relaxed);
        let id = 1 + self.ledger.next.fetch_add(1, Ordering::Relaxed);
        Ok(Buffer { raw, id, len, is_packed: false, ledger: self.ledger.clone() })
    }

    fn create(&self, label: &str, size: u64, usage: wgpu::BufferUsages) -> Result<wgpu::Buffer, GpuError> {
        let out_of_memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let descriptor = wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
        let buffer = self.device.create_buffer(&descriptor);
        match pollster::block_on(out_of_memory.pop()) {
            None => Ok(buffer),
            Some(_) => Err(GpuError::OutOfMemory {
                adapter: self.adapter.clone(),
                bytes: size,
                allocated: self.ledger.allocated.load(Ordering::Relaxed),
            }),
        }
    }

    /// Writes after all that is recorded, and before all that will be.
    pub(crate) fn write(&mut self, bytes: &[u8], buffer: &Buffer, start: usize) -> Result<(), GpuError> {
        let Some(size) = wgpu::BufferSize::new(bytes.len() as u64) else { return Ok(()) };
        let begun = Instant::now();
        if size.get() > STAGED_BYTES {
            self.submit()?;
            self.queue.write_buffer(&buffer.raw, 4 * start as u64, bytes);
            self.unsubmitted += size.get();
            if self.unsubmitted > BYTES_UNDER_WAY {
                self.unsubmitted = 0;
                self.queue.submit([]);
            }
        } else {
            self.encode();
            let encoder = self.encoder.get_or_insert_with(|| self.device.create_command_encoder(&Default::default()));
            self.belt.write_buffer(encoder, &buffer.raw, 4 * start as u64, size).copy_from_slice(bytes);
        }
        self.work.bytes_written += size.get();
        self.work.recording += begun.elapsed();
        Ok(())
    }

    /// Waits for all that is recorded.
    pub(crate) fn read(&mut self, buffer: &Buffer, start: usize, out: &mut [u8]) -> Result<(), GpuError> {
        if out.is_empty() {
            return self.check();
        }
        let piece = BYTES_UNDER_WAY.min(self.binding_size) as usize;
        let starts = (4 * start as u64..).step_by(piece);
        starts.zip(out.chunks_mut(piece)).try_for_each(|(start, out)| self.read_piece(buffer, start, out))?;
        self.work.reads += 1;
        self.work.bytes_read += out.len() as u64;
        Ok(())
    }

    fn read_piece(&mut self, buffer: &Buffer, start: u64, out: &mut [u8]) -> Result<(), GpuError> {
        let size = out.len() as u64;
        if self.read_back.as_ref().is_none_or(|read_back| read_back.size() < size) {
            let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
            let room = size.next_power_of_two().min(self.binding_size);
            self.read_back = Some(self.create("read back", room, usage)?);
        }
        self.encode();
        let read_back = self.read_back.clone().expect("it was made above");
        let encoder = self.encoder.get_or_insert_with(|| self.device.create_command_encoder(&Default::default()));
        encoder.copy_buffer_to_buffer(&buffer.raw, start, &read_back, 0, size);
        self.submit()?;
        let mapped = read_back.slice(..size);
        mapped.map_async(wgpu::MapMode::Read, |_| {});
        let waited = self.device.poll(wgpu::PollType::wait_indefinitely());
        self.check()?;
        waited.map_err(|error| GpuError::Lost(error.to_string()))?;
        let view = mapped.get_mapped_range().map_err(|error| GpuError::Lost(error.to_string()))?;
        out.copy_from_slice(&view);
        drop(view);
        read_back.unmap();
        Ok(())
    }

    // ---- kernels ----

    /// Records a kernel for at least so many workgroups, in up to three dimensions; buffers are in the order of
    /// bindings.
    pub(crate) fn dispatch(
        &mut self,
        (kernel, form): (Kernel, Form),
        buffers: &[&Buffer],
        words: &[u32],
        grid: [u32; 3],
    ) -> Result<(), GpuError> {
        let mut packed = buffers.iter().enumerate().filter(|(_, buffer)| buffer.is_packed).map(|(place, _)| place);
        let is_packed = packed.clone().next().is_some();
        if packed.any(|place| place != WEIGHTS || !kernel.shader().takes_packed()) {
            return Err(GpuError::Packed { kernel: kernel.shader().name });
        }
        if grid.contains(&0) {
            return Ok(());
        }
        let begun = Instant::now();
        let pipeline = self.pipelines.get(&self.device, kernel, form, is_packed);
        let mut ids = [0; 8];
        for (id, buffer) in ids.iter_mut().zip(buffers) {
            *id = buffer.id;
        }
        let bindings = self.bindings.entry((kernel, form, ids)).or_insert_with(|| {
            let entries: Vec<_> = (pipeline.bindings.iter().zip(buffers))
                .map(|(&(binding, _), buffer)| wgpu::BindGroupEntry {
                    binding,
                    resource: buffer.raw.as_entire_binding(),
                })
                .collect();
            let label = Some(kernel.shader().name);
            self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label,
                layout: &pipeline.layout,
                entries: &entries,
            })
        });
        let mut immediates = [0; IMMEDIATE_SIZE as usize];
        let bytes: &[u8] = bytemuck::cast_slice(words);
        immediates[..bytes.len()].copy_from_slice(bytes);
        let (pipeline, bindings, len) = (pipeline.compute, bindings.clone(), bytes.len());
        self.dispatches.push(Dispatch { pipeline, bindings, immediates, len, grid });
        self.recorded += 1;
        self.work.dispatches += 1;
        self.work.recording += begun.elapsed();
        let is_enough = self.recorded >= DISPATCHES_OF_A_SUBMISSION || self.operations >= OPERATIONS_OF_A_SUBMISSION;
        if is_enough { self.submit() } else { Ok(()) }
    }

    /// Says how much work the next kernel is.
    pub(crate) fn expect(&mut self, operations: u64) {
        self.operations += operations;
    }

    /// Records a kernel for at least `workgroups`, folded into two dimensions where one has not room for them.
    pub(crate) fn dispatch_folded(
        &mut self,
        kernel: Kernel,
        buffers: &[&Buffer],
        words: &[u32],
        workgroups: usize,
    ) -> Result<(), GpuError> {
        self.dispatch((kernel, Form::Only), buffers, words, fold(workgroups))
    }

    fn encode(&mut self) {
        if self.dispatches.is_empty() {
            return;
        }
        let encoder = self.encoder.get_or_insert_with(|| self.device.create_command_encoder(&Default::default()));
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for Dispatch { pipeline, bindings, immediates, len, grid: [x, y, z] } in self.dispatches.drain(..) {
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bindings, &[]);
            if len > 0 {
                pass.set_immediates(0, &immediates[..len]);
            }
            pass.dispatch_workgroups(x, y, z);
        }
    }

    /// Hands over what is recorded.
    pub(crate) fn submit(&mut self) -> Result<(), GpuError> {
        let begun = Instant::now();
        self.encode();
        (self.recorded, self.operations) = (0, 0);
        if let Some(encoder) = self.encoder.take() {
            self.belt.finish();
            self.queue.submit([encoder.finish()]);
            self.belt.recall();
            self.work.submissions += 1;
            self.unsubmitted = 0;
        }
        let retired = mem::take(&mut *locked(&self.ledger.retired));
        if !retired.is_empty() {
            self.bindings.retain(|(_, _, ids), _| !ids.iter().any(|id| retired.contains(id)));
        }
        self.work.recording += begun.elapsed();
        self.check()
    }
}

/// A grid of at least so many workgroups.
pub(crate) fn fold(workgroups: usize) -> [u32; 3] {
    if workgroups == 0 {
        return [0; 3];
    }
    let rows = workgroups.div_ceil(MOST_WORKGROUPS);
    [workgroups.div_ceil(rows) as u32, rows as u32, 1]
}
