//! Training states: a split run is an unbroken one, whatever is lost is noticed, and a crash leaves a state behind.

mod crash;
mod run;

use core::num::NonZeroUsize;
use std::fs;
use std::path::Path;

use aprm_core::backend::Backend;
use aprm_models::durable_file::Disk;
use aprm_models::learner::RuleConfig;
use aprm_models::safetensors::Float;
use aprm_models::training_state::{
    DataCursor, Loaded, OpenError, RandomStream, RestoreError, SaveStateError, StateError, StateFolder, TrainingState,
    load_newest,
};
use aprm_ndarray::Cpu;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};
use run::{Fingerprint, Run, fingerprint};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::learner::rules;

const STEPS: u64 = 14;
/// After a skipped batch and before another, in the second epoch.
const SPLIT: u64 = 8;

fn keep(states: usize) -> NonZeroUsize {
    NonZeroUsize::new(states).unwrap()
}

fn newest<T: Float>(folder: &Path) -> Loaded<T> {
    load_newest(&Disk(folder.into())).unwrap().unwrap()
}

/// The states after each of the steps up to the last.
fn run_on<B>(run: &mut Run<B>) -> Vec<Fingerprint>
where
    B: Backend<Scalar: Float, Error: core::fmt::Debug>,
{
    let states = (run.step..STEPS).map(|_| {
        run.step();
        fingerprint(&run.state())
    });
    states.collect()
}

fn a_split_run_is_an_unbroken_one<B>(backend: impl Fn() -> B)
where
    B: Backend<Scalar: Float, Error: core::fmt::Debug>,
{
    for rules in rule_pairs() {
        let folder = tempfile::tempdir().unwrap();
        let states = StateFolder::open(folder.path(), keep(1)).unwrap();
        let unbroken = run_on(&mut Run::new(backend(), rules, 1));
        let mut broken = Run::new(backend(), rules, 1);
        for step in 0..STEPS {
            // Nothing of the run is left but its folder; not even the seed of the new one is the same.
            states.save(&broken.state()).unwrap();
            broken = Run::new(backend(), rules, 2);
            let loaded = states.load_newest().unwrap().unwrap();
            assert!(loaded.rejected.is_empty());
            broken.restore(&loaded.state).unwrap();
            if step % 5 == 2 {
                assert!(run_on(&mut broken) == unbroken[step as usize..], "{rules:?}, split after {step} steps");
                broken.restore(&loaded.state).unwrap();
            }
            broken.step();
            assert!(fingerprint(&broken.state()) == unbroken[step as usize], "{rules:?}, step {step}");
        }
    }
}

fn rule_pairs<T: aprm_core::scalar::Scalar>() -> Vec<[RuleConfig<T>; 2]> {
    let rules = rules();
    (0..rules.len()).map(|i| [rules[i], rules[(i + 1) % rules.len()]]).collect()
}

#[test]
fn a_split_run_is_an_unbroken_one_in_f32() {
    a_split_run_is_an_unbroken_one(Cpu::<f32>::new);
}

#[test]
fn a_split_run_is_an_unbroken_one_in_f64() {
    a_split_run_is_an_unbroken_one(Cpu::<f64>::new);
}

/// All values of a JSON document that are no containers, by their pointers.
fn leaves(value: &Value, pointer: String, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| leaves(field, format!("{pointer}/{name}"), found));
        }
        leaf => found.push((pointer, leaf.clone())),
    }
}

/// Replaces a state's JSON and the digests by those of another.
fn forge(folder: &Path, edit: impl FnOnce(&mut Value)) {
    let mut json = serde_json::from_slice(&fs::read(folder.join("state.json")).unwrap()).unwrap();
    edit(&mut json);
    fs::write(folder.join("state.json"), serde_json::to_vec(&json).unwrap()).unwrap();
    sign(folder);
}

fn sign(folder: &Path) {
    let lines = ["state.safetensors", "state.json"].map(|file| {
        let digest = Sha256::digest(fs::read(folder.join(file)).unwrap());
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{digits}  {file}\n")
    });
    fs::write(folder.join("SHA256SUMS"), lines.concat()).unwrap();
}

/// The state of a run at the split, as its folder holds it, and that of a fresh run of another seed.
struct Control {
    folder: tempfile::TempDir,
    name: String,
    rules: [RuleConfig<f32>; 2],
    unbroken: Vec<Fingerprint>,
    fresh: TrainingState<f32>,
}

