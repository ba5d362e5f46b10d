//! What a command says, which nobody need read to the end.

use std::io::{self, Write};

/// Writes a text to standard output; a reader that has seen enough is no failure.
pub(crate) fn print(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a line to standard error; that it cannot be written is no reason to stop.
pub(crate) fn tell(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}
