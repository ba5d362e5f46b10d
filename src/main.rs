//! The `aprm` command.

use core::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::tell;

mod device;
mod env;
mod eval;
mod interruption;
mod json_lines;
mod metrics_row;
mod output;
mod play;
mod prm;
mod progress;
mod report;
mod score;
mod study;
mod tensorboard;
mod train;

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
    Train(train::Train),
    Study(study::Study),
    Report(report::Report),
    Play(play::Play),
    Score(score::Score),
    Eval(eval::Eval),
    Env(env::Env),
}

fn main() -> ExitCode {
    match Command::parse().command {
        Subcommands::Train(train) => end(train.run(), train::TrainError::exit_code),
        Subcommands::Study(study) => end(study.run(), train::TrainError::exit_code),
        Subcommands::Report(report) => end(report.run(), report::ReportError::exit_code),
        Subcommands::Play(play) => end(play.run(), play::PlayError::exit_code),
        Subcommands::Score(score) => end(score.run(), score::ScoreError::exit_code),
        Subcommands::Eval(eval) => end(eval.run(), eval::EvalError::exit_code),
        Subcommands::Env(env) => end(env.run(), |_| 1),
    }
}

/// Says why a subcommand failed, cause by cause; a cause that an error has named itself is not named again.
fn end<E: Error>(result: Result<(), E>, exit_code: fn(&E) -> u8) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let mut said = error.to_string();
    tell(&format!("error: {said}"));
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_said = cause.to_string();
        if !said.ends_with(&cause_said) {
            tell(&format!("  because {cause_said}"));
        }
        (said, source) = (cause_said, cause.source());
    }
    ExitCode::from(exit_code(&error))
}
