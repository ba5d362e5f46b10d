use aprm_models::checkpoint::{Checkpoint, WeightFormat};
use aprm_models::evaluator::Evaluator;
use clap::ValueEnum;

use super::PrmError;
use crate::device::Device;
use crate::output::tell;

/// What the matrices of a model are rounded to, and kept in where the device has room for such.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Weights {
    #[default]
    F32,
    Bf16,
}

impl Weights {
    pub(super) fn evaluator<D: Device>(self, device: D, checkpoint: &Checkpoint) -> Result<Evaluator<D>, PrmError> {
        if self == Self::F32 {
            return Evaluator::new(device, checkpoint).map_err(PrmError::device);
        }
        let evaluator = Evaluator::rounded(device, checkpoint).map_err(PrmError::device)?;
        if evaluator.weight_format == WeightFormat::Full {
            tell("note: weights are rounded to bf16, but this backend keeps them in 32 bits each");
        }
        Ok(evaluator)
    }
}
