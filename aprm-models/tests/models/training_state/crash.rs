//! Faults at every operation, and processes that are killed at any time.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use aprm_models::durable_file::{Disk, Folder};
use aprm_models::durable_folder::FolderTree;
use aprm_models::training_state::{SaveStateError, StateFolder, load_newest};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::{keep, newest, small};

/// What happens at an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The disk is full, once.
    Full,
    /// The process dies: nothing that comes later happens.
    Death,
}

#[derive(Default)]
struct Record {
    operations: Vec<String>,
    fault: Option<(usize, Fault)>,
}

/// A folder of the disk that fails where it is told to.
#[derive(Clone)]
struct Faulty {
    disk: Disk,
    record: Rc<RefCell<Record>>,
}

impl Faulty {
    fn new(path: &Path, fault: Option<(usize, Fault)>) -> Self {
        Self { disk: Disk(path.into()), record: Rc::new(RefCell::new(Record { operations: vec![], fault })) }
    }

    fn run(&self, operation: &str, name: &str) -> io::Result<()> {
        let mut record = self.record.borrow_mut();
        let at = record.operations.len();
        let folder = self.disk.0.file_name().unwrap().to_str().unwrap();
        record.operations.push(format!("{operation} {name} in {folder}"));
        match record.fault {
            Some((fails_at, Fault::Full)) if at == fails_at => Err(io::ErrorKind::StorageFull.into()),
            Some((dies_at, Fault::Death)) if at >= dies_at => Err(io::ErrorKind::BrokenPipe.into()),
            _ => Ok(()),
        }
    }
}

struct FaultyFile(Faulty, File, String);

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let some = bytes.len().min(20_000);
        if let Err(error) = self.0.run("write", &self.2) {
            // What fits is written all the same.
            self.1.write_all(&bytes[..some / 2])?;
            return Err(error);
        }
        self.1.write_all(&bytes[..some]).map(|()| some)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Folder for Faulty {
    type File = FaultyFile;

    fn create_new(&self, name: &str) -> io::Result<FaultyFile> {
        self.run("create", name)?;
        Ok(FaultyFile(self.clone(), self.disk.create_new(name)?, name.into()))
    }

    fn sync_file(&self, file: &FaultyFile) -> io::Result<()> {
        self.run("sync", &file.2)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.run("rename", from)?;
        self.disk.rename(from, to)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.run("sync", "names")
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.run("remove", name)?;
        self.disk.remove(name)
    }
}

impl FolderTree for Faulty {
    type Reader = File;

    fn names(&self) -> io::Result<Vec<String>> {
        self.disk.names()
    }

    fn at(&self, name: &str) -> Self {
        Self { disk: self.disk.at(name), record: self.record.clone() }
    }

    fn create_folder(&self, name: &str) -> io::Result<()> {
        self.run("create", name)?;
        self.disk.create_folder(name)
    }

    fn remove_folder(&self, name: &str) -> io::Result<()> {
        self.run("remove", name)?;
        self.disk.remove_folder(name)
    }

    fn open(&self, name: &str) -> io::Result<File> {
        self.disk.open(name)
    }
}

fn saved_once() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("states");
    StateFolder::open(&path, keep(1)).unwrap().save(&small(1)).unwrap();
    (parent, path)
}

#[test]
fn what_is_written_is_synced_before_it_has_its_name_and_the_old_goes_last() {
    let (_parent, path) = saved_once();
    let faulty = Faulty::new(&path, None);
    StateFolder::unlocked(faulty.clone(), keep(1)).save(&small(2)).unwrap();
    let (old, new) = ("save-000000-step-00000001", "save-000001-step-00000002");
    let mut expected = vec![format!("create {new}.partial in states")];
    for file in ["state.safetensors", "state.json", "SHA256SUMS"] {
        for operation in ["create", "write", "sync"] {
            expected.push(format!("{operation} {file} in {new}.partial"));
        }
    }
    expected.push(format!("sync names in {new}.partial"));
    expected.push(format!("rename {new}.partial in states"));
    expected.push("sync names in states".into());
    expected.push(format!("rename {old} in states"));
    expected.push(format!("remove {old}.partial in states"));
    let mut operations = faulty.record.borrow().operations.clone();
    operations.dedup();
    assert_eq!(operations, expected);
}

