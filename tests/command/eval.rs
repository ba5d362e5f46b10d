use serde_json::{Value, json};

use crate::Folder;
use crate::score::with_model;

/// Problems in the golden models' alphabet. The equation checker finds the second's error, blames the third in vain and
/// misses the first's, whose sums hold.
const ONE: &str = r#"{"id": "a-0", "generator": "g", "problem": "1+1*2", "steps": ["1+1=2", "2*2=4"], "final_answer_correct": false, "label": 0}
{"id": "a-1", "generator": "g", "problem": "2*3+1", "steps": ["2*3=6", "6+1=8", "8"], "final_answer_correct": false, "label": 1}
{"id": "a-2", "generator": "h", "problem": "4-1", "steps": ["4-1=5", "3"], "final_answer_correct": true, "label": -1}
{"id": "a-3", "generator": "h", "problem": "9/3+a", "steps": ["9/3=3", "a=1", "3+1=4"], "final_answer_correct": true, "label": -1}
{"id": "a-4", "generator": "h", "problem": "5+5", "steps": ["x=5", "5+5=10"], "final_answer_correct": true, "label": -1}
"#;
const OTHER: &str = r#"{"id": "b-0", "generator": "g", "problem": "7-2", "steps": ["7-2=4", "4"], "final_answer_correct": false, "label": 0}
{"id": "b-1", "generator": "g", "problem": "8/2", "steps": ["8/2=4"], "final_answer_correct": true, "label": -1}
"#;

