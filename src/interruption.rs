//! Ctrl-C: a run ends at its next state, from which it can go on.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::output::tell;

/// The exit code of a process that an interrupt has ended.
const INTERRUPTED: i32 = 130;

/// Whether an interrupt has come; all clones know the same.
#[derive(Clone, Debug)]
pub(crate) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// From here on the first interrupt of the process is noted, and the second ends it at once.
    pub(crate) fn listen() -> Self {
        let noted = Arc::new(AtomicBool::new(false));
        let flag = noted.clone();
        // Without a handler an interrupt ends the process at once, which costs no more than the updates since the last state.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                process::exit(INTERRUPTED);
            }
            tell("interrupted: ends at the next state; once more ends it at once, and loses what is after the last");
        });
        Self(noted)
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
