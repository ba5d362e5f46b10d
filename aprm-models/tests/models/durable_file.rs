//! Durable files: faults at every operation, power cuts after every operation.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::rc::Rc;

use aprm_models::durable_file::{Disk, Folder, replace};

const OLD: &[u8] = b"the old file";
const TARGET: &str = "target";

fn new() -> Vec<u8> {
    (0..200_000).map(|i| (i % 251) as u8).collect()
}

/// What is done to a folder, with files by number.
#[derive(Clone, Debug)]
enum Operation {
    Create(String, usize),
    Write(usize, Vec<u8>),
    SyncFile(usize),
    Rename(String, String, usize),
    SyncNames,
    Remove(String),
}
use Operation::{Create, Remove, Rename, SyncFile, SyncNames, Write as Written};

/// A folder in memory that keeps a record, and fails once where it is told to.
#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Record>>);

#[derive(Default)]
struct Record {
    operations: Vec<Operation>,
    attempts: usize,
    fails_at: Option<usize>,
}

impl Memory {
    fn run(&self, operation: Operation) -> io::Result<()> {
        let mut record = self.0.borrow_mut();
        record.attempts += 1;
        if record.fails_at == Some(record.attempts - 1) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        record.operations.push(operation);
        Ok(())
    }

    fn operations(&self) -> Vec<Operation> {
        self.0.borrow().operations.clone()
    }

    fn names(&self) -> BTreeMap<String, usize> {
        names(self.operations().iter())
    }
}

struct MemoryFile(Memory, usize);

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = bytes.len().min(50_000);
        self.0.run(Written(self.1, bytes[..written].into())).map(|()| written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Folder for Memory {
    type File = MemoryFile;

    fn create_new(&self, name: &str) -> io::Result<MemoryFile> {
        if self.names().contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = 1 + self.operations().iter().filter(|operation| matches!(operation, Create(..))).count();
        self.run(Create(name.into(), id)).map(|()| MemoryFile(self.clone(), id))
    }

    fn sync_file(&self, file: &MemoryFile) -> io::Result<()> {
        self.run(SyncFile(file.1))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let id = self.names()[from];
        self.run(Rename(from.into(), to.into(), id))
    }

    fn sync_names(&self) -> io::Result<()> {
        self.run(SyncNames)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.run(Remove(name.into()))
    }
}

fn names<'a>(operations: impl Iterator<Item = &'a Operation>) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::from([(TARGET.into(), 0)]);
    for operation in operations {
        match operation {
            Create(name, id) => _ = names.insert(name.clone(), *id),
            Remove(name) => _ = names.remove(name),
            Rename(from, to, id) => {
                names.remove(from);
                names.insert(to.clone(), *id);
            }
            Written(..) | SyncFile(_) | SyncNames => {}
        }
    }
    names
}

/// All that may be in the target after a power cut: names since their last sync are kept or lost one by one, and of
/// what was written to a file since its last sync, some beginning is kept.
fn after_power_cut(operations: &[Operation]) -> Vec<Option<Vec<u8>>> {
    let synced = operations.iter().rposition(|operation| matches!(operation, SyncNames)).unwrap_or(0);
    let (durable, loose) = operations.split_at(synced);
    let loose: Vec<_> = loose.iter().filter(|op| matches!(op, Create(..) | Rename(..) | Remove(_))).collect();
    let mut outcomes = Vec::new();
    for kept in 0..1 << loose.len() {
        let kept = loose.iter().enumerate().filter(|(i, _)| kept >> i & 1 == 1).map(|(_, op)| *op);
        match names(durable.iter().chain(kept)).get(TARGET) {
            None => outcomes.push(None),
            Some(0) => outcomes.push(Some(OLD.into())),
            Some(id) => {
                let (mut bytes, mut safe) = (Vec::new(), 0);
                for operation in operations {
                    match operation {
                        Written(file, more) if file == id => bytes.extend(more),
                        SyncFile(file) if file == id => safe = bytes.len(),
                        _ => {}
                    }
                }
                let lost = [0, 1, 511, 512, 4095, bytes.len()].map(|lost| bytes.len().saturating_sub(lost).max(safe));
                outcomes.extend(lost.map(|len| Some(bytes[..len].into())));
            }
        }
    }
    outcomes
}

/// The old file or the new one at any time, and the new one once it was promised.
fn survives(memory: &Memory, result: &io::Result<()>) -> Result<(), String> {
    let operations = memory.operations();
    for end in 0..=operations.len() {
        for content in after_power_cut(&operations[..end]) {
            let content = content.ok_or(format!("nothing is left after {end} operations"))?;
            let promised = result.is_ok() && end == operations.len();
            if !(content == new() || content == OLD && !promised) {
                return Err(format!("{} bytes are left after {end} operations", content.len()));
            }
        }
    }
    Ok(())
}

