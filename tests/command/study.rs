use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Folder;
use crate::train::TINY;

/// The settings of a tiny run without its arms, which are files here.
fn study(folder: &Folder) -> String {
    folder.write("static.toml", "adversary = \"rules\"\n");
    folder.write("game.toml", "tau = 0.0\n");
    folder.write("outcome.toml", "labels = \"outcome\"\n");
    let shared = TINY.split("--set arms").next().unwrap();
    format!("study static.toml game.toml outcome.toml --seeds 1-2,4 {shared}")
}

#[test]
fn arms_are_compared_over_seeds() {
    let folder = Folder::new("study");
    let study = study(&folder);
    let printed = folder.run(&format!("{study} --out one"));
    assert!(printed.contains("| in distribution | static |") && printed.contains("| larger numbers | outcome |"));
    let table: Value = serde_json::from_str(&folder.read("one/study.json")).unwrap();
    assert_eq!(table["seeds"], serde_json::json!([1, 2, 4]));
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 12);
    // Means and gains by hand, from the summaries.
    let rate = |seed: u64, prm: &str| {
        let summary: Value = serde_json::from_str(&folder.read(&format!("one/seed-{seed}/summary.json"))).unwrap();
        let rows = summary["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["prm"] == prm && row["set"] == "longer").unwrap();
        row["best_of_n"].as_f64().unwrap()
    };
    let row = rows.iter().find(|row| row["prm"] == "game" && row["set"] == "longer").unwrap();
    let mean = [1, 2, 4].map(|seed| rate(seed, "game")).iter().sum::<f64>() / 3.0;
    let gain = [1, 2, 4].map(|seed| rate(seed, "game") - rate(seed, "static")).iter().sum::<f64>() / 3.0;
    assert!((row["best_of_n"]["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!((row["best_of_n_gain"]["mean"].as_f64().unwrap() - gain).abs() < 1e-12);
    assert!(rows[0]["best_of_n_gain"].is_null(), "the first arm is what the others are compared with");

    // The page has what the table has, and a point for each seed, set and arm but the first, beside the means.
    let page = folder.read("one/study.html");
    let ahead = row["best_of_n_gains"].as_array().unwrap().iter().filter(|gain| gain.as_f64() > Some(0.0)).count();
    assert!(page.contains(&format!("<td class=\"number\">{ahead} of 3</td>")), "{page}");
    assert_eq!(page.matches("fill-opacity").count(), 3 * 3 * 2, "{page}");
    assert_eq!(page.matches(" r=\"5\"").count(), 3 * 2, "{page}");

    // One that was stopped goes on.
    let before = folder.read("one/study.json");
    fs::remove_dir_all(folder.0.join("one/seed-2/game")).unwrap();
    fs::remove_file(folder.0.join("one/seed-2/summary.json")).unwrap();
    folder.run(&format!("{study} --out one"));
    assert_eq!(folder.read("one/study.json"), before);

    // Seeds that run at a time find what they find one after another.
    folder.run(&format!("{study} --out two --jobs 2"));
    assert_eq!(folder.read("two/study.json"), before);
    folder.write("two/seed-2/summary.json", "{\"seed\": 2");
    let complaint = folder.fails(2, &format!("{study} --out two --jobs 2"));
    assert!(complaint.contains("no more begin") && complaint.contains("seed-2/summary.json: EOF"), "{complaint}");

    // It may go on with another arm, which changes nothing of the others.
    folder.write("late.toml", "entropy = 0.0\n");
    folder.run(&format!("{} --out one", study.replace("outcome.toml", "outcome.toml late.toml")));
    let extended: Value = serde_json::from_str(&folder.read("one/study.json")).unwrap();
    let (late, others): (Vec<Value>, Vec<Value>) =
        extended["rows"].as_array().unwrap().iter().cloned().partition(|row| row["prm"] == "late");
    assert_eq!(late.len(), 3);
    assert_eq!(&others, rows);
    folder.run(&format!("{study} --out one"));
    assert_eq!(folder.read("one/study.json"), before, "an arm less is a study as well");
    let study = study.replace("outcome.toml", "outcome.toml late.toml");
    folder.run(&format!("{study} --out one"));
    let before = folder.read("one/study.json");
    assert!(before.contains("late"));

    // One that has ended is taken as it is.
    fs::remove_dir_all(folder.0.join("one/seed-2/base")).unwrap();
    folder.run(&format!("{study} --out one"));
    assert_eq!(folder.read("one/study.json"), before);
    assert!(!folder.0.join("one/seed-2/base").exists());
    folder.write("one/seed-2/summary.json", "{\"seed\": 2");
    let complaint = folder.fails(2, &format!("{study} --out one"));
    assert!(complaint.contains("seed-2/summary.json: EOF"), "{complaint}");
}

#[test]
fn wrong_studies_are_refused() {
    let folder = Folder::new("study_wrong");
    let study = study(&folder);
    folder.write("typo.toml", "tauu = 0.0\n");
    folder.write("arms.toml", "[arms.one]\ntau = 0.0\n");
    folder.write("labels.toml", "labels = \"guess\"\n");
    folder.write("dotted.name.toml", "tau = 0.0\n");
    folder.write("zero.toml", "[game]\npayoffs = 'zero-sum'\n");
    folder.write("payoff.toml", "payoffs.table.fooled = 2.0\n");
    folder.write("range.toml", "rewrites = 4\n\ntau = -1\n");
    for (args, expected) in [
        ("study typo.toml", "typo.toml:1: arms.typo: unknown field `tauu`"),
        ("study labels.toml", "labels.toml:1: arms.labels: unknown variant `guess`"),
        ("study static.toml range.toml", "range.toml:3: game.tau = -1.0"),
        ("study absent.toml", "absent.toml"),
        ("study static.toml static.toml", "a second arm of the name static"),
        ("study static.toml --seeds one", "\"one\" is no seed"),
        ("study static.toml --seeds 1-3,2", "seed 2 is there twice"),
        ("study static.toml --seeds 5-1,2", "5-1 ends before it begins"),
        ("study static.toml --seeds 1-1000000", "more than 10000 seeds"),
        ("study static.toml --seeds 18446744073709551615", "is no seed"),
        ("study static.toml --set arms.new.tau=3", "no such arm"),
        ("study static.toml --set arms={other={}}", "no such arm"),
        ("study static.toml dotted.name.toml", "dotted.name.toml: arms.dotted.name: a name is of letters"),
        ("study static.toml payoff.toml --config zero.toml", "payoff.toml"),
        ("study static.toml --config arms.toml", "arms.toml: the arms of a study are files of their own"),
    ] {
        let complaint = folder.fails(2, args);
        assert!(complaint.contains(expected), "{args}: {complaint}");
    }
    folder.run(&format!("{} --out one", study.replace("1-2,4", "1")));
    let fewer = study.replace("1-2,4", "1").replace("game.toml outcome.toml", "game.toml");
    assert!(!folder.run(&format!("{fewer} --out one")).contains("outcome"), "fewer arms are a study as well");
    let complaint = folder.fails(2, &format!("{} --set game.rounds=7 --out one", study.replace("1-2,4", "1")));
    assert!(complaint.contains("begun with other settings"), "{complaint}");
}

/// All seeds that run at a time end at their next states, seeds that have not begun do not, and the command goes on.
#[cfg(unix)]
#[test]
fn an_interrupted_study_goes_on() {
    let folder = Folder::new("study_interrupted");
    let study = format!("{} --set game.rounds=40 --jobs 2", study(&folder));
    folder.run(&format!("{study} --out whole"));
    let args = format!("{study} --out interrupted");
    let run = folder.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let has_begun = |seed: u32| folder.0.join(format!("interrupted/seed-{seed}/static/metrics.jsonl")).exists();
    let begun = Instant::now();
    while !(has_begun(1) && has_begun(2)) {
        assert!(begun.elapsed() < Duration::from_secs(120), "nothing begins");
        sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap().success());
    let ended = run.wait_with_output().unwrap();
    let complaint = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("the study was interrupted") && !complaint.contains("no more begin"), "{complaint}");
    for seed in [1, 2, 4] {
        assert!(!folder.0.join(format!("interrupted/seed-{seed}/summary.json")).exists(), "seed {seed} has ended");
    }
    folder.run(&args);
    assert!(folder.read("whole/study.json") == folder.read("interrupted/study.json"));
}
