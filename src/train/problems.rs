//! The problems of a run: built-in ones, or GSM8K's.

use std::fs::File;
use std::io::BufReader;
use std::process::Command;
use std::time::Duration;

use aprm_core::oracle::Verdict;
use aprm_core::rand_core::Rng;
use aprm_models::aprm::arithmetic_task::{ArithmeticTask, WorkedProblem};
use aprm_models::aprm::collection::{Collection, NothingCollected};
use aprm_models::aprm::config::{Gsm8kConfig, JudgeConfig, RunConfig, Strictness};
use aprm_models::aprm::gsm8k_task::{Gsm8kProblem, Gsm8kTask};
use aprm_models::aprm::prompt::special_tokens;
use aprm_models::aprm::streams::stream;
use aprm_models::aprm::task::Task;
use aprm_models::arithmetic::{ALPHABET, Distribution, ErrorKind};
use aprm_models::data::JsonLines;
use aprm_models::oracle::{ProcessError, ProcessOracle};
use aprm_models::tokenizer::Alphabet;

use super::TrainError;

/// Tokens beside characters in a sequence at most: marks, and digits that a wrong number has more.
const MARKS: usize = 24;

/// The random stream of what is collected.
const COLLECTION: u64 = 16;

/// What the game is played on.
#[derive(Clone)]
pub(crate) enum Problems {
    Arithmetic(ArithmeticTask),
    Gsm8k(Gsm8kTask),
}

/// A problem with its solution.
pub(crate) enum Worked {
    Arithmetic(WorkedProblem),
    Gsm8k(Gsm8kProblem),
}

impl Problems {
    pub(super) fn new(config: &RunConfig, oracle: Strictness) -> Result<Self, TrainError> {
        match &config.gsm8k {
            None => Self::arithmetic(config, config.problems.clone(), oracle),
            Some(gsm8k) => Ok(Self::Gsm8k(read(gsm8k, config.game.max_rewrite_tokens, config.model.context)?)),
        }
    }

    /// Those that the language model learns to solve.
    pub(super) fn of_language_model(config: &RunConfig) -> Result<Vec<Self>, TrainError> {
        if config.gsm8k.is_some() {
            return Ok(vec![Self::new(config, config.oracle)?]);
        }
        let distributions = config.pretraining_sets.iter().map(|preset| preset.beside(&config.problems));
        distributions.map(|distribution| Self::arithmetic(config, distribution, config.oracle)).collect()
    }

    fn arithmetic(config: &RunConfig, of: Distribution, oracle: Strictness) -> Result<Self, TrainError> {
        of.validate()?;
        Ok(Self::Arithmetic(ArithmeticTask::new(of, oracle.leniency(), &mut stream(config.seed, 0))?))
    }

    /// The characters of their texts.
    pub(super) fn alphabet(&self) -> Alphabet {
        let special_tokens = special_tokens();
        match self {
            Self::Arithmetic(_) => Alphabet { characters: ALPHABET.into(), special_tokens, ..Alphabet::default() },
            Self::Gsm8k(_) => {
                let characters = (' '..='~').collect();
                Alphabet { characters, special_tokens, maps_unknown: true }
            }
        }
    }
}

/// The solutions and errors that all arms of a run share.
pub(super) fn collected(config: &RunConfig, problems: Problems) -> Result<Collection<Problems>, NothingCollected> {
    match config.collected_solutions {
        0 => Ok(Collection::endless(problems)),
        solutions => Collection::new(problems, solutions, &mut stream(config.seed, COLLECTION)),
    }
}

/// Those that leave room for a rewrite in the context, of steps that a rewrite has room for.
fn read(
    Gsm8kConfig { file, characters, judge }: &Gsm8kConfig,
    rewrite: usize,
    context: usize,
) -> Result<Gsm8kTask, TrainError> {
    if characters + rewrite + MARKS > context {
        let problem = format!(
            "gsm8k.characters = {characters}, game.max_rewrite_tokens = {rewrite} and {MARKS} marks are together more \
             than model.context = {context}"
        );
        return Err(TrainError::Settings { path: file.clone(), problem });
    }
    let opened = File::open(file).map_err(|source| TrainError::Read { path: file.clone(), source })?;
    let rows = JsonLines::new(BufReader::new(opened), file.display().to_string()).collect::<Result<Vec<_>, _>>()?;
    let task = Gsm8kTask::new(rows, *characters, rewrite)?;
    let Some((JudgeConfig { seconds, asked, .. }, [program, arguments @ ..])) =
        judge.as_ref().map(|judge| (judge, &judge.command[..]))
    else {
        return Ok(task);
    };
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(task.judged_by(ProcessOracle::new(command, Duration::from_secs(*seconds)), *asked))
}

/// The same of either kind; a problem is always of the kind that dealt it.
macro_rules! of_kind {
    ($task:expr, $solution:expr, |$of:ident, $its:ident| $value:expr) => {
        match ($task, $solution) {
            (Problems::Arithmetic($of), Worked::Arithmetic($its)) => $value,
            (Problems::Gsm8k($of), Worked::Gsm8k($its)) => $value,
            _ => unreachable!("a problem of another kind"),
        }
    };
}

impl Task for Problems {
    type Solution = Worked;
    type Error = ProcessError;

    fn deal(&self, rng: &mut dyn Rng) -> Worked {
        match self {
            Self::Arithmetic(task) => Worked::Arithmetic(task.deal(rng)),
            Self::Gsm8k(task) => Worked::Gsm8k(task.deal(rng)),
        }
    }

    fn problem<'a>(&self, solution: &'a Worked) -> &'a str {
        of_kind!(self, solution, |task, solution| task.problem(solution))
    }

    fn steps<'a>(&self, solution: &'a Worked) -> &'a [String] {
        of_kind!(self, solution, |task, solution| task.steps(solution))
    }

    fn corrupt(&self, solution: &Worked, step: usize, rng: &mut dyn Rng) -> Option<(ErrorKind, String)> {
        of_kind!(self, solution, |task, solution| task.corrupt(solution, step, rng))
    }

    fn judge(&mut self, solution: &Worked, step: usize, rewrite: &str) -> Result<Verdict, Self::Error> {
        match (self, solution) {
            (Self::Arithmetic(task), Worked::Arithmetic(solution)) => {
                let Ok(verdict) = task.judge(solution, step, rewrite);
                Ok(verdict)
            }
            (Self::Gsm8k(task), Worked::Gsm8k(solution)) => task.judge(solution, step, rewrite),
            _ => unreachable!("a problem of another kind"),
        }
    }

    fn solves(&self, solution: &Worked, steps: &[String]) -> bool {
        of_kind!(self, solution, |task, solution| task.solves(solution, steps))
    }

    fn error_kind(&self, solution: &Worked, step: usize, rewrite: &str) -> &'static str {
        of_kind!(self, solution, |task, solution| task.error_kind(solution, step, rewrite))
    }
}