fn with_subsets(test: &str) -> Folder {
    let folder = with_model(test, "qwen2_token_classifier");
    folder.write("one.jsonl", ONE);
    folder.write("other.jsonl", OTHER);
    folder
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn json_of(folder: &Folder, args: &str) -> Value {
    serde_json::from_str(&folder.run(&format!("eval {args} --json"))).unwrap()
}

/// The scores that `aprm score` prints for a file.
fn scores(folder: &Folder, file: &str) -> Vec<Vec<f64>> {
    let of = |line: &Value| serde_json::from_value(line["scores"].clone()).unwrap();
    lines(&folder.run(&format!("score --model model {file}"))).iter().map(of).collect()
}

fn predictions(scores: &[Vec<f64>], threshold: f64) -> Vec<i64> {
    let first = |scores: &Vec<f64>| scores.iter().position(|score| *score < threshold);
    scores.iter().map(|scores| first(scores).map_or(-1, |step| step as i64)).collect()
}

/// Accuracy on wrong solutions, on right ones, and F1.
fn by_hand(rows: &[Value], predictions: &[i64]) -> [f64; 3] {
    let accuracy = |is_wrong: bool| {
        let kind = rows.iter().zip(predictions).filter(|(row, _)| (row["label"] != -1) == is_wrong);
        let right: Vec<f64> = kind.map(|(row, prediction)| f64::from(u8::from(row["label"] == *prediction))).collect();
        right.iter().sum::<f64>() / right.len() as f64
    };
    let (error, correct) = (accuracy(true), accuracy(false));
    [error, correct, if error + correct > 0.0 { 2.0 * error * correct / (error + correct) } else { 0.0 }]
}

fn found(report: &Value) -> [f64; 3] {
    ["acc_error", "acc_correct", "f1"].map(|metric| report[metric]["value"].as_f64().unwrap())
}

#[test]
fn a_model_is_judged_by_its_scores() {
    let folder = with_subsets("eval_processbench");
    let (rows, scores) = (lines(ONE), scores(&folder, "one.jsonl"));
    let mut all = scores.concat();
    all.sort_unstable_by(f64::total_cmp);
    let mut seen = Vec::new();
    for threshold in [0.0, all[2], all[all.len() / 2], 1.0] {
        let expected = predictions(&scores, threshold);
        let args = format!("processbench --model model --threshold {threshold} --out out one.jsonl");
        let report = json_of(&folder, &args);
        let judged = found(&report["subsets"][0]["model"]);
        for (judged, expected) in judged.into_iter().zip(by_hand(&rows, &expected)) {
            assert!((judged - expected).abs() < 1e-15, "{judged} {expected}");
        }
        assert_eq!((&report["model"]["threshold"], &report["model"]["fitted_on"]), (&json!(threshold), &Value::Null));
        assert_eq!(report["average_f1"]["model_held_out"], Value::Null);
        seen.push(expected);
    }
    // The control: thresholds are told apart, and at the ends nothing or everything is wrong.
    assert!(seen[0] == [-1; 5] && seen[3] == [0; 5] && seen[2] != seen[0] && seen[2] != seen[3], "{seen:?}");
}

#[test]
fn what_is_written_is_the_official_form() {
    let folder = with_subsets("eval_official");
    let args = "eval processbench --model model --out out one.jsonl other.jsonl";
    let printed = folder.run(args);
    let written = |folder: &Folder| {
        ["one_error", "one_correct", "other_error", "other_correct"]
            .map(|name| folder.read(&format!("out/{name}.jsonl")))
    };
    let first = written(&folder);
    assert_eq!((folder.run(args), &written(&folder)), (printed, &first), "the same bytes twice");

    let report = json_of(&folder, "processbench --model model one.jsonl other.jsonl");
    let threshold = report["model"]["threshold"].as_f64().unwrap();
    for (i, (name, file)) in [("one", ONE), ("other", OTHER)].into_iter().enumerate() {
        let rows = lines(file);
        let expected = predictions(&scores(&folder, &format!("{name}.jsonl")), threshold);
        for (kind, text) in [(true, &first[2 * i]), (false, &first[2 * i + 1])] {
            let judged: Vec<Value> = rows
                .iter()
                .zip(&expected)
                .filter(|(row, _)| (row["label"] != -1) == kind)
                .map(|(row, prediction)| {
                    let mut row = row.clone();
                    row["match"] = json!(row["label"] == *prediction);
                    row["prediction"] = json!(prediction);
                    row
                })
                .collect();
            assert_eq!(lines(text), judged);
        }
    }
    // The fields keep their order, and the new ones come last.
    let names = ["id", "generator", "problem", "steps", "final_answer_correct", "label", "prediction", "match"];
    let places = names.map(|name| first[0].lines().next().unwrap().find(&format!("\"{name}\":")).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_threshold_is_fitted_on_one_subset_and_said() {
    let folder = with_subsets("eval_fit");
    for (fit, file, rows) in [("one", "one.jsonl", lines(ONE)), ("other", "other.jsonl", lines(OTHER))] {
        let args = format!("processbench --model model --fit {fit} one.jsonl other.jsonl");
        let report = json_of(&folder, &args);
        assert_eq!(report["model"]["fitted_on"], fit);
        let scores = scores(&folder, file);
        let f1 = |threshold| by_hand(&rows, &predictions(&scores, threshold))[2];
        let best = scores.concat().into_iter().map(|score| f1(score.next_up())).fold(0.0, f64::max);
        let fitted = f1(report["model"]["threshold"].as_f64().unwrap());
        assert!((fitted - best).abs() < 1e-15, "{fit}: {fitted} {best}");
        let [one, other] = [0, 1].map(|i| found(&report["subsets"][i]["model"])[2]);
        let value = |name: &str| report["average_f1"][name]["value"].as_f64().unwrap();
        assert_eq!(value("model"), (one + other) / 2.0);
        assert_eq!(value("model_held_out"), if fit == "one" { other } else { one });
        let printed = folder.run(&format!("eval {args}"));
        assert!(printed.contains(&format!("which has the best F1 on {fit}")), "{printed}");
    }
    // The first, if nothing is said.
    assert_eq!(json_of(&folder, "processbench --model model other.jsonl one.jsonl")["model"]["fitted_on"], "other");
}

#[test]
fn the_baselines_stand_beside_by_hand() {
    let folder = with_subsets("eval_baselines");
    let report = json_of(&folder, "processbench one.jsonl other.jsonl");
    assert_eq!(report["model"], Value::Null);
    let one = &report["subsets"][0];
    assert_eq!((&one["examples"], &one["erroneous"], &one["correct"]), (&json!(5), &json!(2), &json!(3)));
    // One error of two, two right ones of three: 2 · 1/2 · 2/3 / (7/6).
    let [error, correct, f1] = found(&one["equation_checker"]);
    assert!(error == 0.5 && correct == 2.0 / 3.0 && (f1 - 4.0 / 7.0).abs() < 1e-15);
    assert_eq!(found(&one["no_error"]), [0.0, 1.0, 0.0]);
    // The label 0 is half of all: a = 1/2, F1 = 1 / (1 + √½)².
    let guess = &one["best_guess"];
    assert_eq!(guess["step"], 0);
    assert!((guess["f1"].as_f64().unwrap() - (1.0 + 0.5_f64.sqrt()).powi(-2)).abs() < 1e-15);
    assert_eq!(found(&report["subsets"][1]["equation_checker"]), [1.0; 3]);
    let average = report["average_f1"]["equation_checker"]["value"].as_f64().unwrap();
    assert!((average - 11.0 / 14.0).abs() < 1e-15);
    // Beside a model they are what they are alone.
    let beside = json_of(&folder, "processbench --model model one.jsonl other.jsonl");
    for baseline in ["equation_checker", "no_error", "best_guess"] {
        assert_eq!(beside["subsets"][0][baseline], one[baseline], "{baseline}");
    }
    // Another seed draws other intervals, and finds the same.
    let reseeded = json_of(&folder, "processbench --seed 1 one.jsonl other.jsonl");
    assert_eq!(found(&reseeded["subsets"][0]["equation_checker"]), [error, correct, f1]);
}

#[test]
fn what_a_model_cannot_read_is_counted_and_scores_zero() {
    let folder = with_subsets("eval_not_read");
    let mut rows = lines(ONE);
    rows[1]["steps"][1] = "So it is 8".into();
    rows[2]["problem"] = "What is 4-1?".into();
    rows[3]["steps"][0] = "3".repeat(80).into();
    folder.write("one.jsonl", rows.iter().map(|row| format!("{row}\n")).collect::<String>());
    // The lowest score that is not zero is far above this one.
    let args = "processbench --model model --threshold 1e-9 --out out one.jsonl";
    let report = json_of(&folder, args);
    assert_eq!(report["subsets"][0]["not_read"], json!({"unknown_text": 2, "too_long": 1, "no_steps": 0}));
    let found: Vec<Value> =
        [lines(&folder.read("out/one_error.jsonl")), lines(&folder.read("out/one_correct.jsonl"))].concat();
    let predictions: Vec<&Value> = found.iter().map(|row| &row["prediction"]).collect();
    assert_eq!(predictions, [-1, 1, 0, 0, -1]);
    let printed = folder.run(&format!("eval {args}"));
    let said = "one: of 5 solutions 2 hold text that the model has no tokens for, 1 are longer than its context";
    assert!(printed.contains(said), "{printed}");
}

/// Three questions: right is the first of the first, the last two of the second, none of the third.
fn recorded() -> String {
    let row = |question: &str, solutions: [(&str, bool); 4]| {
        let mut row = json!({"question": question, "ground_truth": "1+1=<<1+1=2>>2\nA: 2"});
        let models = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"];
        for (model, (solution, is_correct)) in models.into_iter().zip(solutions) {
            row[model] = json!({"solution": solution, "is_correct": is_correct});
        }
        format!("{row}\n")
    };
    let first = [
        ("1+1=<<1+1=2>>2\nA: 2", true),
        ("1+1=<<1+1=3>>3\nA: 3", false),
        ("1+2=<<1+2=3>>3\n\nA: 3", false),
        ("2+2=4\nA: 4", false),
    ];
    let second =
        [("x=3\nA: 3", false), ("4*2=7\n7\nA: 7", false), ("4*2=8\n8-1=7\nA: 1,007", true), ("b=7\nA: 1007.0", true)];
    let third = [("1\nA: 1", false), ("2\nA: 2", false), ("3\nA: 3", false), ("4\n4", false)];
    row("1+1?", first) + &row("4*2-1?", second) + &row("a?", third)
}

#[test]
fn choices_among_recorded_solutions() {
    let folder = with_model("eval_best_of_n", "qwen2_token_classifier");
    folder.write("recorded.jsonl", recorded());
    let report = json_of(&folder, "best-of-n --model model recorded.jsonl");
    let value = |report: &Value| report["value"].as_f64().unwrap();
    let thirds = |sum: f64| sum / 3.0;
    // Blind: a quarter, a half, none; majority: 3 leads the first, 1007 the second; the oracle: two of three.
    assert_eq!((&report["problems"], value(&report["blind"])), (&json!(3), thirds(0.75)));
    assert_eq!((value(&report["majority"]), value(&report["oracle"])), (thirds(1.0), thirds(2.0)));
    // Without the second of the first and the second of the second: one of three, two of three.
    assert_eq!(value(&report["equation_checker"]["best"]), (1.0 / 3.0 + 2.0 / 3.0) / 3.0);
    // Of 2, 3 and 4 one is right; 1007 has two votes of three.
    assert_eq!(value(&report["equation_checker"]["weighted"]), (1.0 / 3.0 + 1.0) / 3.0);

    // By the scores that `aprm score` prints for the steps, without annotations, blank lines and the answer.
    let steps: [[&[&str]; 4]; 3] = [
        [&["1+1=2"], &["1+1=3"], &["1+2=3"], &["2+2=4"]],
        [&["x=3"], &["4*2=7", "7"], &["4*2=8", "8-1=7"], &["b=7"]],
        // What does not answer is out of the question.
        [&["1"], &["2"], &["3"], &["4", "4"]],
    ];
    let questions = ["1+1?", "4*2-1?", "a?"];
    let rows = questions.iter().zip(&steps).flat_map(|(question, solutions)| {
        solutions.iter().map(move |steps| format!("{}\n", json!({"prompt": question, "steps": steps})))
    });
    folder.write("steps.jsonl", rows.collect::<String>());
    let scores = scores(&folder, "steps.jsonl");
    let is_right = |i: usize| [0, 6, 7].contains(&i);
    for (name, of) in [
        ("last", (|s| s[s.len() - 1]) as fn(&[f64]) -> f64),
        ("min", |s| s.iter().copied().fold(1.0, f64::min)),
        ("product", |s| s.iter().product()),
        ("mean", |s| s.iter().sum::<f64>() / s.len() as f64),
    ] {
        let of: Vec<f64> = scores.iter().map(|scores| of(scores)).collect();
        let best = |from: usize| (from..from + 4).max_by(|&i, &j| of[i].total_cmp(&of[j])).unwrap();
        let expected = [best(0), best(4)].into_iter().filter(|&i| is_right(i)).count() as f64 / 3.0;
        assert_eq!(value(&report["model"][name]["best"]), expected, "{name}");
        let first = of[0] > f64::max(of[1] + of[2], of[3]);
        let second = of[6] + of[7] > f64::max(of[4], of[5]);
        let expected = (f64::from(u8::from(first)) + f64::from(u8::from(second))) / 3.0;
        assert_eq!(value(&report["model"][name]["weighted"]), expected, "{name}, weighted");
    }
    assert_eq!(report["model"]["not_read"], json!({"unknown_text": 0, "too_long": 0, "no_steps": 0}));
    // The alphabet has no angle brackets.
    let annotated = json_of(&folder, "best-of-n --model model --keep-annotations recorded.jsonl");
    assert_eq!(annotated["model"]["not_read"]["unknown_text"], 3);
    assert_eq!(folder.run("eval best-of-n recorded.jsonl"), folder.run("eval best-of-n recorded.jsonl"));
    let printed = folder.run("eval best-of-n --model model --keep-annotations recorded.jsonl");
    assert!(printed.contains("The model: of 12 solutions 3 hold text that the model has no tokens for"), "{printed}");
}

#[test]
fn wrong_input_exits_with_2_and_is_named() {
    let folder = with_subsets("eval_wrong");
    let row = |steps: Value, label: i64| json!({"id": "", "generator": "", "problem": "1", "steps": steps, "final_answer_correct": true, "label": label});
    for (wrong, expected) in [
        ("{".to_owned(), "wrong.jsonl:2: EOF while parsing"),
        (String::new(), "wrong.jsonl:2: the line is blank"),
        (json!({"id": ""}).to_string(), "wrong.jsonl:2: missing field `generator`"),
        (row(json!([]), -1).to_string(), "wrong.jsonl:2: `steps` is \"[]\", where at least one step is expected"),
        (
            row(json!(["1"]), 1).to_string(),
            "wrong.jsonl:2: `label` is \"1\", where -1 or the index of one of the steps",
        ),
        (row(json!(["1"]), -2).to_string(), "wrong.jsonl:2: `label` is \"-2\""),
        (row(json!([1]), -1).to_string(), "wrong.jsonl:2: invalid type: integer `1`"),
    ] {
        folder.write("wrong.jsonl", format!("{}\n{wrong}\n", row(json!(["1"]), -1)));
        for model in ["", "--model model"] {
            let complaint = folder.fails(2, &format!("eval processbench {model} one.jsonl wrong.jsonl"));
            assert!(complaint.contains(expected), "{expected}: {complaint}");
        }
    }
    folder.write("wrong.jsonl", recorded() + "{\"question\": \"\"}\n");
    assert!(folder.fails(2, "eval best-of-n wrong.jsonl").contains("wrong.jsonl:4: missing field"));
    folder.write("empty.jsonl", "");
    folder.write("right.jsonl", format!("{}\n", row(json!(["1"]), -1)));
    for (args, expected) in [
        ("processbench absent.jsonl", "cannot read absent.jsonl"),
        ("best-of-n absent.jsonl", "cannot read absent.jsonl"),
        ("processbench empty.jsonl", "empty.jsonl holds no row"),
        ("processbench one.jsonl ./one.jsonl", "two files are called one"),
        ("processbench", "<FILE>"),
        ("processbench --fit one one.jsonl", "--model"),
        ("processbench --model nowhere one.jsonl", "nowhere holds no model"),
        ("best-of-n --model nowhere in.jsonl", "in.jsonl:1: unknown field"),
        ("processbench --model model --read-out skywork one.jsonl", "--read-out may be: trl"),
        ("processbench --model model --fit none one.jsonl", "--fit none is none of the subsets, which are: one"),
        ("processbench --model model --fit one --threshold 0.5 one.jsonl", "cannot be used with"),
        ("processbench --model model --threshold 50 one.jsonl", "--threshold 50 is not a number between 0 and 1"),
        ("processbench --model model --threshold NaN one.jsonl", "is not a number between 0 and 1"),
        ("processbench --model model right.jsonl one.jsonl", "no threshold can be fitted on right"),
    ] {
        let complaint = folder.fails(2, &format!("eval {args}"));
        assert!(complaint.contains(expected), "{args}: {complaint}");
    }
    // A marker that a text holds is a wrong option, not a text that is counted.
    let llama = with_model("eval_marker", "llama");
    llama.write("one.jsonl", ONE);
    let complaint = llama.fails(2, "eval processbench --model model --read-out math-shepherd --marker x one.jsonl");
    assert!(complaint.contains("one.jsonl:5: the marker is found 3 times for 2 steps"), "{complaint}");
    // A file that is in the way is no fault of the input.
    let complaint = folder.fails(1, "eval processbench --model model --out one.jsonl one.jsonl");
    assert!(complaint.contains("cannot write one.jsonl"), "{complaint}");
}
