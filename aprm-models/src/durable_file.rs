//! Files that are replaced as a whole, or not at all, whatever fails meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process;

/// The operations on a folder from which durable writes are made.
///
/// # For implementors
/// A name is that of a file in the folder itself.
pub trait Folder {
    /// A file that is being written.
    type File: Write;

    /// Creates an empty file; it is an error of kind `AlreadyExists` if the name is taken, by a link as well.
    ///
    /// # Errors
    /// Whatever the operating system reports; so for all methods below.
    fn create_new(&self, name: &str) -> io::Result<Self::File>;

    /// Returns once what was written to the file would survive a power cut.
    fn sync_file(&self, file: &Self::File) -> io::Result<()>;

    /// Gives a file another name, and takes that name from any other file, in one step.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Returns once the names of the folder's files would survive a power cut.
    fn sync_names(&self) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// Replaces a file, or creates it.
///
/// Once this returns `Ok`, the new file survives a power cut.
/// Until then, and if it returns an error, the name holds the whole old file or the whole new one.
/// A link of that name is replaced, not followed.
///
/// A process that dies meanwhile leaves `.NAME.PID-COUNT.tmp` behind, which may be removed once it is dead.
/// Of two writers at a time the later one's file remains; neither sees a part of the other's.
///
/// # Errors
/// The first error that `write` or the folder reports.
/// Nothing is tried twice: after a failed sync the operating system may have dropped what it could not write.
pub fn replace<F: Folder, E: From<io::Error>>(
    folder: &F,
    name: &str,
    write: impl FnOnce(&mut BufWriter<F::File>) -> Result<(), E>,
) -> Result<(), E> {
    let (temporary, file) = create_temporary(folder, name)?;
    let write_and_rename = || {
        let mut out = BufWriter::with_capacity(1 << 16, file);
        write(&mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        folder.sync_file(&file)?;
        drop(file);
        Ok(folder.rename(&temporary, name)?)
    };
    let renamed: Result<(), E> = write_and_rename();
    if renamed.is_err() {
        // The first error is the one to report; a file that stays behind harms nobody.
        let _ = folder.remove(&temporary);
    }
    renamed?;
    Ok(folder.sync_names()?)
}

fn create_temporary<F: Folder>(folder: &F, name: &str) -> io::Result<(String, F::File)> {
    // A name may be taken by another thread, or by a dead process that had the same id.
    for count in 0..1000 {
        let temporary = format!(".{name}.{}-{count}.tmp", process::id());
        match folder.create_new(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|file| (temporary, file)),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "a thousand temporary files are in the way"))
}

/// A folder of the operating system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk(pub PathBuf);

impl Folder for Disk {
    type File = File;

    fn create_new(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(self.0.join(name))
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.0.join(from), self.0.join(to))
    }

    fn sync_names(&self) -> io::Result<()> {
        // Elsewhere a folder cannot be opened, and renaming is durable of itself.
        if cfg!(unix) { File::open(&self.0)?.sync_all() } else { Ok(()) }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }
}
