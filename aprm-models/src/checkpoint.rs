//! Hugging Face folders: `config.json` and `model.safetensors`, or its shards and their index.
//!
//! Pickles are not read at all.
//! Every file is a regular file of the folder itself: a name with a separator, a link, a device or a pipe is refused
//! before anything is opened, so copy a snapshot out of a cache of links with `cp -rL`.

mod error;
mod merge;
mod save;
mod shards;
mod upload;

pub use error::{LoadError, Mismatch, Misshapen, SaveError};
pub use upload::WeightFormat;

use std::collections::BTreeMap;
use std::path::Path;

use aprm_core::backend::Backend;
use aprm_core::scalar::Scalar;

use crate::config::{Head, ModelConfig};
use crate::layout::{Layout, Part, TensorSpec};
use crate::safetensors::Options;
use crate::transformer::Parameters;
pub(crate) use shards::PlainFolder;
use shards::Shards;

const CONFIG: &str = "config.json";
const CONFIG_LIMIT: u64 = 1 << 20;
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const LM_HEAD: &str = "lm_head.weight";

/// A model in host memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The shape.
    pub config: ModelConfig,
    /// One tensor for each of the layout's, its parts one below the other.
    pub weights: Parameters<Vec<f32>>,
}

impl Checkpoint {
    /// Reads a folder.
    ///
    /// The tensors must be the layout's: none missing, none more, none of another shape.
    /// Only a language model whose embeddings are tied may have an `lm_head.weight` more, if it is the embedding bit by
    /// bit, and only a model with another head may have one that is not looked at, as Qwen's PRMs do.
    ///
    /// # Errors
    /// [`LoadError`]; whatever tensors are wrong are named together, before any is read.
    pub fn load(folder: &Path, options: Options) -> Result<Self, LoadError> {
        Self::load_and_tell(folder, options).map(|(checkpoint, _)| checkpoint)
    }

    /// Reads a folder as [`Checkpoint::load`] does, and names the tensors that no part of the model is made of.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load_and_tell(folder: &Path, options: Options) -> Result<(Self, Vec<String>), LoadError> {
        let folder = PlainFolder(folder);
        let config = ModelConfig::parse(&folder.read(CONFIG, CONFIG_LIMIT)?)?;
        let mut shards = Shards::open(folder, options)?;
        let (layers, tensors) = (config.num_hidden_layers, shards.tensors().count());
        // A layout is only made in the size of what is there.
        if layers > tensors {
            return Err(LoadError::Layers { layers, tensors });
        }
        let layout = Layout::new(&config);
        let unused = check(&config, &layout, &shards)?;
        let weights = layout.tensors.iter().map(|spec| stack(&mut shards, spec)).collect::<Result<Vec<_>, _>>()?;
        if may_repeat_embedding(&config) && shards.get(LM_HEAD).is_some() {
            let bits = |entries: &[f32]| entries.iter().map(|entry| entry.to_bits()).collect::<Vec<_>>();
            if bits(&shards.read(LM_HEAD)?) != bits(&weights[layout.embedding]) {
                return Err(LoadError::NotTied);
            }
        }
        Ok((Self { config, weights: Parameters(weights) }, unused))
    }

    /// Copies weights from a device; those in `f64` are rounded to the nearest `f32`.
    ///
    /// # Errors
    /// Whatever the device reports.
    ///
    /// # Panics
    /// If the weights are not those of a model of this shape.
    pub fn download<B: Backend>(
        backend: &mut B,
        config: ModelConfig,
        weights: &Parameters<B::Buffer>,
    ) -> Result<Self, B::Error> {
        let layout = Layout::new(&config);
        assert_eq!(weights.0.len(), layout.tensors.len(), "one buffer for each tensor");
        let mut download = |(buffer, spec): (&B::Buffer, &TensorSpec)| {
            let mut entries = vec![B::Scalar::default(); spec.len()];
            backend.read(buffer, 0, &mut entries)?;
            Ok(entries.into_iter().map(|entry| entry.widen() as f32).collect())
        };
        let weights = weights.0.iter().zip(&layout.tensors).map(&mut download).collect::<Result<_, _>>()?;
        Ok(Self { config, weights: Parameters(weights) })
    }
}

/// The shape that a part has in a checkpoint.
fn shape(spec: &TensorSpec, part: &Part) -> Vec<u64> {
    let shape = [part.rows as u64, spec.columns as u64];
    shape[..if spec.is_vector { 1 } else { 2 }].to_vec()
}

fn may_repeat_embedding(config: &ModelConfig) -> bool {
    config.tie_word_embeddings && config.head == Head::CausalLm
}

/// Compares all tensors with the layout's, and gives the names of those that are not used.
fn check(config: &ModelConfig, layout: &Layout, shards: &Shards) -> Result<Vec<String>, Mismatch> {
    let (mut mismatch, mut unused) = (Mismatch::default(), Vec::new());
    let is_unused = |name: &str| config.head != Head::CausalLm && name.starts_with("lm_head.");
    let parts =
        layout.tensors.iter().flat_map(|spec| spec.parts.iter().map(move |part| (&*part.name, shape(spec, part))));
    let mut expected: BTreeMap<_, _> = parts.collect();
    mismatch.missing = expected.keys().filter(|name| shards.get(name).is_none()).map(|&name| name.into()).collect();
    if may_repeat_embedding(config) {
        expected.insert(LM_HEAD, vec![config.vocab_size as u64, config.hidden_size as u64]);
    }
    for (name, info) in shards.tensors() {
        match expected.remove(name) {
            None if is_unused(name) => unused.push(name.into()),
            None => mismatch.unexpected.push(name.into()),
            Some(expected) if expected != info.shape || !info.dtype.is_weight() => mismatch.misshapen.push(Misshapen {
                tensor: name.into(),
                dtype: info.dtype,
                shape: info.shape.clone(),
                expected,
            }),
            Some(_) => {}
        }
    }
    if mismatch == Mismatch::default() { Ok(unused) } else { Err(mismatch) }
}

fn stack(shards: &mut Shards, spec: &TensorSpec) -> Result<Vec<f32>, LoadError> {
    let mut tensor = Vec::new();
    for part in &spec.parts {
        let part = shards.read(&part.name)?;
        // A tensor of one part is not copied.
        if tensor.is_empty() { tensor = part } else { tensor.extend(part) }
    }
    Ok(tensor)
}
