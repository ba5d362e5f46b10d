//! Any text as a step, a problem or arithmetic: read back as it was printed, or refused, and judged without a guess.
#![no_main]

use std::convert::Infallible;

use aprm_core::oracle::{Oracle, Verdict};
use aprm_core::rand_core::TryRng;
use aprm_models::arithmetic::{ErrorKind, Finding, Problem, Step, classify, corrupt};
use aprm_models::oracle::{ArithmeticOracle, Context, Equation, Expression, GoldStepOracle, Truth, equations};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(expression) = Expression::parse(text) {
        assert_eq!(Expression::parse(&expression.to_string()), Ok(expression));
    }
    for equation in equations(text).into_iter().flatten() {
        assert_eq!(Equation::parse(&equation.to_string()), Ok(equation));
    }
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    judge_sentences(first, rest);
    if let Some(step) = Step::parse(first) {
        assert_eq!(step.to_string(), first);
    }
    if let Ok(problem) = first.parse::<Problem>() {
        assert_eq!(problem.to_string(), first);
        judge_steps(&problem, rest);
    }
});

fn judge_sentences(gold_step: &str, step: &str) {
    let context = Context::<String>::default();
    assert_eq!(GoldStepOracle.judge(&context, gold_step, gold_step), Ok(Verdict::Correct));
    let Ok(verdict) = GoldStepOracle.judge(&context, gold_step, step);
    // Without arithmetic in the gold step only a step that contradicts itself can be wrong.
    let is_false = |equation: Option<Equation>| equation.is_some_and(|it| it.truth() == Truth::False);
    if verdict == Verdict::Incorrect && !gold_step.contains('=') && !step.contains("<<") {
        assert!(equations(step).into_iter().any(is_false), "nothing that is shown is wrong");
    }
}

fn judge_steps(problem: &Problem, chain: &str) {
    let verdict = ArithmeticOracle::default().judge_chain(problem, chain.lines());
    assert_eq!(verdict.first_error.is_some(), verdict.finding.is_some());
    let solution = ArithmeticOracle::default().judge_chain(problem, problem.solution());
    assert!(solution.first_error.is_none() && solution.right_answer, "{solution:?}");
    for k in 0..problem.steps() {
        classify(problem, k, chain);
        for kind in ErrorKind::ALL {
            if let Some(step) = corrupt(problem, k, kind, &mut Count(chain.len() as u64)) {
                assert_eq!(classify(problem, k, &step), Finding::Error(kind), "{step}");
            }
        }
    }
}

/// Draws that depend on nothing but how many there were.
struct Count(u64);

impl TryRng for Count {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|word| (word >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        Ok(self.0.wrapping_mul(0xd129_0d3b_3b9c_5a4d))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(self.0 as u8);
        Ok(())
    }
}
