//! The game on GSM8K: what is dealt, what the rules make wrong, and what the oracle says of it.

use std::process::Command;
use std::time::Duration;

use aprm_core::oracle::Verdict;
use aprm_models::aprm::config::Asked;
use aprm_models::aprm::gsm8k_task::{Gsm8kTask, NoProblem};
use aprm_models::aprm::task::Task;
use aprm_models::data::{Gsm8k, Row};
use aprm_models::oracle::ProcessOracle;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// Written for this test, in GSM8K's form.
const ROWS: [&str; 3] = [
    r#"{"question": "Ada reads 12 pages a day for 5 days, then 7 more. How many pages?", "answer": "In 5 days she reads 12*5 = <<12*5=60>>60 pages.\nIn all she reads 60+7 = <<60+7=67>>67 pages.\n#### 67"}"#,
    r#"{"question": "A box of 24 pens is shared by 6 children. How many each?", "answer": "Each gets 24/6=<<24/6=4>>4 pens.\n#### 4"}"#,
    r#"{"question": "Nobody counts here, so what is there to count?", "answer": "There is nothing.\n#### 0"}"#,
];

fn task(characters: usize) -> Result<Gsm8kTask, NoProblem> {
    Gsm8kTask::new(ROWS.map(|row| Gsm8k::parse(row).unwrap()), characters, 100)
}

#[test]
fn problems_without_a_step_to_judge_or_too_long_are_left_out() {
    assert_eq!(task(1000).unwrap().len(), 2);
    assert_eq!(task(90).unwrap().len(), 1);
    let none = task(20).unwrap_err();
    assert_eq!(
        none.to_string(),
        "no problem has at most 20 characters with its solution, at most 100 in each step, and a step that an oracle can judge"
    );
}

#[test]
fn what_the_rules_make_is_wrong_to_the_oracle_and_shows_no_annotation() {
    let (mut task, mut rng) = (task(1000).unwrap(), ChaCha8Rng::seed_from_u64(0));
    let mut kinds = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let solution = task.deal(&mut rng);
        for step in 0..task.steps(&solution).len() {
            assert!(!task.steps(&solution)[step].contains("<<"));
            let (_, corrupted) = task.corrupt(&solution, step, &mut rng).expect("all these steps can be corrupted");
            assert!(!corrupted.contains("<<"), "{corrupted}");
            assert_eq!(task.judge(&solution, step, &corrupted).unwrap(), Verdict::Incorrect, "{corrupted}");
            kinds.insert(task.error_kind(&solution, step, &corrupted));
        }
    }
    for kind in ["off by a little", "carry", "another calculation"] {
        assert!(kinds.contains(kind), "{kind} is none of {kinds:?}");
    }
    assert!(!kinds.contains("unchanged"), "{kinds:?}");
}

#[test]
fn rewrites_are_told_apart() {
    let mut task = task(1000).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let solution = std::iter::repeat_with(|| task.deal(&mut rng)).find(|it| task.steps(it).len() == 2).unwrap();
    for (rewrite, verdict, kind) in [
        ("In 5 days she reads 12*5 = 60 pages.", Verdict::Correct, "unchanged"),
        ("In 5 days she reads 5*12 = 60 pages.", Verdict::Correct, "equal value"),
        ("In 5 days she reads 12*5 = 62 pages.", Verdict::Incorrect, "off by a little"),
        ("In 5 days she reads 12*7 = 84 pages.", Verdict::Incorrect, "another calculation"),
        ("In 5 days she reads some pages.", Verdict::Undecidable, "unreadable"),
    ] {
        assert_eq!(task.judge(&solution, 0, rewrite).unwrap(), verdict, "{rewrite}");
        assert_eq!(task.error_kind(&solution, 0, rewrite), kind, "{rewrite}");
    }
    let steps = |last: &str| vec![task.steps(&solution)[0].clone(), last.to_owned()];
    assert!(task.solves(&solution, &steps("In all 60+7 = 67 pages.")));
    assert!(!task.solves(&solution, &steps("In all 60+8 = 68 pages.")));
    assert!(!task.solves(&solution, &steps("In all many pages.")));
}

#[test]
fn a_program_judges_what_the_arithmetic_does_not_decide_or_everything() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let second = r#"{"context":{"problem":"Ada reads 12 pages a day for 5 days, then 7 more. How many pages?","steps":["In 5 days she reads 12*5 = 60 pages."]},"gold_step":"In all she reads 60+7 = 67 pages.","step":"#;
    let script = format!(
        r#"while read -r line; do
            case "$line" in
                '{second}'*) echo '{{"verdict":"correct"}}';;
                *) exit 1;;
            esac
        done"#
    );
    for (asked, wrong) in [(Asked::IfUndecidable, Verdict::Incorrect), (Asked::Always, Verdict::Correct)] {
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        let judge = ProcessOracle::new(command, Duration::from_secs(30));
        let mut task = task(1000).unwrap().judged_by(judge, asked);
        let solution = std::iter::repeat_with(|| task.deal(&mut rng)).find(|it| task.steps(it).len() == 2).unwrap();
        let mut verdict = |step, rewrite| task.judge(&solution, step, rewrite);
        assert_eq!(verdict(1, "All of them.").unwrap(), Verdict::Correct);
        assert_eq!(verdict(1, "In all 60+7 = 69 pages.").unwrap(), wrong);
        assert!(verdict(0, "Some pages.").unwrap_err().to_string().contains("ended without an answer"));
    }
}
