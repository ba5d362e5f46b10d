use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use aprm_core::oracle::{Oracle, Verdict};
use serde::{Deserialize, Serialize};

use super::Context;

/// The longest answer, in bytes.
const ANSWER: u64 = 64 * 1024;

/// A judge in a process of its own, which is asked over its standard input and answers over its standard output, one
/// line of JSON each.
///
/// ```text
/// {"context":{"problem":"...","steps":["..."]},"gold_step":"...","step":"..."}
/// {"verdict":"correct"}
/// ```
///
/// The verdict is `correct`, `incorrect` or `undecidable`; a judge that abstains says the last, and nothing else passes
/// for it. What the process writes to its standard error goes to that of this program.
/// The process starts with the first question. After any error it is killed, and the next question starts it anew.
#[derive(Debug)]
pub struct ProcessOracle {
    command: Command,
    timeout: Duration,
    process: Option<Judge>,
}

/// Why an external judge gave no verdict.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It cannot be started.
    #[error("{program:?} cannot be started: is it installed and executable?")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The question cannot be written.
    #[error("{program:?} cannot be asked")]
    Write {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It cannot be read from.
    #[error("the answer of {program:?} cannot be read")]
    Read {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It ended, or closed its output, instead of answering.
    #[error("{program:?} ended without an answer ({})", .status.map_or("status unknown".to_owned(), |it| it.to_string()))]
    Ended {
        /// The program.
        program: String,
        /// How, if it has ended.
        status: Option<ExitStatus>,
    },
    /// It takes too long.
    #[error("{program:?} has not answered within {timeout:?}")]
    Timeout {
        /// The program.
        program: String,
        /// The time that it had.
        timeout: Duration,
    },
    /// Its answer is something else.
    #[error("{program:?} answers {answer:?}, where {{\"verdict\":\"correct|incorrect|undecidable\"}} is expected")]
    Answer {
        /// The program.
        program: String,
        /// The answer's beginning.
        answer: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It answers what nobody asked.
    #[error("{program:?} wrote {answer:?} before it was asked: one line is expected for each question")]
    Unasked {
        /// The program.
        program: String,
        /// The beginning of what it wrote.
        answer: String,
    },
}

#[derive(Serialize)]
struct Question<'a> {
    context: Place<'a>,
    gold_step: &'a str,
    step: &'a str,
}

#[derive(Serialize)]
struct Place<'a> {
    problem: String,
    steps: &'a [String],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    verdict: Word,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Correct,
    Incorrect,
    Undecidable,
}

/// The process while it runs; it ends with this value.
#[derive(Debug)]
struct Judge {
    child: Child,
    questions: SyncSender<Vec<u8>>,
    answers: Receiver<io::Result<Vec<u8>>>,
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It may have ended by itself, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl ProcessOracle {
    /// A judge that is started by `command` and has `timeout` for each answer.
    pub fn new(command: Command, timeout: Duration) -> Self {
        Self { command, timeout, process: None }
    }

    fn program(&self) -> String {
        self.command.get_program().to_string_lossy().into_owned()
    }

    fn start(&mut self) -> Result<Judge, ProcessError> {
        let program = self.program();
        let spawned = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|source| ProcessError::Start { program, source })?;
        let (questions, to_write) = sync_channel(1);
        let (read, answers) = sync_channel(1);
        if let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) {
            thread::spawn(move || write_lines(input, &to_write));
            thread::spawn(move || read_lines(output, &read));
        }
        Ok(Judge { child, questions, answers })
    }

    fn ask(&mut self, question: Vec<u8>) -> Result<Verdict, ProcessError> {
        let (program, timeout) = (self.program(), self.timeout);
        let mut judge = match self.process.take() {
            Some(judge) => judge,
            None => self.start()?,
        };
        if let Ok(Ok(answer)) = judge.answers.try_recv() {
            return Err(ProcessError::Unasked { program, answer: beginning(&answer) });
        }
        // If the process no longer reads, that it has ended is what the answer will say.
        let _ = judge.questions.send(question);
        let answer = match judge.answers.recv_timeout(timeout) {
            Ok(answer) => answer.map_err(|source| ProcessError::Read { program: program.clone(), source })?,
            Err(RecvTimeoutError::Timeout) => return Err(ProcessError::Timeout { program, timeout }),
            Err(RecvTimeoutError::Disconnected) => {
                let status = judge.child.try_wait().ok().flatten();
                return Err(ProcessError::Ended { program, status });
            }
        };
        let Answer { verdict } = serde_json::from_slice(&answer).map_err(|source| ProcessError::Answer {
            program,
            answer: beginning(&answer),
            source,
        })?;
        self.process = Some(judge);
        Ok(match verdict {
            Word::Correct => Verdict::Correct,
            Word::Incorrect => Verdict::Incorrect,
            Word::Undecidable => Verdict::Undecidable,
        })
    }
}

impl<P: Display, S: AsRef<str> + ?Sized> Oracle<Context<P>, S> for ProcessOracle {
    type Error = ProcessError;

    fn judge(&mut self, context: &Context<P>, gold_step: &S, step: &S) -> Result<Verdict, ProcessError> {
        let question = Question {
            context: Place { problem: context.problem.to_string(), steps: &context.steps },
            gold_step: gold_step.as_ref(),
            step: step.as_ref(),
        };
        let write = |source: serde_json::Error| ProcessError::Write { program: self.program(), source: source.into() };
        let mut line = serde_json::to_vec(&question).map_err(write)?;
        line.push(b'\n');
        self.ask(line)
    }
}

/// Writes on a thread of its own, so that a process that does not read cannot hold up more than its own answer.
fn write_lines(mut input: ChildStdin, questions: &Receiver<Vec<u8>>) {
    while let Ok(question) = questions.recv() {
        if input.write_all(&question).and_then(|()| input.flush()).is_err() {
            return;
        }
    }
}

/// Reads on a thread of its own, since reading from a pipe has no time limit.
fn read_lines(output: ChildStdout, answers: &SyncSender<io::Result<Vec<u8>>>) {
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        let read = output.by_ref().take(ANSWER).read_until(b'\n', &mut line);
        let last = !line.ends_with(b"\n");
        let sent = match read {
            Ok(0) => return,
            Ok(_) => answers.send(Ok(line)),
            Err(error) => answers.send(Err(error)),
        };
        if last || sent.is_err() {
            return;
        }
    }
}

/// The first characters of an answer, for an error message.
fn beginning(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).trim_end().chars().take(80).collect()
}
