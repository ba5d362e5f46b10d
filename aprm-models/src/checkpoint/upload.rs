//! From host memory to a device's.

use aprm_core::backend::Backend;
use aprm_core::scalar::Scalar;
use half::bf16;

use super::Checkpoint;
use crate::layout::Layout;
use crate::transformer::Parameters;

/// What a device keeps the matrices of a model in; norms, biases and score heads are numbers of the backend in either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WeightFormat {
    /// Numbers of the backend, that can learn.
    #[default]
    Full,
    /// bfloat16, in two bytes each, that are only read.
    Bf16,
}

impl Checkpoint {
    /// Copies the weights to a device.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn upload<B: Backend>(&self, backend: &mut B) -> Result<Parameters<B::Buffer>, B::Error> {
        self.weights
            .0
            .iter()
            .map(|tensor| upload(backend, &entries::<B>(tensor)))
            .collect::<Result<_, _>>()
            .map(Parameters)
    }

    /// Copies the weights to a device with matrices rounded to bfloat16, and says what they are kept in.
    ///
    /// Without room for two bytes a number, as on the CPU, they are rounded all the same: what a model says depends on
    /// the device no more than otherwise.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn upload_bf16<B: Backend>(&self, backend: &mut B) -> Result<(Parameters<B::Buffer>, WeightFormat), B::Error> {
        let layout = Layout::new(&self.config);
        let mut format = WeightFormat::Bf16;
        let mut tensors = Vec::new();
        for (i, tensor) in self.weights.0.iter().enumerate() {
            let mut entries = entries::<B>(tensor);
            if layout.may_be_rounded(i) {
                if let Some(buffer) = backend.allocate_bf16(&entries)? {
                    tensors.push(buffer);
                    continue;
                }
                format = WeightFormat::Full;
                for (entry, &exact) in entries.iter_mut().zip(tensor) {
                    *entry = B::Scalar::of(bf16::from_f32(exact).into());
                }
            }
            tensors.push(upload(backend, &entries)?);
        }
        Ok((Parameters(tensors), format))
    }
}

impl Layout {
    /// Whether a tensor is a matrix that [`Checkpoint::upload_bf16`] rounds: none of a score head, whose logits are
    /// probabilities soon.
    pub fn may_be_rounded(&self, tensor: usize) -> bool {
        !self.tensors[tensor].is_vector && self.score.iter().all(|map| map.weight != tensor)
    }
}

fn entries<B: Backend>(tensor: &[f32]) -> Vec<B::Scalar> {
    tensor.iter().map(|&entry| B::Scalar::of(entry.into())).collect()
}

fn upload<B: Backend>(backend: &mut B, entries: &[B::Scalar]) -> Result<B::Buffer, B::Error> {
    let mut buffer = backend.allocate(entries.len())?;
    backend.write(entries, &mut buffer, 0)?;
    Ok(buffer)
}
