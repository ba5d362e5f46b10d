use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::shards::PlainFolder;
use super::{CONFIG, CONFIG_LIMIT, Checkpoint, INDEX, SaveError, WEIGHTS, shape};
use crate::config::ModelConfig;
use crate::durable_file::{Disk, Folder, replace};
use crate::layout::Layout;
use crate::safetensors::{Precision, Tensor, WriteError, write};

impl Checkpoint {
    /// Writes a folder that [`Checkpoint::load`] and transformers open, and makes the folder if its parent is there.
    ///
    /// Weights are replaced as [`replace`] says: a crash leaves the old ones or the new ones, whole.
    /// They are only replaced by weights of a model of the same shape, so they always fit the `config.json` beside them,
    /// which is left as it is.
    ///
    /// # Errors
    /// [`SaveError`]; a NaN or an infinity among the weights is one, and leaves the folder as it was.
    ///
    /// # Panics
    /// If the weights are not those of a model of this shape.
    pub fn save(&self, folder: &Path, precision: Precision) -> Result<(), SaveError> {
        create(folder).map_err(|source| SaveError::Io { file: folder.display().to_string(), source })?;
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
        let mut parts = Vec::new();
        for (spec, mut entries) in layout.tensors.iter().zip(self.weights.0.iter().map(Vec::as_slice)) {
            assert_eq!(entries.len(), spec.len(), "a tensor of the layout's shape");
            for part in &spec.parts {
                let (of_part, rest) = entries.split_at(part.rows * spec.columns);
                parts.push((&part.name, shape(spec, part), of_part));
                entries = rest;
            }
        }
        let tensors: Vec<_> = parts.iter().map(|(name, shape, entries)| Tensor { name, shape, entries }).collect();
        write(out, precision, &tensors)
    }
}

/// Makes a folder whose name would survive a power cut, if it is not there.
fn create(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            let parent = folder.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
            Disk(parent.into()).sync_names()
        }
    }
}
