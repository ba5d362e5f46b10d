//! The `aprm` command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod play;

/// Adversarially trained process reward models.
///
/// Exit codes: 0 on success, 1 when the work failed, 2 for wrong usage or bad input.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Command {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    Play(play::Play),
}

fn main() -> ExitCode {
    let Command { command: Subcommands::Play(play) } = Command::parse();
    match play.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = core::error::Error::source(&error);
            while let Some(cause) = source {
                eprintln!("  because {cause}");
                source = cause.source();
            }
            ExitCode::from(error.exit_code())
        }
    }
}