impl Control {
    fn new(rules: [RuleConfig<f32>; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(Cpu::new(), rules, 1);
        (0..SPLIT).for_each(|_| run.step());
        let name = StateFolder::open(folder.path(), keep(1)).unwrap().save(&run.state()).unwrap();
        let unbroken = run_on(&mut run);
        Self { folder, name, rules, unbroken, fresh: Run::new(Cpu::new(), rules, 2).state() }
    }

    /// Whether a run that goes on from this state comes out otherwise than the unbroken one.
    fn is_caught(&self, state: &TrainingState<f32>) -> bool {
        let mut run = Run::new(Cpu::new(), self.rules, 1);
        run.restore(state).is_err() || run_on(&mut run) != self.unbroken
    }
}

#[test]
fn a_tensor_that_is_dropped_is_caught() {
    for rules in rule_pairs() {
        let control = Control::new(rules);
        let state = newest::<f32>(control.folder.path()).state;
        assert!(!control.is_caught(&state), "{rules:?}: caught without a fault");
        let mut groups = Vec::new();
        for (learner, whole) in &state.learners {
            groups
                .extend(whole.tensors.keys().map(|name| (learner.clone(), name.split_once('/').unwrap().0.to_owned())));
        }
        groups.dedup();
        assert!(groups.len() >= 5, "weights and averages of two, and at least one vector of a rule");
        for (learner, vector) in groups {
            let mut spoilt = state.clone();
            for (name, tensor) in &mut spoilt.learners.get_mut(&learner).unwrap().tensors {
                if name.split_once('/').unwrap().0 == vector {
                    *tensor = control.fresh.learners[&learner].tensors[name].clone();
                }
            }
            assert!(control.is_caught(&spoilt), "{rules:?}: {learner}/{vector} may be dropped");
        }
    }
}

#[test]
fn a_field_that_is_dropped_is_caught() {
    for rules in rule_pairs() {
        let control = Control::new(rules);
        let folder = control.folder.path();
        let whole = fs::read(folder.join(&control.name).join("state.json")).unwrap();
        let other = tempfile::tempdir().unwrap();
        let fresh = StateFolder::open(other.path(), keep(1)).unwrap().save(&control.fresh).unwrap();
        let fresh: Value =
            serde_json::from_slice(&fs::read(other.path().join(fresh).join("state.json")).unwrap()).unwrap();
        let mut fields = Vec::new();
        leaves(&fresh, String::new(), &mut fields);
        let mut dropped = 0;
        for (pointer, value) in fields {
            let is_gradient_descent = |learner: &str| fresh["learners"][learner]["rule"] == "gradient_descent";
            let is_constant = match pointer.split('/').collect::<Vec<_>>()[..] {
                ["", "version" | "scalar"] | ["", "learners", _, "rule"] => true,
                ["", "learners", learner, "rule_steps"] => is_gradient_descent(learner),
                _ => false,
            };
            forge(&folder.join(&control.name), |json| {
                let field = json.pointer_mut(&pointer).unwrap();
                assert_eq!(*field == value, is_constant, "{rules:?}: {pointer} has not changed by the split");
                *field = value;
            });
            if !is_constant {
                assert!(control.is_caught(&newest(folder).state), "{rules:?}: {pointer} may be dropped");
                dropped += 1;
            }
            fs::write(folder.join(&control.name).join("state.json"), &whole).unwrap();
            // And a field that is not there at all is no state.
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            if !parent.starts_with("/extra") {
                let name = folder.join(&control.name);
                forge(&name, |json| {
                    json.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field).unwrap();
                });
                load_newest::<f32, _>(&Disk(folder.into())).unwrap_err();
                fs::write(name.join("state.json"), &whole).unwrap();
            }
            sign(&folder.join(&control.name));
            assert!(!control.is_caught(&newest(folder).state));
        }
        assert!(dropped >= 14, "{dropped} fields");
    }
}

#[test]
fn random_streams_go_on_at_any_word() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    rng.set_stream(u64::MAX - 3);
    for draws in 0..200 {
        let mut resumed = RandomStream::from(&rng).rng();
        for _ in 0..70 + draws % 5 {
            assert_eq!(resumed.next_u32(), rng.next_u32(), "after {draws} draws");
        }
        // An odd number of bytes, and two words at once, across the end of a block.
        let ([mut a, mut b], pairs) = ([[0; 9]; 2], [resumed.next_u64(), rng.next_u64()]);
        resumed.fill_bytes(&mut a);
        rng.fill_bytes(&mut b);
        assert_eq!((a, pairs[0]), (b, pairs[1]), "after {draws} draws");
    }
    rng.set_word_pos((1 << 68) - 1);
    let stream = RandomStream::from(&rng);
    let written = serde_json::to_string(&stream).unwrap();
    assert_eq!(serde_json::from_str::<RandomStream>(&written).unwrap(), stream);
    for (from, to) in
        [("295147905179352825855", "295147905179352825856"), ("\"seed\":\"", "\"seed\":\"0"), ("word", "w")]
    {
        assert!(written.contains(from));
        serde_json::from_str::<RandomStream>(&written.replacen(from, to, 1)).unwrap_err();
    }
}

