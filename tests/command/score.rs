use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::Folder;

/// 22 characters, which with `<end>`, `<step>` and five more are the golden models' 29 tokens.
const CHARACTERS: &str = "\n 0123456789+-*/=abxy?";
const PROBLEMS: &str = r#"{"prompt": "1+1", "steps": ["1+1=2", "2*3=6"]}
{"problem": "a", "completions": ["b"], "labels": [true]}
{"prompt": "1+2*3", "steps": ["2*3=6", "1+6=7", "7"]}
"#;

/// A folder with a golden model and a tokenizer of characters.
pub(crate) fn with_model(test: &str, model: &str) -> Folder {
    let folder = Folder::new(test);
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("aprm-models/tests/golden").join(model);
    fs::create_dir(folder.0.join("model")).unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(golden.join(file), folder.0.join("model").join(file)).unwrap();
    }
    let special = ["<a>", "<b>", "<c>", "<d>", "<e>"];
    folder.write("model/characters.json", json!({"characters": CHARACTERS, "special_tokens": special}).to_string());
    folder.write("in.jsonl", PROBLEMS);
    folder
}

fn scores(printed: &str) -> Vec<Vec<f64>> {
    let of = |line| serde_json::from_str::<Value>(line).unwrap()["scores"].clone();
    printed.lines().map(|line| serde_json::from_value(of(line)).unwrap()).collect()
}

/// What it prints, and what it complains of, with something on its standard input.
fn with_input(folder: &Folder, args: &str, input: &[u8]) -> (Option<i32>, String, String) {
    let mut command = folder.command(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn one_line_out_for_each_line_in() {
    let folder = with_model("score", "qwen2_token_classifier");
    let printed = folder.run("score --model model in.jsonl");
    let all = scores(&printed);
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 3]);
    assert!(all.iter().flatten().all(|score| (0.0..1.0).contains(score)));
    for args in ["--batch-tokens 1", "--batch-tokens 20", "--json", "--read-out trl", "--aggregate min"] {
        assert_eq!(folder.run(&format!("score --model model {args} in.jsonl")), printed, "{args}");
    }
    assert_eq!(with_input(&folder, "score --model model", PROBLEMS.as_bytes()).1, printed);
    let reversed: String = PROBLEMS.lines().rev().map(|line| format!("{line}\n")).collect();
    let (_, reversed, _) = with_input(&folder, "score --model model -", reversed.as_bytes());
    let mut reversed: Vec<&str> = reversed.lines().collect();
    reversed.reverse();
    assert_eq!(reversed, printed.lines().collect::<Vec<_>>());
    // Another marker is another text.
    assert_ne!(folder.run("score --model model --marker <step> in.jsonl"), printed);
}

