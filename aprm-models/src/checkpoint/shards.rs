use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde::de::IgnoredAny;

use super::{INDEX, LoadError, WEIGHTS};
use crate::safetensors::{Entries, Options, SafeTensors, TensorInfo};

/// A folder of which only regular files are opened.
#[derive(Clone, Copy)]
pub(crate) struct PlainFolder<'a>(pub(crate) &'a Path);

impl PlainFolder<'_> {
    pub(crate) fn has(self, file: &str) -> bool {
        fs::symlink_metadata(self.0.join(file)).is_ok()
    }

    fn open(self, file: &str) -> Result<File, LoadError> {
        let failed = |source| LoadError::Io { file: file.into(), source };
        let path = self.0.join(file);
        // Looked at before it is opened, since that waits for ever at a pipe, and after, since it may be another then.
        if !fs::symlink_metadata(&path).map_err(failed)?.is_file() {
            return Err(LoadError::NotAFile(file.into()));
        }
        let opened = File::open(path).map_err(failed)?;
        match opened.metadata().map_err(failed)?.is_file() {
            true => Ok(opened),
            false => Err(LoadError::NotAFile(file.into())),
        }
    }

    pub(crate) fn read(self, file: &str, limit: u64) -> Result<Vec<u8>, LoadError> {
        let mut content = Vec::new();
        let read = self.open(file)?.take(limit + 1).read_to_end(&mut content);
        read.map_err(|source| LoadError::Io { file: file.into(), source })?;
        match content.len() as u64 > limit {
            true => Err(LoadError::TooLong { file: file.into(), limit }),
            false => Ok(content),
        }
    }

    fn weights(self, file: &str, options: Options) -> Result<SafeTensors<File>, LoadError> {
        SafeTensors::new(self.open(file)?, options).map_err(|source| LoadError::Weights { file: file.into(), source })
    }
}

/// The files of weights, and in which of them each tensor is.
pub(super) struct Shards {
    files: Vec<(String, SafeTensors<File>)>,
    homes: BTreeMap<String, usize>,
}

impl Shards {
    pub(super) fn open(folder: PlainFolder<'_>, options: Options) -> Result<Self, LoadError> {
        match (folder.has(WEIGHTS), folder.has(INDEX)) {
            (true, true) => Err(LoadError::TwoWeights),
            (false, false) => Err(LoadError::NoWeights),
            (true, false) => {
                let weights = folder.weights(WEIGHTS, options)?;
                let homes = weights.header().tensors.keys().map(|name| (name.clone(), 0)).collect();
                Ok(Self { files: vec![(WEIGHTS.into(), weights)], homes })
            }
            (false, true) => Self::open_index(folder, options),
        }
    }

    fn open_index(folder: PlainFolder<'_>, options: Options) -> Result<Self, LoadError> {
        let weight_map = parse_index(&folder.read(INDEX, 16 << 20)?)?;
        let mut names: Vec<&String> = weight_map.values().collect();
        names.sort_unstable();
        names.dedup();
        let open = |file: &&String| folder.weights(file, options).map(|weights| (String::clone(file), weights));
        let files = names.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let home = |file: &String| names.binary_search(&file).expect("names are those of the map");
        let homes: BTreeMap<_, _> = weight_map.iter().map(|(tensor, file)| (tensor.clone(), home(file))).collect();
        let disagrees = |tensor: &String, file: &String| {
            Err(LoadError::IndexDisagrees { tensor: tensor.clone(), file: file.clone() })
        };
        for (index, (file, weights)) in files.iter().enumerate() {
            if let Some(tensor) = weights.header().tensors.keys().find(|tensor| homes.get(*tensor) != Some(&index)) {
                return disagrees(tensor, file);
            }
        }
        for (tensor, file) in &weight_map {
            if !files[homes[tensor]].1.header().tensors.contains_key(tensor) {
                return disagrees(tensor, file);
            }
        }
        Ok(Self { files, homes })
    }

    /// All tensors, in the order of their names.
    pub(super) fn tensors(&self) -> impl Iterator<Item = (&str, &TensorInfo)> {
        self.homes.iter().map(|(name, &index)| (name.as_str(), &self.files[index].1.header().tensors[name]))
    }

    pub(super) fn get(&self, tensor: &str) -> Option<&TensorInfo> {
        self.files[*self.homes.get(tensor)?].1.header().tensors.get(tensor)
    }

    pub(super) fn read(&mut self, tensor: &str) -> Result<Vec<f32>, LoadError> {
        let index = *self.homes.get(tensor).expect("asked for after all tensors were compared with the layout");
        let (file, weights) = &mut self.files[index];
        weights.read_f32(tensor).map_err(|source| LoadError::Weights { file: file.clone(), source })
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    #[serde(default, rename = "metadata")]
    _metadata: IgnoredAny,
    weight_map: Entries<String>,
}

/// From each tensor to its file; all names are looked at before any file is.
fn parse_index(json: &[u8]) -> Result<BTreeMap<String, String>, LoadError> {
    let Index { weight_map, .. } = serde_json::from_slice(json).map_err(LoadError::Index)?;
    let weight_map = weight_map.into_map().map_err(LoadError::IndexDuplicate)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_plain = |file: &str| file.ends_with(".safetensors") && !file.starts_with('.') && file.bytes().all(plain);
    match weight_map.values().find(|file| !is_plain(file)) {
        Some(file) => Err(LoadError::FileName(file.clone())),
        None => Ok(weight_map),
    }
}