#[test]
fn a_fault_anywhere_leaves_a_whole_state() {
    let operations = {
        let (_parent, path) = saved_once();
        let faulty = Faulty::new(&path, None);
        StateFolder::unlocked(faulty.clone(), keep(1)).save(&small(2)).unwrap();
        faulty.record.borrow().operations.len()
    };
    for fault in [Fault::Full, Fault::Death] {
        for at in 0..operations {
            let (_parent, path) = saved_once();
            let faulty = Faulty::new(&path, Some((at, fault)));
            let error = StateFolder::unlocked(faulty.clone(), keep(1)).save(&small(2)).unwrap_err();
            let SaveStateError::Io { file, source } = &error else { panic!("{error}") };
            assert!(file.starts_with("save-00000"), "{error}");
            assert_eq!(source.kind() == io::ErrorKind::StorageFull, fault == Fault::Full, "{error}");
            let is_named =
                faulty.record.borrow().operations[..at].iter().any(|operation| operation.starts_with("rename"));
            let loaded = newest::<f32>(&path);
            assert_eq!(loaded.state.step, if is_named { 2 } else { 1 }, "{fault:?} at operation {at}");
            assert!(loaded.rejected.is_empty(), "{fault:?} at operation {at}");
            // The next run cleans up.
            StateFolder::open(&path, keep(1)).unwrap().save(&small(3)).unwrap();
            assert_eq!(newest::<f32>(&path).state.step, 3);
            assert_eq!(fs::read_dir(&path).unwrap().count(), 2, "{fault:?} at operation {at} left something");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_to_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let (_parent, path) = saved_once();
    let allow = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    allow(0o555);
    let states = StateFolder::unlocked(Disk(path.clone()), keep(1));
    // Whom permissions do not hold, such as root, writes all the same.
    let is_held = File::create(path.join("probe")).is_err();
    let saved = states.save(&small(2));
    allow(0o755);
    assert_eq!(saved.is_err(), is_held);
    assert_eq!(newest::<f32>(&path).state.step, if is_held { 1 } else { 2 });
    // A file in the place of the folder stops anyone.
    let file = path.join("file");
    fs::write(&file, "").unwrap();
    StateFolder::open(&file, keep(1)).unwrap_err();
    StateFolder::unlocked(Disk(file), keep(1)).save(&small(2)).unwrap_err();
}

const FOLDER: &str = "APRM_TEST_STATES";
const CARELESS: &str = "APRM_TEST_CARELESS";

/// Saves one state after another and says so each time, until it is killed.
#[test]
#[ignore = "the process that others kill"]
fn saves_for_ever() {
    let path = PathBuf::from(std::env::var_os(FOLDER).expect("the folder"));
    let states = StateFolder::open(&path, keep(2)).unwrap();
    let mut state = small(1);
    for step in 1..100_000 {
        state.step = step;
        let name = states.save(&state).unwrap();
        if std::env::var_os(CARELESS).is_some() {
            // As a writer in place does: the only state is written again under its own name.
            for file in ["state.safetensors", "state.json", "SHA256SUMS"] {
                let path = path.join(&name).join(file);
                let content = fs::read(&path).unwrap();
                let mut file = File::create(&path).unwrap();
                // As on a slow disk, so that most kills meet it.
                std::thread::sleep(Duration::from_millis(2));
                content.chunks(1000).for_each(|some| file.write_all(some).unwrap());
            }
        }
        println!("saved {step}");
    }
}

/// In how many of so many kills the newest state is not whole, or older than one that was promised.
fn lost(kills: usize, careless: bool) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut lost = 0;
    for _ in 0..kills {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "training_state::crash::saves_for_ever", "--ignored", "--nocapture"]);
        command.env(FOLDER, folder.path()).stdout(Stdio::piped());
        if careless {
            command.env(CARELESS, "");
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut promised = lines.find_map(|line| line.strip_prefix("saved ")?.parse::<u64>().ok()).unwrap();
        std::thread::sleep(Duration::from_micros(rng.random_range(0..20_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        promised = lines.filter_map(|line| line.strip_prefix("saved ")?.parse().ok()).last().unwrap_or(promised);
        let is_whole = match load_newest::<f32, _>(&Disk(folder.path().into())) {
            Ok(Some(loaded)) => loaded.rejected.is_empty() && loaded.state.step >= promised,
            _ => false,
        };
        lost += usize::from(!is_whole);
        // The dead process holds no lock, and what it left is not in the way.
        StateFolder::open(folder.path(), keep(1)).unwrap().save(&small(1)).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
    lost
}

#[test]
fn a_killed_process_leaves_what_it_promised() {
    assert_eq!(lost(30, false), 0);
    assert_ne!(lost(30, true), 0, "this test does not notice a state that is torn");
}
