//! Rows of data: what is read, what is refused, and what the real files hold.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use aprm_core::oracle::{Oracle, Verdict};
use aprm_models::arithmetic::ErrorKind;
use aprm_models::data::{
    Annotations, BigBenchMistake, Gsm8k, JsonLines, ProcessBench, RecordedSolutions, Row, Svamp, corrupt_annotated,
};
use aprm_models::oracle::{Context, Equation, GoldStepOracle, Truth, annotations};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// The rows of a file of real data, from `APRM_DATA` or beside the project; none if it is not there.
pub(crate) fn rows<T: Row>(name: &str) -> Option<Vec<T>> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let path = std::env::var_os("APRM_DATA").map_or_else(beside, PathBuf::from).join(name);
    let Ok(file) = File::open(&path) else {
        eprintln!("NOT TESTED: {} is absent; APRM_DATA may say where the data is", path.display());
        return None;
    };
    Some(JsonLines::new(BufReader::new(file), name).collect::<Result<_, _>>().unwrap())
}

#[test]
fn rows_are_refused_with_their_place() {
    fn refusal<T: Row>(line: &str) -> String {
        let first = JsonLines::<_, T>::new(line.as_bytes(), "f").next().unwrap();
        first.err().unwrap_or_else(|| panic!("{line} is read")).to_string()
    }
    for (refusal, expected) in [
        (refusal::<Gsm8k>("\n"), "f:1: the line is blank"),
        (refusal::<Gsm8k>("[]"), "f:1: expected a JSON object"),
        (refusal::<Gsm8k>(r#"{"question":"","answer":"","x":1}"#), "f:1: unknown field `x`"),
        (
            refusal::<Gsm8k>(r#"{"question":"","answer":"1+1=2\n#### two"}"#),
            "`answer` is \"two\", where a whole number",
        ),
        (refusal::<Gsm8k>(r#"{"question":"","answer":"1+1=2\n2"}"#), "where a last line `#### 42` is expected"),
        (refusal::<Gsm8k>(r##"{"question":"","answer":"\n#### 2"}"##), "where at least one step is expected"),
        (refusal::<RecordedSolutions>(r#"{"question":""}"#), "missing field"),
        (
            refusal::<ProcessBench>(
                r#"{"id":"","generator":"","problem":"","steps":["a"],"final_answer_correct":true,"label":1}"#,
            ),
            "`label` is \"1\", where -1 or the index of one of the steps is expected",
        ),
        (
            refusal::<BigBenchMistake>(r#"{"input":"","steps":[],"target":"","answer":"","mistake_index":null}"#),
            "`mistake_index` is \"0\"",
        ),
        (
            refusal::<Svamp>(
                r#"{"ID":"","Body":"","Question":"","Equation":"1.0 plus 1.0","Answer":2.0,"Type":"","idx":0}"#,
            ),
            "`Equation` is \"1.0 plus 1.0\", where arithmetic is expected",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal:?} does not say {expected:?}");
    }
}

#[test]
fn blank_lines_are_counted() {
    let row = Gsm8k::parse(r#"{"question":"?","answer":"1+1=<<1+1=2>>2\n\n2+1=3\n#### 1,003"}"#).unwrap();
    assert_eq!((row.blank_lines, row.answer), (1, 1003));
    assert_eq!(row.steps(Annotations::Stripped), ["1+1=2", "2+1=3"]);
}

#[test]
fn every_annotation_of_gsm8k_is_exact() {
    let Some(rows) = rows::<Gsm8k>("gsm8k/train.jsonl") else { return };
    assert_eq!(rows.len(), 7473);
    assert_eq!(rows.iter().map(|row| row.blank_lines).sum::<usize>(), 4);
    let mut exact = 0;
    for annotation in rows.iter().flat_map(|row| &row.steps).flat_map(|step| annotations(step)) {
        let equation = Equation::parse(annotation).unwrap_or_else(|error| panic!("{annotation}: {error}"));
        assert_eq!(equation.truth(), Truth::Exact, "{annotation}");
        exact += 1;
    }
    assert_eq!(exact, 23_716);
}

/// What is made wrong is found wrong, and gold steps without their annotations hardly ever are.
#[test]
fn corrupted_gsm8k_is_found_wrong() {
    let Some(rows) = rows::<Gsm8k>("gsm8k/train.jsonl") else { return };
    let (context, mut rng) = (Context::<String>::default(), ChaCha8Rng::seed_from_u64(4));
    let mut made = BTreeMap::<(ErrorKind, &str), usize>::new();
    let mut gold_verdicts = BTreeMap::<&str, usize>::new();
    let judge = |gold: &str, step: &str| {
        let Ok(verdict) = GoldStepOracle.judge(&context, gold, step);
        match verdict {
            Verdict::Correct => "correct",
            Verdict::Incorrect => "incorrect",
            Verdict::Undecidable => "undecidable",
        }
    };
    for row in rows.iter().take(1500) {
        let bare = row.steps(Annotations::Stripped);
        for (k, gold) in row.steps.iter().enumerate() {
            assert_eq!(judge(gold, &bare[k]), "correct", "{gold}");
            let extended = judge(gold, &format!("{} So it is.", bare[k]));
            *gold_verdicts.entry(extended).or_default() += 1;
            for kind in ErrorKind::ALL {
                if let Some(step) = corrupt_annotated(&row.question, &row.steps, k, kind, &mut rng) {
                    assert_ne!(&step, gold, "{kind}");
                    *made.entry((kind, judge(gold, &step))).or_default() += 1;
                }
            }
        }
    }
    // Five of these ten are wrong in GSM8K itself, such as "192*100=$1920"; the others mix units, or
    // have times of day and mixed numbers.
    assert_eq!(gold_verdicts, BTreeMap::from([("correct", 3987), ("incorrect", 10), ("undecidable", 1346)]));
    let total = |kind| made.iter().filter(|((other, _), _)| *other == kind).map(|(_, count)| count).sum::<usize>();
    for kind in [ErrorKind::OffByALittle, ErrorKind::Carry, ErrorKind::WrongOperand, ErrorKind::WrongOperation] {
        assert!(total(kind) > 1000, "{kind}: {}", total(kind));
        assert_eq!(made.get(&(kind, "incorrect")), Some(&total(kind)), "{kind}");
    }
}

#[test]
fn recorded_solutions_are_as_good_as_they_are_said_to_be() {
    let Some(rows) = rows::<RecordedSolutions>("gsm8k/example_model_solutions.jsonl") else { return };
    assert_eq!(rows.len(), 1319);
    let right = rows.iter().flat_map(|row| &row.solutions).filter(|solution| solution.is_correct).count();
    assert_eq!(right, 2001, "0.379 of 5276");
}

#[test]
fn the_files_of_real_data_are_read() {
    if let Some(rows) = rows::<ProcessBench>("processbench/gsm8k.jsonl") {
        let correct = rows.iter().filter(|row| row.first_error.is_none()).count();
        assert_eq!((rows.len(), correct), (400, 193));
    }
    if let Some(rows) = rows::<BigBenchMistake>("big_bench_mistake/multistep_arithmetic.jsonl") {
        let correct = rows.iter().filter(|row| row.first_error.is_none()).count();
        assert_eq!((rows.len(), correct), (300, 62));
    }
    if let Some(rows) = rows::<Svamp>("svamp/svamp.jsonl") {
        let odd: Vec<_> = rows.iter().filter(|row| !row.is_consistent()).map(|row| row.id.as_str()).collect();
        assert_eq!((rows.len(), odd), (1000, vec!["chal-680"]));
    }
    if let Some(rows) = rows::<Gsm8k>("gsm8k/test.jsonl") {
        assert_eq!(rows.len(), 1319);
    }
}