fn small(step: u64) -> TrainingState<f32> {
    let mut run = Run::new(Cpu::new(), rules().first_chunk().copied().unwrap(), step);
    run.step = step;
    run.state()
}

#[test]
fn the_newest_states_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let states = StateFolder::open(folder.path(), keep(3)).unwrap();
    assert!(states.load_newest::<f32>().unwrap().is_none());
    let state = small(5);
    // Twice at one step, and back to an earlier one, as after a resume from there.
    for step in [5, 10, 10, 20, 7] {
        states.save(&TrainingState { step, ..state.clone() }).unwrap();
    }
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let expected =
        ["save-000002-step-00000010", "save-000003-step-00000020", "save-000004-step-00000007", "states.lock"];
    assert_eq!(names, expected);
    assert_eq!(newest::<f32>(folder.path()).state.step, 7);
}

#[test]
fn what_sha256sum_checks_is_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let name = StateFolder::open(folder.path(), keep(1)).unwrap().save(&small(3)).unwrap();
    let path = folder.path().join(name);
    let before = fs::read(path.join("SHA256SUMS")).unwrap();
    sign(&path);
    assert_eq!(fs::read(path.join("SHA256SUMS")).unwrap(), before);
}

/// Two states, of which the newer is spoilt by `spoil`.
fn spoilt(spoil: impl FnOnce(&Path)) -> (tempfile::TempDir, Result<Option<Loaded<f32>>, StateError>) {
    let folder = tempfile::tempdir().unwrap();
    let states = StateFolder::open(folder.path(), keep(2)).unwrap();
    states.save(&small(1)).unwrap();
    let name = states.save(&small(2)).unwrap();
    spoil(&folder.path().join(name));
    let loaded = states.load_newest();
    (folder, loaded)
}

#[test]
fn flipped_bits_are_never_a_state() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let folder = tempfile::tempdir().unwrap();
    let states = StateFolder::open(folder.path(), keep(2)).unwrap();
    states.save(&small(1)).unwrap();
    let path = folder.path().join(states.save(&small(2)).unwrap());
    for file in ["state.safetensors", "state.json", "SHA256SUMS"] {
        let whole = fs::read(path.join(file)).unwrap();
        let rejected = |spoilt: &[u8]| {
            fs::write(path.join(file), spoilt).unwrap();
            let Loaded { state, rejected, .. } = states.load_newest::<f32>().unwrap().unwrap();
            assert_eq!((state.step, rejected.len()), (1, 1), "{file}");
            rejected[0].to_string()
        };
        for _ in 0..100 {
            let mut spoilt = whole.clone();
            spoilt[rng.random_range(0..whole.len())] ^= 1 << rng.random_range(0..8);
            assert!(rejected(&spoilt).contains("SHA256SUMS"));
            rejected(&whole[..rng.random_range(0..whole.len())]);
        }
        fs::write(path.join(file), whole).unwrap();
        assert_eq!(states.load_newest::<f32>().unwrap().unwrap().state.step, 2);
    }
}

#[test]
fn what_is_not_whole_is_named_and_passed_over() {
    type Spoil = fn(&Path);
    let spoils: [(&str, Spoil); 6] = [
        ("state.json: version is 2", |path| forge(path, |json| json["version"] = json!(2))),
        ("unknown field `more`", |path| forge(path, |json| json["more"] = json!(1))),
        ("scalar is F64, where F32", |path| forge(path, |json| json["scalar"] = json!("F64"))),
        ("belongs to none", |path| {
            forge(path, |json| _ = json["learners"].as_object_mut().unwrap().remove("verifier"));
        }),
        ("SHA256SUMS: not the digests", |path| fs::write(path.join("SHA256SUMS"), "").unwrap()),
        ("state.safetensors: ", |path| fs::remove_file(path.join("state.safetensors")).unwrap()),
    ];
    for (message, spoil) in spoils {
        let (_folder, loaded) = spoilt(spoil);
        let Loaded { state, folder, rejected } = loaded.unwrap().unwrap();
        assert_eq!((state.step, &*folder), (1, "save-000000-step-00000001"));
        let warning = rejected[0].to_string();
        assert!(warning.starts_with("save-000001-step-00000002/") && warning.contains(message), "{warning}");
    }
    let (folder, _) = spoilt(|path| fs::remove_dir_all(path).unwrap());
    fs::remove_file(folder.path().join("save-000000-step-00000001/state.json")).unwrap();
    let error = load_newest::<f32, _>(&Disk(folder.path().into())).unwrap_err();
    assert!(matches!(&error, StateError::NoneWhole(rejected) if rejected.len() == 1), "{error}");
    load_newest::<f32, _>(&Disk(folder.path().join("absent"))).unwrap_err();
}

