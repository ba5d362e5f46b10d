//! Rows that are read, and rows that are refused by file and line.

use aprm_models::data::{JsonLines, Row, RowProblem, Solution, Stepwise, TokenIds};

fn first<T: Row>(line: &str) -> Result<T, RowProblem> {
    JsonLines::new(line.as_bytes(), "f").next().unwrap().map_err(|error| error.problem)
}

#[test]
fn solutions_bear_the_names_of_several_formats() {
    let expected = Solution { prompt: "p".into(), steps: vec!["a".into(), "b".into()] };
    for line in [
        r#"{"prompt": "p", "steps": ["a", "b"]}"#,
        r#"{"prompt": "p", "completions": ["a", "b"], "labels": [true, false]}"#,
        r#" {"id": 3, "problem": "p", "steps": ["a", "b"], "label": -1} "#,
    ] {
        assert_eq!(first::<Solution>(line).unwrap(), expected, "{line}");
    }
}

#[test]
fn labels_are_truths_or_chances() {
    let row: Stepwise =
        first(r#"{"prompt": "", "completions": ["a", "b", "c"], "labels": [true, false, 0.75]}"#).unwrap();
    assert_eq!(row.labels, [1.0, 0.0, 0.75]);
}

#[test]
fn a_wrong_row_is_named() {
    let complaint = |line: &str| first::<Stepwise>(line).unwrap_err().to_string();
    for (line, expected) in [
        ("{", "EOF while parsing an object in column 1"),
        ("\n", "the line is blank"),
        ("[\"p\", [\"a\"], [true]]", "expected a JSON object"),
        ("{} {}", "trailing characters in column 4"),
        (r#"{"completions": ["a"], "labels": [1]}"#, "`prompt` or `problem` is missing"),
        (r#"{"prompt": "p", "labels": []}"#, "`steps` or `completions` is missing"),
        (r#"{"prompt": "p", "completions": ["a"]}"#, "missing field `labels`"),
        (r#"{"prompt": "p", "problem": "q", "steps": ["a"], "labels": [1]}"#, "both `prompt` and `problem`"),
        (r#"{"prompt": "p", "prompt": "q", "steps": ["a"], "labels": [1]}"#, "duplicate field `prompt`"),
        (r#"{"prompt": "p", "steps": [], "labels": []}"#, "there are no steps"),
        (r#"{"prompt": "p", "steps": ["a", "b"], "labels": [true]}"#, "there are 1 labels for 2 steps"),
        (r#"{"prompt": "p", "steps": ["a", "b"], "labels": [true, 1.5]}"#, "label 1 is 1.5"),
        (r#"{"prompt": "p", "steps": ["a"], "labels": ["+"]}"#, "expected true, false, or a number"),
        (r#"{"prompt": 3, "steps": ["a"], "labels": [1]}"#, "invalid type: integer `3`"),
    ] {
        assert!(complaint(line).contains(expected), "{line}: {}", complaint(line));
        assert!(!complaint(line).contains("line 1"), "{line}: {}", complaint(line));
    }
    assert!(matches!(first::<TokenIds>(r#"{"ids": []}"#), Err(RowProblem::NoIds)));
    assert!(matches!(first::<TokenIds>(r#"{"ids": [-1]}"#), Err(RowProblem::Json(_))));
}

#[test]
fn the_first_wrong_row_is_the_last() {
    let file = b"{\"ids\": [1]}\r\n{\"ids\": [2]}\n{\"ids\": \xff}\n{\"ids\": [4]}";
    let rows: Vec<_> = JsonLines::<_, TokenIds>::new(&file[..], "f.jsonl").collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1].as_ref().unwrap().ids, [2]);
    assert_eq!(rows[2].as_ref().unwrap_err().to_string(), "f.jsonl:3: not UTF-8 at byte 8");
}

#[test]
fn a_line_without_end_is_not_read_to_its_end() {
    let mut rows = JsonLines::<_, Solution>::new(std::io::BufReader::new(std::io::repeat(b' ')), "zeros");
    assert!(matches!(rows.next(), Some(Err(error)) if matches!(error.problem, RowProblem::TooLong)));
}
