/// Why a learner cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LearnerError<E> {
    /// The device failed.
    #[error("the device failed: {0}")]
    Device(E),
    /// The model has no tensor of this name.
    #[error("cannot freeze {0:?}: the model has no such tensor")]
    UnknownTensor(String),
    /// Tensors that lie in memory as one are frozen together or not at all.
    #[error("cannot freeze {frozen:?} without {trainable:?}: they are one tensor in memory")]
    PartlyFrozen {
        /// What was to be frozen.
        frozen: Vec<String>,
        /// What was not.
        trainable: Vec<String>,
    },
}

/// Why a learner cannot go on.
///
/// But after a failure of the device, weights and optimizer are as they were before the call.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError<E> {
    /// The device failed: weights and optimizer may be half updated, so go back to a saved state.
    #[error("the device failed in the middle of an update: {0}")]
    Device(E),
    /// So many gradients in a row were not finite that the next ones are not expected to be.
    #[error(
        "{batch}: no finite gradient in {in_a_row} batches in a row, here of {}; \
         go back to a saved state with a lower learning rate, or leave these batches out",
        some(tensors)
    )]
    NotFinite {
        /// The last of the batches, as the caller calls it.
        batch: String,
        /// The tensors whose gradients are not finite, or too large for the sum of their squares.
        tensors: Vec<String>,
        /// How many batches were skipped in a row.
        in_a_row: u64,
    },
    /// Tensors that should learn are not reached by any gradient.
    #[error(
        "{batch}: no gradient has reached {tensors:?} in {updates} updates; \
         freeze them, or let the loss depend on them"
    )]
    Unreached {
        /// The last of the batches, as the caller calls it.
        batch: String,
        /// The tensors.
        tensors: Vec<String>,
        /// How many updates were looked at.
        updates: u64,
    },
}

/// Why gradients are not those of a loss that all trainable tensors take part in.
#[derive(Debug, thiserror::Error)]
pub enum GradientError<E> {
    /// The device failed.
    #[error("the device failed: {0}")]
    Device(E),
    /// An entry is NaN or infinite.
    #[error("the gradient of {tensor:?} is {value} at entry {index}")]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// The entry, counted over all axes.
        index: usize,
        /// NaN or an infinity.
        value: f64,
    },
    /// Tensors that should learn have a gradient of zeros only.
    #[error("no gradient has reached {0:?}; freeze them, or let the loss depend on them")]
    Unreached(Vec<String>),
}

/// The first names of a list, and how many more there are.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
