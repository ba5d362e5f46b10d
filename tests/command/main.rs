//! The `aprm` command as its users meet it: output, files, exit codes.

mod env;
mod eval;
mod event_file;
mod game_file;
mod gpu;
mod play;
mod report;
mod score;
mod study;
mod train;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// An empty folder in which one test runs the command.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aprm"));
        command.current_dir(&self.0).args(args.split_whitespace());
        command
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// What a successful run prints.
    fn run(&self, args: &str) -> String {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        assert!(status.success(), "aprm {args}: {status}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }

    /// The last line that a successful run prints.
    fn end(&self, args: &str) -> Value {
        serde_json::from_str(self.run(args).lines().last().unwrap()).unwrap()
    }

    /// The complaint of a run that must fail with an exit code, and must not panic.
    fn fails(&self, exit_code: i32, args: &str) -> String {
        let Output { status, stderr, .. } = self.command(args).output().unwrap();
        let complaint = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(exit_code), "aprm {args}: {complaint}");
        complaint
    }
}