#[test]
fn a_state_of_another_run_is_refused_by_field_and_tensor() {
    let [rule, other] = rule_pairs()[2];
    let mut run = Run::new(Cpu::<f32>::new(), [rule, other], 1);
    let state = run.state();
    let before = fingerprint(&state);
    let mut restore = |edit: &dyn Fn(&mut TrainingState<f32>)| {
        let mut edited = state.clone();
        edit(&mut edited);
        let error = run.restore(&edited).unwrap_err();
        assert!(fingerprint(&run.state()) == before, "{error}: half restored");
        error.to_string()
    };
    let rule = restore(&|state| state.learners.get_mut("verifier").unwrap().rule = "ogda".into());
    assert_eq!(rule, r#"state.json: learners.verifier.rule is "ogda", where "optimistic_adam" is expected"#);
    let tensor = "weights/model.norm.weight";
    let missing = restore(&|state| _ = state.learners.get_mut("verifier").unwrap().tensors.remove(tensor));
    assert!(missing.starts_with(r#"state.safetensors: "verifier/weights/model.norm.weight" is missing"#), "{missing}");
    let reshaped = restore(&|state| {
        let tensor = state.learners.get_mut("verifier").unwrap().tensors.get_mut(tensor).unwrap();
        *tensor = aprm_models::training_state::StateTensor { shape: vec![4, 4], ..tensor.clone() };
    });
    assert!(reshaped.ends_with("is [4, 4], where [16] is expected"), "{reshaped}");
    let unexpected = restore(&|state| {
        let tensors = &mut state.learners.get_mut("verifier").unwrap().tensors;
        tensors.insert("weights/lm_head.weight".into(), tensors[tensor].clone());
    });
    assert!(unexpected.contains("\"verifier/weights/lm_head.weight\" is not expected"), "{unexpected}");
    let learner = restore(&|state| _ = state.learners.remove("verifier"));
    assert_eq!(learner, "state.json: learners.verifier is missing");
    assert!(matches!(state.stream("dropout"), Err(RestoreError::Missing { field }) if field == "streams.dropout"));
    assert!(matches!(state.cursor("test"), Err(RestoreError::Missing { field }) if field == "cursors.test"));
    assert_eq!(state.cursor("train").unwrap(), DataCursor::default());
}

#[test]
fn what_would_not_be_read_is_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let states = StateFolder::open(folder.path(), keep(1)).unwrap();
    states.save(&small(1)).unwrap();
    let mut state = small(2);
    state.learners.get_mut("verifier").unwrap().tensors.get_mut("weights/model.norm.weight").unwrap().entries[3] =
        f32::NAN;
    let error = states.save(&state).unwrap_err();
    assert!(matches!(error, SaveStateError::Tensors { .. }));
    assert!(error.to_string().contains("verifier/weights/model.norm.weight\" is NaN at entry 3"), "{error}");
    for name in ["", "a/b", "..", "-a", "é"] {
        let mut state = small(2);
        state.learners.insert(name.into(), state.learners["verifier"].clone());
        assert!(matches!(states.save(&state), Err(SaveStateError::Learner(refused)) if refused == name));
    }
    let loaded = newest::<f32>(folder.path());
    assert_eq!((loaded.state.step, loaded.rejected.len()), (1, 0));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_folder_belongs_to_one_run() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("states");
    let first = StateFolder::open(&path, keep(1)).unwrap();
    let error = StateFolder::open(&path, keep(1)).unwrap_err();
    assert!(matches!(&error, OpenError::Locked(folder) if folder.ends_with("states")), "{error}");
    // Who only reads does not wait.
    assert!(load_newest::<f32, _>(&Disk(path.clone())).unwrap().is_none());
    drop(first);
    StateFolder::open(&path, keep(1)).unwrap();
    let error = StateFolder::open(&parent.path().join("a/b"), keep(1)).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }));
}