fn replace_target(memory: &Memory) -> io::Result<()> {
    replace(memory, TARGET, |out| out.write_all(&new()))
}

#[test]
fn a_power_cut_leaves_the_old_file_or_the_new_one() {
    let memory = Memory::default();
    let result = replace_target(&memory);
    result.as_ref().unwrap();
    survives(&memory, &result).unwrap();
    let order = memory.operations();
    assert!(
        matches!(&order[..], [Create(..), Written(..), .., SyncFile(1), Rename(_, to, 1), SyncNames] if to == TARGET)
    );
}

#[test]
fn a_fault_anywhere_leaves_the_old_file_or_the_new_one() {
    let operations = {
        let memory = Memory::default();
        replace_target(&memory).unwrap();
        memory.operations().len()
    };
    for fails_at in 0..operations {
        let memory = Memory::default();
        memory.0.borrow_mut().fails_at = Some(fails_at);
        let result = replace_target(&memory);
        assert_eq!(result.as_ref().unwrap_err().kind(), io::ErrorKind::StorageFull, "operation {fails_at}");
        survives(&memory, &result).unwrap();
        assert_eq!(memory.names().keys().collect::<Vec<_>>(), [TARGET], "operation {fails_at} left a file");
    }
}

#[test]
fn careless_writers_are_found_out() {
    type Replace = fn(&Memory) -> io::Result<()>;
    let careless: [(&str, Replace); 4] = [
        ("in place", |folder| {
            folder.remove(TARGET)?;
            let mut file = folder.create_new(TARGET)?;
            file.write_all(&new())?;
            folder.sync_file(&file)?;
            folder.sync_names()
        }),
        ("no sync of the file", |folder| {
            folder.create_new("t")?.write_all(&new())?;
            folder.rename("t", TARGET)?;
            folder.sync_names()
        }),
        ("no sync of the names", |folder| {
            let mut file = folder.create_new("t")?;
            file.write_all(&new())?;
            folder.sync_file(&file)?;
            folder.rename("t", TARGET)
        }),
        ("remove, then rename", |folder| {
            let mut file = folder.create_new("t")?;
            file.write_all(&new())?;
            folder.sync_file(&file)?;
            folder.remove(TARGET)?;
            folder.rename("t", TARGET)?;
            folder.sync_names()
        }),
    ];
    for (mistake, write) in careless {
        let memory = Memory::default();
        let result = write(&memory);
        result.as_ref().unwrap();
        survives(&memory, &result).expect_err(mistake);
    }
}

#[test]
fn a_leftover_of_a_dead_process_is_not_in_the_way() {
    let memory = Memory::default();
    let leftover = format!(".{TARGET}.{}-0.tmp", std::process::id());
    memory.create_new(&leftover).unwrap();
    replace_target(&memory).unwrap();
    assert_eq!(memory.names().into_keys().collect::<Vec<_>>(), [leftover, TARGET.into()]);
}

fn content(folder: &tempfile::TempDir) -> Vec<String> {
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_failed_write_to_disk_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(TARGET), OLD).unwrap();
    let disk = Disk(folder.path().into());
    let result: io::Result<()> = replace(&disk, TARGET, |out| {
        out.write_all(&new())?;
        Err(io::ErrorKind::InvalidData.into())
    });
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert_eq!(fs::read(folder.path().join(TARGET)).unwrap(), OLD);
    assert_eq!(content(&folder), [TARGET]);
    fs::create_dir(folder.path().join("folder")).unwrap();
    replace(&disk, "folder", |out| out.write_all(OLD)).unwrap_err();
    assert_eq!(content(&folder), ["folder", TARGET]);
    replace(&Disk(folder.path().join("absent")), TARGET, |out| out.write_all(OLD)).unwrap_err();
}

#[cfg(unix)]
#[test]
fn a_link_is_replaced_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("elsewhere"), OLD).unwrap();
    std::os::unix::fs::symlink(path("elsewhere"), path(TARGET)).unwrap();
    replace(&Disk(folder.path().into()), TARGET, |out| out.write_all(b"new")).unwrap();
    assert_eq!(fs::read(path("elsewhere")).unwrap(), OLD);
    assert!(fs::symlink_metadata(path(TARGET)).unwrap().is_file());
    assert_eq!(fs::read(path(TARGET)).unwrap(), b"new");
}

#[test]
fn of_many_writers_one_file_remains_whole() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk(folder.path().into());
    std::thread::scope(|scope| {
        for writer in 0..4_u8 {
            let disk = &disk;
            scope.spawn(move || {
                for _ in 0..5 {
                    replace(disk, TARGET, |out| out.write_all(&vec![writer; 100_000])).unwrap();
                }
            });
        }
    });
    let whole = fs::read(folder.path().join(TARGET)).unwrap();
    assert!(whole.len() == 100_000 && whole.iter().all(|byte| *byte == whole[0]));
    assert_eq!(content(&folder), [TARGET]);
}
