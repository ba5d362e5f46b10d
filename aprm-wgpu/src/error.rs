/// What can go wrong on a GPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// No adapter is there, or none of that name.
    #[error("no GPU {wanted}; there are: {}", if found.is_empty() { "none" } else { found })]
    NoAdapter {
        /// What was asked for.
        wanted: String,
        /// The names of those that are there.
        found: String,
    },
    /// The adapter cannot do something that every kernel needs.
    #[error("{adapter} has no {feature}")]
    MissingFeature {
        /// The adapter.
        adapter: String,
        /// What it lacks.
        feature: &'static str,
    },
    /// The device refused to be opened.
    #[error("{adapter} gives no device: {reason}")]
    NoDevice {
        /// The adapter.
        adapter: String,
        /// What the driver says.
        reason: String,
    },
    /// A buffer is larger than the device can bind.
    #[error(
        "a buffer of {bytes} bytes is more than the {limit} that {adapter} can bind: use smaller batches or models"
    )]
    TooLarge {
        /// The adapter.
        adapter: String,
        /// What was asked for.
        bytes: u64,
        /// The most it binds.
        limit: u64,
    },
    /// A kernel cannot work on these dimensions.
    #[error("{kernel}: {dimension} = {value} is more than {limit}")]
    Dimension {
        /// The kernel.
        kernel: &'static str,
        /// The dimension.
        dimension: &'static str,
        /// What it is.
        value: usize,
        /// The most it may be.
        limit: usize,
    },
    /// A kernel was given weights in bfloat16 where it works on `f32`.
    #[error("{kernel} cannot work on weights that are kept in bfloat16")]
    Packed {
        /// The kernel.
        kernel: &'static str,
    },
    /// The memory of the device is full.
    #[error("out of memory on {adapter}: {bytes} bytes more are wanted, {allocated} are allocated")]
    OutOfMemory {
        /// The adapter.
        adapter: String,
        /// What was asked for; 0 where the driver does not say.
        bytes: u64,
        /// What buffers hold already.
        allocated: u64,
    },
    /// The device is gone: unplugged, reset by its driver, or stopped for taking too long.
    #[error("the GPU is lost: {0}")]
    Lost(String),
    /// The device calls a command invalid, which is a mistake of this crate; the message names the kernel.
    #[error("the GPU refuses a command: {0}")]
    Validation(String),
}
