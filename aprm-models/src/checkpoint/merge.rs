use aprm_core::backend::Backend;
use aprm_core::scalar::Scalar;

use super::Checkpoint;
use crate::transformer::{Parameters, Transformer};

impl Checkpoint {
    /// Copies a model that learns beside a base from its device, as one that has learnt itself.
    ///
    /// ```text
    /// W' = W + (α / rank) B A
    /// ```
    ///
    /// It is a model as any other, to be saved and loaded; what the sum rounds to `f32` is lost.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the model has no base.
    pub fn merged<B: Backend>(
        backend: &mut B,
        model: &Transformer<B>,
        adapters: &Parameters<B::Buffer>,
    ) -> Result<Self, B::Error> {
        let frozen = model.frozen.as_ref().expect("a model beside a base");
        let mut merged = Vec::new();
        for (tensor, spec) in frozen.layout.tensors.iter().enumerate() {
            let mut weights = read(backend, model.weight(&adapters.0, tensor), spec.len())?;
            if let Some(&[a, b]) = frozen.maps.get(&tensor) {
                let [a, b] = [a, b].map(|map| read(backend, &adapters.0[map], model.layout.tensors[map].len()));
                add_product(&mut weights, spec.columns, frozen.scale.widen(), &a?, &b?);
            }
            merged.push(weights.into_iter().map(|entry| entry as f32).collect());
        }
        Ok(Self { config: model.config, weights: Parameters(merged) })
    }
}

/// `weights += scale B A`, with as many columns as A.
fn add_product(weights: &mut [f64], columns: usize, scale: f64, a: &[f64], b: &[f64]) {
    let rank = a.len() / columns;
    for (row, b) in weights.chunks_exact_mut(columns).zip(b.chunks_exact(rank)) {
        for (a, &b) in a.chunks_exact(columns).zip(b) {
            row.iter_mut().zip(a).for_each(|(entry, a)| *entry += scale * b * a);
        }
    }
}

fn read<B: Backend>(backend: &mut B, buffer: &B::Buffer, len: usize) -> Result<Vec<f64>, B::Error> {
    let mut entries = vec![B::Scalar::default(); len];
    backend.read(buffer, 0, &mut entries)?;
    Ok(entries.into_iter().map(Scalar::widen).collect())
}
