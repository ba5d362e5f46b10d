use std::collections::BTreeMap;

use aprm_core::backend::Backend;

use super::RestoreError;
use crate::layout::{Layout, TensorSpec};
use crate::learner::Learner;
use crate::safetensors::Float;
use crate::transformer::Parameters;

/// A part of a tensor, as a checkpoint names it.
#[derive(Clone, Debug, PartialEq)]
pub struct StateTensor<T> {
    /// Its axes, the slowest first.
    pub shape: Vec<u64>,
    /// Its entries in C order.
    pub entries: Vec<T>,
}

/// All that a learner's next step depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LearnerState<T> {
    /// The kind of its rule.
    pub rule: String,
    /// How many steps the rule counts.
    pub rule_steps: u64,
    /// How many updates it has made: the place in its schedule.
    pub steps: u64,
    /// How many batches were skipped.
    pub skipped: u64,
    /// How many batches were skipped since the last update.
    pub skipped_in_a_row: u64,
    /// Weights, their average and the vectors of the rule, as `VECTOR/TENSOR`.
    pub tensors: BTreeMap<String, StateTensor<T>>,
}

impl<T: Float> LearnerState<T> {
    /// Weights that do not learn, as of a player of the past.
    ///
    /// # Errors
    /// Whatever the device reports.
    pub fn of_weights<B: Backend<Scalar = T>>(
        backend: &mut B,
        layout: &Layout,
        weights: &Parameters<B::Buffer>,
    ) -> Result<Self, B::Error> {
        let tensors = read(backend, [("weights", layout, weights)])?;
        Ok(Self { rule: FROZEN.into(), tensors, ..Self::default() })
    }

    /// Puts such weights on a device.
    ///
    /// # Errors
    /// [`RestoreError`], if they are not those of this layout.
    pub fn to_weights<B: Backend<Scalar = T>>(
        &self,
        backend: &mut B,
        name: &str,
        layout: &Layout,
    ) -> Result<Parameters<B::Buffer>, RestoreError<B::Error>> {
        self.check_tensors(name, FROZEN, specs("weights", layout).collect())?;
        let mut weights = Parameters::zeros(backend, layout).map_err(RestoreError::Device)?;
        self.write(backend, "weights", layout, &mut weights).map_err(RestoreError::Device)?;
        Ok(weights)
    }

    pub(super) fn capture<B: Backend<Scalar = T>>(backend: &mut B, learner: &Learner<B>) -> Result<Self, B::Error> {
        let tensors = read(backend, vectors(learner))?;
        Ok(Self {
            rule: learner.rule.kind().into(),
            rule_steps: learner.rule.steps(),
            steps: learner.steps,
            skipped: learner.skipped,
            skipped_in_a_row: learner.skipped_in_a_row,
            tensors,
        })
    }

    pub(super) fn restore<B: Backend<Scalar = T>>(
        &self,
        backend: &mut B,
        name: &str,
        learner: &mut Learner<B>,
    ) -> Result<(), RestoreError<B::Error>> {
        self.check(name, learner)?;
        let (layout, trainable) = (learner.layout().clone(), learner.trainable().clone());
        let mut write_all = || {
            self.write(backend, "weights", &layout, &mut learner.weights)?;
            let mut average = learner.average.iter_mut();
            average.try_for_each(|average| self.write(backend, "average", &layout, average))?;
            let mut vectors = learner.rule.vectors_mut().into_iter();
            vectors.try_for_each(|(vector, parameters)| self.write(backend, vector, &trainable, parameters))
        };
        write_all().map_err(RestoreError::Device)?;
        learner.rule.set_steps(self.rule_steps);
        learner.steps = self.steps;
        learner.skipped = self.skipped;
        learner.skipped_in_a_row = self.skipped_in_a_row;
        Ok(())
    }

