use std::io::Write;
use std::path::Path;

use super::shards::PlainFolder;
use super::{CONFIG, CONFIG_LIMIT, Checkpoint, INDEX, SaveError, WEIGHTS, shape};
use crate::config::ModelConfig;
use crate::durable_file::{Disk, replace};
use crate::durable_folder;
use crate::layout::Layout;
use crate::safetensors::{Precision, Tensor, WriteError, write_mixed};

impl Checkpoint {
    /// Writes a folder that [`Checkpoint::load`] and transformers open, and makes the folder if its parent is there.
    ///
    /// Weights are replaced as [`replace`] says: a crash leaves the old ones or the new ones, whole.
    /// They are only replaced by weights of a model of the same shape, so they always fit the `config.json` beside them,
    /// which is left as it is.
    /// A score head is small and keeps all its digits, whatever the precision of the rest.
    ///
    /// # Errors
    /// [`SaveError`]; a NaN or an infinity among the weights is one, and leaves the folder as it was.
    ///
    /// # Panics
    /// If the weights are not those of a model of this shape.
    pub fn save(&self, folder: &Path, precision: Precision) -> Result<(), SaveError> {
        durable_folder::make(folder).map_err(|source| SaveError::Io { file: folder.display().to_string(), source })?;
        let plain = PlainFolder(folder);
        if plain.has(INDEX) {
            return Err(SaveError::Sharded);
        }
        let disk = Disk(folder.into());
        if plain.has(CONFIG) {
            let config = plain.read(CONFIG, CONFIG_LIMIT).map_err(SaveError::Config)?;
            match ModelConfig::parse(&config) {
                Ok(config) if config == self.config => {}
                Ok(_) => return Err(SaveError::OtherModel),
                Err(error) => return Err(SaveError::Config(error.into())),
            }
        } else {
            replace(&disk, CONFIG, |out| out.write_all(self.config.to_json().as_bytes()))
                .map_err(|source| SaveError::Io { file: CONFIG.into(), source })?;
        }
        Ok(replace(&disk, WEIGHTS, |out| self.write_weights(out, precision))?)
    }

    fn write_weights(&self, out: &mut impl Write, precision: Precision) -> Result<(), WriteError> {
        let layout = Layout::new(&self.config);
        assert_eq!(self.weights.0.len(), layout.tensors.len(), "one tensor for each of the layout's");
        let of_head: Vec<usize> = layout.score.iter().flat_map(|map| [Some(map.weight), map.bias]).flatten().collect();
        let mut parts = Vec::new();
        for (index, (spec, weights)) in layout.tensors.iter().zip(&self.weights.0).enumerate() {
            let mut entries = weights.as_slice();
            let precision = if of_head.contains(&index) { Precision::F32 } else { precision };
            assert_eq!(entries.len(), spec.len(), "a tensor of the layout's shape");
            for part in &spec.parts {
                let (of_part, rest) = entries.split_at(part.rows * spec.columns);
                parts.push((precision, &part.name, shape(spec, part), of_part));
                entries = rest;
            }
        }
        let tensors =
            parts.iter().map(|(precision, name, shape, entries)| (*precision, Tensor { name, shape, entries }));
        write_mixed(out, &tensors.collect::<Vec<_>>())
    }
}
