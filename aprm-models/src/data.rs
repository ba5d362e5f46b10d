//! Rows of data, one JSON object on each line, read one at a time.
//!
//! A reader drops nothing: a row that is not as its format says is an error with file and line, and the last thing that
//! is read. What a row's own lines lose, such as blank ones, the row counts.

mod big_bench_mistake;
mod gsm8k;
mod json_lines;
mod processbench;
mod solution;
mod stepwise;
mod svamp;
mod token_ids;

pub use big_bench_mistake::BigBenchMistake;
pub use gsm8k::{Annotations, Gsm8k, RecordedSolution, RecordedSolutions, corrupt_annotated};
pub use json_lines::{JsonLines, JsonProblem, Row, RowError, RowProblem};
pub use processbench::ProcessBench;
pub use solution::Solution;
pub use stepwise::Stepwise;
pub use svamp::Svamp;
pub use token_ids::TokenIds;