/// The processor rounds, and says that it saves no memory by it.
#[test]
fn weights_are_rounded_where_that_is_asked_for() {
    let folder = with_model("weights", "qwen2_token_classifier");
    let (_, full, _) = with_input(&folder, "score --model model --weights f32 in.jsonl", b"");
    assert_eq!(folder.run("score --model model in.jsonl"), full);
    let (code, rounded, note) = with_input(&folder, "score --model model --weights bf16 in.jsonl", b"");
    assert!(code == Some(0) && note.contains("note: weights are rounded to bf16"), "{note}");
    let (full, rounded) = (scores(&full).concat(), scores(&rounded).concat());
    assert!(full != rounded && full.iter().zip(&rounded).all(|(f, r)| (f - r).abs() < 0.01), "{full:?} {rounded:?}");
    folder.write("ids.jsonl", r#"{"ids": [1, 2, 3]}"#);
    let logits = ["f32", "bf16"]
        .map(|weights| folder.run(&format!("score --model model --logits --weights {weights} ids.jsonl")));
    assert_ne!(logits[0], logits[1]);
}

#[test]
fn aggregates_are_of_the_scores() {
    let folder = with_model("aggregates", "qwen2_token_classifier");
    for (name, of) in [
        ("last", (|s| s[s.len() - 1]) as fn(&[f64]) -> f64),
        ("min", |s| s.iter().copied().fold(1.0, f64::min)),
        ("product", |s| s.iter().product()),
        ("mean", |s| s.iter().sum::<f64>() / s.len() as f64),
    ] {
        let printed = folder.run(&format!("score --model model --aggregate {name} in.jsonl"));
        for (line, scores) in printed.lines().zip(scores(&printed)) {
            let aggregate = serde_json::from_str::<Value>(line).unwrap()["aggregate"].as_f64().unwrap();
            assert!((aggregate - of(&scores)).abs() < 1e-12, "{name}: {line}");
        }
    }
}

#[test]
fn every_head_has_its_read_out() {
    for (model, redundancies) in [("skywork", false), ("reason_eval", true), ("llama", false)] {
        let folder = with_model(&format!("head-{model}"), model);
        let mut tokenizer: Value = serde_json::from_str(&folder.read("model/characters.json")).unwrap();
        tokenizer["maps_unknown"] = true.into();
        tokenizer["special_tokens"] = json!(["<a>", "<b>", "<c>", "<d>"]);
        folder.write("model/characters.json", tokenizer.to_string());
        let (code, printed, complaint) = with_input(&folder, "score --model model in.jsonl", b"");
        match model {
            // Its sequences begin with a token that no such tokenizer has.
            "skywork" => assert!(code == Some(2) && complaint.contains("bos_token"), "{complaint}"),
            "llama" => assert!(complaint.contains("choose --read-out: math-shepherd, rlhflow"), "{complaint}"),
            _ => assert_eq!(printed.contains("redundancies"), redundancies, "{complaint}"),
        }
    }
}

#[test]
fn logits_have_all_digits() {
    let folder = with_model("logits", "llama");
    let (code, printed, complaint) =
        with_input(&folder, "score --model model --logits", b"{\"ids\": [3, 1, 4]}\n{\"ids\":[28]}");
    assert_eq!(code, Some(0), "{complaint}");
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shape = |line: &Value| {
        let rows = line["logits"].as_array().unwrap();
        (rows.len(), rows[0].as_array().unwrap().len())
    };
    assert_eq!(lines.iter().map(shape).collect::<Vec<_>>(), [(3, 29), (1, 29)]);
    for logit in lines[0]["logits"][2].as_array().unwrap() {
        let printed = logit.to_string();
        assert_eq!(printed.parse::<f32>().unwrap().to_string().parse::<f64>().ok(), logit.as_f64(), "{printed}");
    }
    let (code, _, complaint) =
        with_input(&folder, "score --model model --logits", b"{\"ids\": [3]}\n{\"ids\": [1, 29]}");
    assert_eq!(code, Some(2));
    assert!(complaint.contains("standard input:2: token 29 at position 1"), "{complaint}");
}

#[test]
fn a_wrong_line_exits_with_2_and_is_named() {
    let folder = with_model("wrong-lines", "qwen2_token_classifier");
    let good = "{\"prompt\": \"1\", \"steps\": [\"2\"]}\n";
    for (wrong, expected) in [
        (&b"{"[..], "in.jsonl:2: EOF while parsing"),
        (b"{\"prompt\": \"\xff\"}", "in.jsonl:2: not UTF-8 at byte 12"),
        (b"{\"prompt\": \"1\"}", "in.jsonl:2: `steps` or `completions` is missing"),
        (b"{\"prompt\": \"1\", \"steps\": []}", "in.jsonl:2: there are no steps"),
        (b"{\"prompt\": \"1\", \"steps\": [\"1\", \"z\"]}", "in.jsonl:2: step 1: the character 'z' at byte 0"),
    ] {
        folder.write("in.jsonl", [good.as_bytes(), wrong, b"\n", good.as_bytes()].concat());
        let (code, printed, complaint) = with_input(&folder, "score --model model in.jsonl", b"");
        assert_eq!(code, Some(2), "{complaint}");
        assert!(complaint.contains(expected), "{complaint}");
        assert_eq!(printed.lines().count(), 1, "what stands before is scored");
    }
    folder.write("in.jsonl", json!({"prompt": "1".repeat(70), "steps": ["1"]}).to_string());
    let complaint = folder.fails(2, "score --model model in.jsonl");
    assert!(complaint.contains("in.jsonl:1: 72 tokens are more than"), "{complaint}");
    assert_eq!(complaint.matches("72 tokens").count(), 1, "said twice: {complaint}");
}

#[test]
fn a_wrong_model_or_option_exits_with_2() {
    let folder = with_model("wrong-models", "qwen2_token_classifier");
    for (args, expected) in [
        ("--model nowhere", "nowhere holds no model"),
        (
            "--model model --read-out skywork",
            "--read-out skywork does not read this model's head; --read-out may be: trl",
        ),
        ("--model model --good-token +", "has no good or bad token to choose"),
        ("--model model nowhere.jsonl", "cannot read nowhere.jsonl"),
        ("--model model --logits --marker x", "cannot be used with"),
        ("--model model --batch-tokens 0", "0 is not in"),
    ] {
        let complaint = folder.fails(2, &format!("score {args}"));
        assert!(complaint.contains(expected), "{args}: {complaint}");
    }
    fs::remove_file(folder.0.join("model/characters.json")).unwrap();
    assert!(folder.fails(2, "score --model model in.jsonl").contains("holds no tokenizer"));
    let labels = with_model("three-labels", "llama_token_classifier");
    assert!(labels.fails(2, "score --model model in.jsonl").contains("no read-out reads the head"));
}

#[test]
fn a_tensor_that_is_not_used_is_said() {
    let folder = with_model("unused", "skywork");
    let complaint = folder.fails(2, "score --model model in.jsonl");
    assert!(complaint.contains("note: lm_head.weight is in the folder, and no part of this model"), "{complaint}");
}
