//! Digests as `sha256sum` writes them: sixty-four hexadecimal digits, two spaces, a name.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

pub(super) const SUMS: &str = "SHA256SUMS";

/// Writes what it is given to another writer, and knows its digest.
pub(super) struct Hashing<W> {
    out: W,
    hasher: Sha256,
}

impl<W: Write> Hashing<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, hasher: Sha256::new() }
    }

    /// The line of a file.
    pub(super) fn line(self, file: &str) -> String {
        line(file, self.hasher)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The line of a file that is there.
pub(super) fn line_of(file: &str, mut source: impl Read) -> io::Result<String> {
    let mut hasher = Hashing::new(io::sink());
    io::copy(&mut source, &mut hasher)?;
    Ok(hasher.line(file))
}

fn line(file: &str, hasher: Sha256) -> String {
    let digits: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}  {file}\n")
}