    fn write<B: Backend<Scalar = T>>(
        &self,
        backend: &mut B,
        vector: &str,
        layout: &Layout,
        parameters: &mut Parameters<B::Buffer>,
    ) -> Result<(), B::Error> {
        for (spec, buffer) in layout.tensors.iter().zip(&mut parameters.0) {
            let mut start = 0;
            for (tensor, _) in parts(vector, spec) {
                let entries = &self.tensors[&tensor].entries;
                backend.write(entries, buffer, start)?;
                start += entries.len();
            }
        }
        Ok(())
    }

    fn check<B: Backend<Scalar = T>>(&self, name: &str, learner: &Learner<B>) -> Result<(), RestoreError<B::Error>> {
        let expected = vectors(learner).into_iter().flat_map(|(vector, layout, _)| specs(vector, layout)).collect();
        self.check_tensors(name, learner.rule.kind(), expected)
    }

    /// Compares rule, names and shapes with those expected, before anything is overwritten.
    fn check_tensors<E>(
        &self,
        name: &str,
        rule: &'static str,
        expected: BTreeMap<String, Vec<u64>>,
    ) -> Result<(), RestoreError<E>> {
        if self.rule != rule {
            let (found, field) = (self.rule.clone(), format!("learners.{name}.rule"));
            return Err(RestoreError::Rule { field, found, expected: rule });
        }
        let in_file = |tensor: &String| format!("{name}/{tensor}");
        if let Some(unexpected) = self.tensors.keys().find(|&tensor| !expected.contains_key(tensor)) {
            return Err(RestoreError::Unexpected { tensor: in_file(unexpected) });
        }
        for (tensor, expected) in expected {
            match self.tensors.get(&tensor) {
                None => return Err(RestoreError::NoTensor { tensor: in_file(&tensor) }),
                Some(StateTensor { shape, .. }) if *shape != expected => {
                    return Err(RestoreError::Shape { tensor: in_file(&tensor), found: shape.clone(), expected });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// What the rule of weights that do not learn is called.
const FROZEN: &str = "frozen";

type Vectors<'a, Buffer> = Vec<(&'static str, &'a Layout, &'a Parameters<Buffer>)>;

/// The vectors of a learner by name, each with its layout.
fn vectors<B: Backend>(learner: &Learner<B>) -> Vectors<'_, B::Buffer> {
    let mut vectors = vec![("weights", learner.layout(), &learner.weights)];
    vectors.extend(learner.average.iter().map(|average| ("average", learner.layout(), average)));
    vectors.extend(learner.rule.vectors().into_iter().map(|(name, vector)| (name, learner.trainable(), vector)));
    vectors
}

/// The parts of a tensor: names and shapes.
fn parts<'a>(vector: &'a str, spec: &'a TensorSpec) -> impl Iterator<Item = (String, Vec<u64>)> + 'a {
    spec.parts.iter().map(move |part| {
        let shape = [part.rows as u64, spec.columns as u64];
        (format!("{vector}/{}", part.name), shape[..if spec.is_vector { 1 } else { 2 }].to_vec())
    })
}

/// All parts of a vector: names and shapes.
fn specs<'a>(vector: &'a str, layout: &'a Layout) -> impl Iterator<Item = (String, Vec<u64>)> + 'a {
    layout.tensors.iter().flat_map(move |spec| parts(vector, spec))
}

fn read<'a, B: Backend>(
    backend: &mut B,
    vectors: impl IntoIterator<Item = (&'static str, &'a Layout, &'a Parameters<B::Buffer>)>,
) -> Result<BTreeMap<String, StateTensor<B::Scalar>>, B::Error>
where
    B::Buffer: 'a,
{
    let mut tensors = BTreeMap::new();
    for (vector, layout, parameters) in vectors {
        for (spec, buffer) in layout.tensors.iter().zip(&parameters.0) {
            let mut start = 0;
            for (name, shape) in parts(vector, spec) {
                let mut entries = vec![B::Scalar::default(); shape.iter().product::<u64>() as usize];
                backend.read(buffer, start, &mut entries)?;
                start += entries.len();
                tensors.insert(name, StateTensor { shape, entries });
            }
        }
    }
    Ok(tensors)
}
