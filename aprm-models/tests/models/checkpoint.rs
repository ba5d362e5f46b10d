//! Hugging Face folders: the way there and back bit by bit, and folders that are refused.

use std::fs::{self, File};
use std::path::Path;

use aprm_models::checkpoint::{Checkpoint, LoadError, Mismatch, SaveError};
use aprm_models::safetensors::{Options, Precision, SafeTensors, Tensor, write};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{FAMILIES, golden};

fn load(folder: &Path) -> Result<Checkpoint, LoadError> {
    Checkpoint::load(folder, Options::default())
}

/// A folder with copies of a golden model's files.
fn copy_of(family: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(golden(family).join(file), folder.path().join(file)).unwrap();
    }
    folder
}

type NamedTensor = (String, Vec<u64>, Vec<f32>);

fn tensors_of(folder: &Path) -> Vec<NamedTensor> {
    let file = File::open(folder.join("model.safetensors")).unwrap();
    let mut file = SafeTensors::new(file, Options::default()).unwrap();
    let infos: Vec<_> = file.header().tensors.iter().map(|(name, info)| (name.clone(), info.shape.clone())).collect();
    infos.into_iter().map(|(name, shape)| (name.clone(), shape, file.read_f32(&name).unwrap())).collect()
}

fn write_tensors(path: &Path, tensors: &[NamedTensor]) {
    let tensors: Vec<_> = tensors.iter().map(|(name, shape, entries)| Tensor { name, shape, entries }).collect();
    write(&mut File::create(path).unwrap(), Precision::F32, &tensors).unwrap();
}

