//! Folders that appear as a whole, or not at all, whatever fails meanwhile.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek};
use std::path::Path;

use crate::durable_file::{Disk, Folder};

/// What a folder that is not complete ends in.
pub const PARTIAL: &str = ".partial";

/// A folder of folders that hold files.
///
/// # For implementors
/// A name is that of something in the folder itself.
pub trait FolderTree: Folder + Sized {
    /// A file that is being read.
    type Reader: Read + Seek;

    /// The names of what is in the folder, in any order.
    ///
    /// # Errors
    /// Whatever the operating system reports; so for all methods below.
    fn names(&self) -> io::Result<Vec<String>>;

    /// The folder of that name, which need not be there.
    fn at(&self, name: &str) -> Self;

    /// Makes an empty folder; it is an error of kind `AlreadyExists` if the name is taken.
    fn create_folder(&self, name: &str) -> io::Result<()>;

    /// Removes a folder with the files that are in it.
    fn remove_folder(&self, name: &str) -> io::Result<()>;

    /// Opens a file, which must be a regular one.
    fn open(&self, name: &str) -> io::Result<Self::Reader>;
}

/// Makes an empty folder, if it is not there, whose name would survive a power cut.
///
/// # Errors
/// Whatever the operating system reports; the parent must be there.
pub fn make(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            let parent = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
            Disk(parent.into()).sync_names()
        }
    }
}

/// Makes a folder of files.
///
/// Once this returns `Ok`, the folder survives a power cut with all that is in it.
/// Until then there is no folder of that name, or a whole one; what else may be there is `NAME.partial`.
/// `write` is called for each file in turn.
///
/// # Errors
/// The first error that `write` or the folder reports, and the name of the file, or of the folder, that it was for.
/// Nothing is tried twice.
pub fn create<F: FolderTree, E: From<io::Error>>(
    parent: &F,
    name: &str,
    files: &[&str],
    mut write: impl FnMut(&str, &mut BufWriter<F::File>) -> Result<(), E>,
) -> Result<(), (String, E)> {
    let partial = format!("{name}{PARTIAL}");
    let created = (|| {
        parent.create_folder(&partial).map_err(|error| (partial.clone(), error.into()))?;
        let folder = parent.at(&partial);
        for &file in files {
            create_file(&folder, file, |out| write(file, out)).map_err(|error| (file.into(), error))?;
        }
        let publish = || {
            folder.sync_names()?;
            parent.rename(&partial, name)
        };
        publish().map_err(|error| (partial.clone(), error.into()))
    })();
    if created.is_err() {
        // The first error is the one to report; a folder that stays behind harms nobody.
        let _ = parent.remove_folder(&partial);
    }
    created?;
    parent.sync_names().map_err(|error| (name.into(), error.into()))
}

fn create_file<F: Folder, E: From<io::Error>>(
    folder: &F,
    name: &str,
    write: impl FnOnce(&mut BufWriter<F::File>) -> Result<(), E>,
) -> Result<(), E> {
    let mut out = BufWriter::with_capacity(1 << 16, folder.create_new(name)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(folder.sync_file(&file)?)
}

/// Removes a folder in such a way that it is never seen in part under its name.
///
/// # Errors
/// The first error that the folder reports; `NAME.partial` may be left then.
pub fn remove<F: FolderTree>(parent: &F, name: &str) -> io::Result<()> {
    let partial = format!("{name}{PARTIAL}");
    parent.rename(name, &partial)?;
    parent.remove_folder(&partial)
}

impl FolderTree for Disk {
    type Reader = File;

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            // What is not text is not ours.
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn at(&self, name: &str) -> Self {
        Self(self.0.join(name))
    }

    fn create_folder(&self, name: &str) -> io::Result<()> {
        fs::create_dir(self.0.join(name))
    }

    fn remove_folder(&self, name: &str) -> io::Result<()> {
        fs::remove_dir_all(self.0.join(name))
    }

    fn open(&self, name: &str) -> io::Result<File> {
        let path = self.0.join(name);
        // Looked at before it is opened, since that waits for ever at a pipe.
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        File::open(path)
    }
}
