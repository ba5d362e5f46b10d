//! A judge in another process: its answers, and every way in which it can fail to give one.

use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

use aprm_core::oracle::{Oracle, Verdict};
use aprm_models::oracle::{Context, ProcessError, ProcessOracle};

fn judge(script: &str, timeout: Duration) -> ProcessOracle {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    ProcessOracle::new(command, timeout)
}

fn ask(oracle: &mut ProcessOracle, step: &str) -> Result<Verdict, ProcessError> {
    let context = Context { problem: "1 + 1?".to_owned(), steps: vec!["So:".to_owned()] };
    oracle.judge(&context, "1+1=2", step)
}

const PATIENT: Duration = Duration::from_secs(30);

#[test]
fn one_process_answers_question_after_question() {
    let script = r#"
        while read -r line; do
            case "$line" in
                '{"context":{"problem":"1 + 1?","steps":["So:"]},"gold_step":"1+1=2","step":"2=2"}')
                    echo '{"verdict":"correct"}';;
                *'"step":"1+1=3"}') echo '{"verdict":"incorrect"}';;
                *) echo '{"verdict":"undecidable"}';;
            esac
        done"#;
    let mut oracle = judge(script, PATIENT);
    for (step, expected) in
        [("2=2", Verdict::Correct), ("1+1=3", Verdict::Incorrect), ("one\nline", Verdict::Undecidable)]
    {
        assert_eq!(ask(&mut oracle, step).unwrap(), expected, "{step}");
    }
}

#[test]
fn nothing_but_a_verdict_is_one() {
    for answer in ["yes", "{}", r#"{"verdict":"Correct"}"#, r#"{"verdict":null}"#, r#"{"verdict":"correct","p":1}"#, ""]
    {
        let mut oracle = judge(&format!("read -r line; echo '{answer}'; sleep 30"), PATIENT);
        let error = ask(&mut oracle, "2=2").unwrap_err();
        assert!(matches!(error, ProcessError::Answer { .. }), "{answer:?}: {error}");
        assert!(error.source().is_some());
    }
    let mut endless = judge("read -r line; head -c 200000 /dev/zero; sleep 30", PATIENT);
    assert!(matches!(ask(&mut endless, "2=2"), Err(ProcessError::Answer { .. })));
}

#[test]
fn a_process_that_does_not_answer_is_an_error() {
    let mut silent = judge("sleep 30", Duration::from_millis(200));
    let start = Instant::now();
    let error = ask(&mut silent, "2=2").unwrap_err();
    assert_eq!(error.to_string(), "\"sh\" has not answered within 200ms");
    drop(silent);
    assert!(start.elapsed() < Duration::from_secs(20), "the process was waited for, not killed");
    assert!(matches!(ask(&mut judge("exit 3", PATIENT), "2=2"), Err(ProcessError::Ended { .. })));
    let mut absent = ProcessOracle::new(Command::new("no-such-judge"), PATIENT);
    assert!(ask(&mut absent, "2=2").unwrap_err().to_string().contains("\"no-such-judge\" cannot be started"));
    // More than a pipe holds, to a process that never reads.
    assert!(matches!(
        ask(&mut judge("sleep 30", Duration::from_millis(200)), &"2".repeat(1 << 20)),
        Err(ProcessError::Timeout { .. })
    ));
}

#[test]
fn after_an_error_the_process_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("started");
    let script = format!(
        "read -r line; if [ -e {0} ]; then echo '{{\"verdict\":\"correct\"}}'; else touch {0}; fi",
        mark.display()
    );
    let mut oracle = judge(&script, PATIENT);
    assert!(matches!(ask(&mut oracle, "2=2"), Err(ProcessError::Ended { .. })));
    assert_eq!(ask(&mut oracle, "2=2").unwrap(), Verdict::Correct);
}

#[test]
fn answers_that_nobody_asked_for_are_errors() {
    let babble = r#"read -r line; echo '{"verdict":"correct"}'; echo '{"verdict":"correct"}'; read -r line; sleep 30"#;
    let mut oracle = judge(babble, PATIENT);
    ask(&mut oracle, "2=2").unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(matches!(ask(&mut oracle, "2=2"), Err(ProcessError::Unasked { .. })));
}