fn edit_config(folder: &Path, edit: impl FnOnce(&mut Value)) {
    let mut config = serde_json::from_slice(&fs::read(folder.join("config.json")).unwrap()).unwrap();
    edit(&mut config);
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

/// Replaces the weights by two shards and their index.
fn shard(folder: &Path) -> Value {
    let tensors = tensors_of(folder);
    let (first, second) = tensors.split_at(tensors.len() / 2);
    fs::remove_file(folder.join("model.safetensors")).unwrap();
    let mut weight_map = json!({});
    for (file, tensors) in [("a-1.safetensors", first), ("a-2.safetensors", second)] {
        write_tensors(&folder.join(file), tensors);
        tensors.iter().for_each(|(name, ..)| weight_map[name] = file.into());
    }
    let index = json!({"metadata": {"total_size": 1}, "weight_map": weight_map});
    write_index(folder, &index);
    index
}

fn write_index(folder: &Path, index: &Value) {
    fs::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
}

#[test]
fn golden_folders_come_back_bit_by_bit() {
    for family in FAMILIES {
        let checkpoint = load(&golden(family)).unwrap();
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("saved");
        for _ in 0..2 {
            checkpoint.save(&folder, Precision::F32).unwrap();
            assert_eq!(load(&folder).unwrap(), checkpoint);
            let weights = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
            assert!(weights(&folder) == weights(&golden(family)), "{family}: other bytes than transformers writes");
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }
}

#[test]
fn parts_lie_one_below_the_other() {
    let checkpoint = load(&golden("qwen2")).unwrap();
    let tensors = tensors_of(&golden("qwen2"));
    let entries = |name: &str| tensors.iter().find(|(tensor, ..)| tensor == name).unwrap().2.clone();
    let layout = aprm_models::layout::Layout::new(&checkpoint.config);
    let attention = |part: &str| entries(&format!("model.layers.1.self_attn.{part}"));
    let layer = layout.layers[1];
    for (index, kind) in [(layer.qkv, "weight"), (layer.qkv_bias.unwrap(), "bias")] {
        let stacked = ["q_proj", "k_proj", "v_proj"].map(|part| attention(&format!("{part}.{kind}"))).concat();
        assert_eq!(checkpoint.weights.0[index], stacked);
    }
}

#[test]
fn a_lower_precision_is_read_back_as_it_was_rounded() {
    let checkpoint = load(&golden("qwen3")).unwrap();
    for (precision, bits) in [(Precision::BF16, 8), (Precision::F16, 11)] {
        let folder = tempfile::tempdir().unwrap();
        checkpoint.save(folder.path(), precision).unwrap();
        let rounded = load(folder.path()).unwrap();
        for (x, y) in checkpoint.weights.0.iter().flatten().zip(rounded.weights.0.iter().flatten()) {
            // Half a unit in the last place, and half the smallest number of F16.
            assert!((x - y).abs() <= x.abs() * 0.5_f32.powi(bits) + 0.5_f32.powi(25), "{x} became {y}");
        }
        rounded.save(folder.path(), precision).unwrap();
        assert_eq!(load(folder.path()).unwrap(), rounded);
    }
}

#[test]
fn shards_are_one_model() {
    let folder = copy_of("llama");
    shard(folder.path());
    assert_eq!(load(folder.path()).unwrap(), load(&golden("llama")).unwrap());
    assert!(matches!(load(&golden("llama")).unwrap().save(folder.path(), Precision::F32), Err(SaveError::Sharded)));
    fs::copy(golden("llama").join("model.safetensors"), folder.path().join("model.safetensors")).unwrap();
    assert!(matches!(load(folder.path()), Err(LoadError::TwoWeights)));
}

#[test]
fn an_index_names_plain_files_only() {
    let folder = copy_of("llama");
    let index = shard(folder.path());
    let outside = tempfile::tempdir().unwrap();
    let elsewhere = outside.path().join("a-1.safetensors");
    fs::copy(folder.path().join("a-1.safetensors"), &elsewhere).unwrap();
    let tensor = "lm_head.weight";
    let absolute = elsewhere.to_str().unwrap();
    for file in [
        "../a-1.safetensors",
        "./a-1.safetensors",
        absolute,
        "..",
        ".",
        "",
        "a-1.safetensors/",
        "x/a-1.safetensors",
        r"..\a-1.safetensors",
        "/dev/zero",
        ".a.safetensors",
        "config.json",
        "a\0.safetensors",
    ] {
        let mut index = index.clone();
        index["weight_map"][tensor] = file.into();
        write_index(folder.path(), &index);
        assert!(matches!(load(folder.path()), Err(LoadError::FileName(name)) if name == file), "{file:?}");
    }
}

#[cfg(unix)]
#[test]
fn links_pipes_and_folders_are_not_opened() {
    type Make = fn(&Path, &Path);
    let file = "model.safetensors";
    let outside = copy_of("llama");
    let kinds: [(&str, Make); 4] = [
        ("link", |from, path| std::os::unix::fs::symlink(from, path).unwrap()),
        ("device", |_, path| std::os::unix::fs::symlink("/dev/zero", path).unwrap()),
        ("folder", |_, path| fs::create_dir(path).unwrap()),
        // Opening a pipe that nobody writes to would wait for ever.
        ("pipe", |_, path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success())),
    ];
    for (kind, make) in kinds {
        let folder = copy_of("llama");
        let path = folder.path().join(file);
        fs::remove_file(&path).unwrap();
        make(&outside.path().join(file), &path);
        assert!(matches!(load(folder.path()), Err(LoadError::NotAFile(name)) if name == file), "{kind}");
        let sharded = copy_of("llama");
        shard(sharded.path());
        let path = sharded.path().join("a-2.safetensors");
        fs::remove_file(&path).unwrap();
        make(&outside.path().join(file), &path);
        assert!(matches!(load(sharded.path()), Err(LoadError::NotAFile(_))), "{kind} as a shard");
    }
}

#[test]
fn an_index_and_its_shards_agree() {
    let folder = copy_of("llama");
    let index = shard(folder.path());
    let refused = |edit: &dyn Fn(&mut Value)| {
        let mut index = index.clone();
        edit(&mut index);
        write_index(folder.path(), &index);
        load(folder.path()).unwrap_err()
    };
    let swapped = refused(&|index| index["weight_map"]["lm_head.weight"] = "a-2.safetensors".into());
    assert!(matches!(swapped, LoadError::IndexDisagrees { tensor, .. } if tensor == "lm_head.weight"));
    let hidden = refused(&|index| _ = index["weight_map"].as_object_mut().unwrap().remove("lm_head.weight"));
    assert!(matches!(hidden, LoadError::IndexDisagrees { .. }));
    let absent = refused(&|index| index["weight_map"]["more"] = "a-1.safetensors".into());
    assert!(matches!(absent, LoadError::IndexDisagrees { tensor, .. } if tensor == "more"));
    let no_file = refused(&|index| index["weight_map"]["more"] = "a-3.safetensors".into());
    assert!(matches!(no_file, LoadError::Io { file, .. } if file == "a-3.safetensors"));
    assert!(matches!(refused(&|index| index["more"] = json!(1)), LoadError::Index(_)));
    assert!(matches!(refused(&|index| index["weight_map"] = json!([])), LoadError::Index(_)));
    let twice = index.to_string().replacen("\"weight_map\":{", "\"weight_map\":{\"lm_head.weight\":\"x\",", 1);
    fs::write(folder.path().join("model.safetensors.index.json"), twice).unwrap();
    assert!(matches!(load(folder.path()), Err(LoadError::IndexDuplicate(tensor)) if tensor == "lm_head.weight"));
}

#[test]
fn all_wrong_tensors_are_named_together() {
    let folder = copy_of("llama");
    let mut tensors = tensors_of(folder.path());
    for (name, shape, _) in &mut tensors {
        match name.as_str() {
            "model.norm.weight" => *name = "model.norm.bias".into(),
            "lm_head.weight" => shape.reverse(),
            "model.layers.0.input_layernorm.weight" => shape.push(1),
            _ => {}
        }
    }
    write_tensors(&folder.path().join("model.safetensors"), &tensors);
    let Err(LoadError::Mismatch(mismatch)) = load(folder.path()) else { panic!("three kinds of wrong tensors") };
    let Mismatch { missing, unexpected, misshapen } = &mismatch;
    assert_eq!((&missing[..], &unexpected[..]), (&["model.norm.weight".into()][..], &["model.norm.bias".into()][..]));
    let misshapen: Vec<_> =
        misshapen.iter().map(|wrong| (&*wrong.tensor, &wrong.shape[..], &wrong.expected[..])).collect();
    let norm = "model.layers.0.input_layernorm.weight";
    assert_eq!(misshapen, [("lm_head.weight", &[16, 29][..], &[29, 16][..]), (norm, &[16, 1], &[16])]);
    let message = mismatch.to_string();
    assert!(
        ["model.norm.weight is missing", "model.norm.bias is not expected", "F32 [16, 29]"]
            .iter()
            .all(|part| message.contains(part))
    );
}

#[test]
fn weights_are_floats() {
    let folder = copy_of("llama");
    let path = folder.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let at = bytes.windows(5).position(|window| window == b"\"F32\"").unwrap();
    let integers = [&bytes[..at], b"\"I32\"", &bytes[at + 5..]].concat();
    fs::write(&path, integers).unwrap();
    let Err(LoadError::Mismatch(mismatch)) = load(folder.path()) else { panic!("integers are no weights") };
    assert_eq!(mismatch.misshapen.len(), 1);
}

#[test]
fn a_tied_head_is_absent_or_the_embedding() {
    let folder = copy_of("qwen2");
    let mut tensors = tensors_of(folder.path());
    let (_, shape, entries) = tensors.iter().find(|(name, ..)| name == "model.embed_tokens.weight").unwrap().clone();
    tensors.push(("lm_head.weight".into(), shape, entries));
    let path = folder.path().join("model.safetensors");
    write_tensors(&path, &tensors);
    assert_eq!(load(folder.path()).unwrap(), load(&golden("qwen2")).unwrap());
    let last = tensors.last_mut().unwrap();
    last.2[7] = f32::from_bits(last.2[7].to_bits() ^ 1);
    write_tensors(&path, &tensors);
    assert!(matches!(load(folder.path()), Err(LoadError::NotTied)));
    let last = tensors.last_mut().unwrap();
    last.1.reverse();
    write_tensors(&path, &tensors);
    assert!(matches!(load(folder.path()), Err(LoadError::Mismatch(mismatch)) if mismatch.misshapen.len() == 1));
}

#[test]
fn a_config_is_not_believed() {
    let folder = copy_of("llama");
    edit_config(folder.path(), |config| config["num_hidden_layers"] = json!(2_000_000_000));
    assert!(matches!(load(folder.path()), Err(LoadError::Layers { layers: 2_000_000_000, tensors: 21 })));
    edit_config(folder.path(), |config| {
        config["num_hidden_layers"] = json!(2);
        config["vocab_size"] = json!((1_u64 << 31) - 1);
        config["hidden_size"] = json!((1_u64 << 31) - 1);
    });
    assert!(matches!(load(folder.path()), Err(LoadError::Mismatch(_))));
    fs::write(folder.path().join("config.json"), " ".repeat(2 << 20)).unwrap();
    assert!(matches!(load(folder.path()), Err(LoadError::TooLong { .. })));
    fs::remove_file(folder.path().join("config.json")).unwrap();
    assert!(matches!(load(folder.path()), Err(LoadError::Io { file, .. }) if file == "config.json"));
}

#[test]
fn pickled_weights_are_not_read() {
    let folder = copy_of("llama");
    let [from, to] = ["model.safetensors", "pytorch_model.bin"].map(|name| folder.path().join(name));
    fs::rename(from, to).unwrap();
    assert!(matches!(load(folder.path()), Err(LoadError::NoWeights)));
    fs::write(folder.path().join("model.safetensors"), b"PK\x03\x04\x14\0\0\0data.pkl").unwrap();
    assert!(load(folder.path()).unwrap_err().to_string().contains("zip"));
}

#[test]
fn every_truncation_of_a_folder_is_refused() {
    let folder = copy_of("llama3");
    for file in ["model.safetensors", "config.json"] {
        let whole = fs::read(folder.path().join(file)).unwrap();
        let end = whole.trim_ascii_end().len();
        for len in (0..end).step_by(if file == "config.json" { 1 } else { 97 }) {
            fs::write(folder.path().join(file), &whole[..len]).unwrap();
            load(folder.path()).expect_err("a truncated file");
        }
        fs::write(folder.path().join(file), whole).unwrap();
    }
    load(folder.path()).unwrap();
}

#[test]
fn a_bad_save_leaves_the_folder_as_it_was() {
    let folder = copy_of("llama");
    let good = load(folder.path()).unwrap();
    let mut bad = good.clone();
    bad.weights.0[3][5] = f32::NAN;
    let error = bad.save(folder.path(), Precision::F32).unwrap_err();
    assert!(matches!(error, SaveError::Weights(_)), "{error}");
    assert_eq!(load(folder.path()).unwrap(), good);
    let other = load(&golden("mistral")).unwrap();
    assert!(matches!(other.save(folder.path(), Precision::F32), Err(SaveError::OtherModel)));
    assert_eq!(load(folder.path()).unwrap(), good);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    assert!(matches!(good.save(&folder.path().join("a/b"), Precision::F32), Err(SaveError::Io { .. })));
}
