//! What TensorBoard reads: the scalars of metrics.jsonl, under their names, as an event file.

mod event;
mod record;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::metrics_row::MetricsRow;

/// TensorBoard asks for `tfevents` in the name; where others put the time and the host stands nothing that changes.
const NAME: &str = "events.out.tfevents.0.aprm";

/// The event file of an arm, to which each round is appended as it ends.
///
/// Its bytes follow from the lines of metrics.jsonl alone: no clock is read, an event's wall time is its round in
/// seconds.
pub(crate) struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// The file of a folder, holding the events of these rows and no others.
    ///
    /// It is overwritten where it lies: a viewer that has it open then meets the bytes that it has read before.
    pub(crate) fn open(folder: &Path, rows: &[MetricsRow]) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(NAME);
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        let mut bytes = record::framed(&event::file_version());
        for row in rows {
            bytes.extend(record::framed(&event::scalars(row)));
        }
        file.write_all(&bytes)?;
        file.set_len(bytes.len() as u64)?;
        Ok(Self { path, file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends the scalars of a round, in one write, so that a viewer seldom meets half of it.
    pub(crate) fn write(&mut self, row: &MetricsRow) -> io::Result<()> {
        self.file.write_all(&record::framed(&event::scalars(row)))
    }
}
