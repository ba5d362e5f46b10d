use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::Folder;

/// A run of a second: nothing is learnt, but every stage is there.
pub(crate) const TINY: &str = "--threads 1 --set save_every=1 --set model.hidden_size=16 --set model.num_hidden_layers=1 \
    --set model.num_attention_heads=2 --set model.intermediate_size=24 --set pretraining.steps=4 \
    --set pretraining.batch=4 --set warm_start.generator.steps=6 \
    --set collected_solutions=30 --set warm_start.own_errors.attempts=40 --set warm_start.generator.batch=4 --set warm_start.verifier.steps=4 --set warm_start.verifier.batch=4 --set game.rounds=6 \
    --set game.positions=3 --set game.max_rewrite_tokens=8 --set game.league_share=0.3 --set game.league_every=2 \
    --set evaluation.problems=3 --set evaluation.attempts=2 --set evaluation.max_tokens=24 --set evaluation.every=2 \
    --set labelling.problems=64 --set labelling.continuations=2 --set arms.soft.labels=monte-carlo-soft \
    --set arms.aprm.baseline=critic --set arms.aprm.oracle=strict";

/// What a run leaves that does not depend on when it was made.
const RESULTS: [&str; 16] = [
    "summary.json",
    "aprm/metrics.jsonl",
    "aprm/samples.jsonl",
    "static/metrics.jsonl",
    "aprm/tensorboard/events.out.tfevents.0.aprm",
    "static/tensorboard/events.out.tfevents.0.aprm",
    "aprm/win_rates.json",
    "aprm/checkpoints/000004/generator/model.safetensors",
    "labelled/solutions.jsonl",
    "soft/metrics.jsonl",
    "soft/verifier/model.safetensors",
    "report.html",
    "attempts/longer.jsonl",
    "solver/model.safetensors",
    "aprm/generator/model.safetensors",
    "aprm/verifier/model.safetensors",
];

fn results(folder: &Folder, run: &str) -> Vec<Vec<u8>> {
    RESULTS.map(|file| fs::read(folder.0.join(run).join(file)).unwrap()).into()
}

#[test]
fn a_seed_is_a_run() {
    let folder = Folder::new("train_seed");
    let printed = folder.run(&format!("train {TINY} --out one"));
    assert!(printed.contains("| in distribution | static |") && printed.contains("| larger numbers | aprm |"));
    folder.run(&format!("train {TINY} --out two"));
    folder.run(&format!("train {TINY} --out three --seed 1"));
    assert!(results(&folder, "one") == results(&folder, "two"), "one seed, two runs");
    assert!(results(&folder, "one") != results(&folder, "three"), "two seeds, one run");

    let summary: Value = serde_json::from_str(&folder.read("one/summary.json")).unwrap();
    assert_eq!(summary["rows"].as_array().unwrap().len(), 12);
    for field in ["prm", "set", "step_auc", "first_error_f1", "best_of_n", "mean", "majority", "oracle"] {
        assert!(summary["rows"][0].get(field).is_some(), "{field}");
    }
    // Policies that have not moved: nothing is clipped, no divergence has been gathered, every ratio is one.
    let first: Value = serde_json::from_str(folder.read("one/aprm/metrics.jsonl").lines().next().unwrap()).unwrap();
    for (metric, expected) in [
        ("generator/val/ratio", 1.0),
        ("generator/objective/kl", 0.0),
        ("verifier/objective/kl", 0.0),
        ("generator/policy/clipfrac_avg", 0.0),
        ("generator/policy/approxkl_avg", 0.0),
    ] {
        assert_eq!(first["data"][metric].as_f64(), Some(expected), "{metric}");
    }
}

/// Arms of the same rules differ in nothing, unless one makes its errors anew.
#[test]
fn new_rules_make_other_errors() {
    let folder = Folder::new("train_new_rules");
    folder.run(&format!("train {TINY} --set arms.old.adversary=rules --set arms.new.adversary=new-rules --out run"));
    let metrics = |arm: &str| folder.read(&format!("run/{arm}/metrics.jsonl"));
    assert_eq!(metrics("old"), metrics("static"));
    assert_ne!(metrics("new"), metrics("static"));
}

#[test]
fn two_solvers_attempt_the_same_problems() {
    let folder = Folder::new("train_solvers");
    folder.run(&format!("train {TINY} --out weak"));
    folder.run(&format!("train {TINY} --out both --set evaluation.solvers=['weak','strong']"));
    let rows = |run: &str| -> Vec<Value> {
        let summary: Value = serde_json::from_str(&folder.read(&format!("{run}/summary.json"))).unwrap();
        summary["rows"].as_array().unwrap().clone()
    };
    let (weak, both) = (rows("weak"), rows("both"));
    assert_eq!(both.len(), 2 * weak.len());
    // Another solver beside it changes nothing of what the first wrote, nor of what is said of that.
    for row in weak {
        let set = format!("{}, weak solver", row["set"].as_str().unwrap());
        let same = both.iter().find(|other| other["set"] == set[..] && other["prm"] == row["prm"]).unwrap();
        assert_eq!(same["best_of_n"], row["best_of_n"]);
    }
    let problems = |solver: &str| -> Vec<Value> {
        let attempts = folder.read(&format!("both/attempts/longer-{solver}-solver.jsonl"));
        attempts.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["problem"].clone()).collect()
    };
    assert_eq!(problems("weak"), problems("strong"));
    assert_ne!(
        folder.read("both/attempts/longer-weak-solver.jsonl"),
        folder.read("both/attempts/longer-strong-solver.jsonl")
    );
}

#[test]
fn a_run_that_is_killed_goes_on_bit_for_bit() {
    let folder = Folder::new("train_killed");
    folder.run(&format!("train {TINY} --out whole"));
    let mut args = format!("train {TINY} --out killed");
    for millis in [30, 80, 150, 220, 300, 400] {
        let mut run = folder.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(millis));
        run.kill().unwrap();
        run.wait().unwrap();
        if folder.0.join("killed/config.toml").exists() {
            args = "train --threads 1 --resume killed".into();
        }
    }
    folder.run(&args);
    for (file, (whole, killed)) in
        RESULTS.iter().zip(results(&folder, "whole").into_iter().zip(results(&folder, "killed")))
    {
        assert!(whole == killed, "{file} differs");
    }
}

#[test]
fn a_state_of_another_run_is_refused_or_changes_the_result() {
    let folder = Folder::new("train_foreign");
    folder.run(&format!("train {TINY} --out one"));
    folder.run(&format!("train {TINY} --out two --seed 1"));
    // The control of the test above: a run that goes on from a state which is not its own is another run.
    let whole = results(&folder, "one");
    for done in ["generator", "verifier", "states"] {
        fs::remove_dir_all(folder.0.join("one/aprm").join(done)).unwrap();
    }
    fs::rename(folder.0.join("two/aprm/states"), folder.0.join("one/aprm/states")).unwrap();
    folder.run("train --threads 1 --resume one");
    assert!(whole != results(&folder, "one"));
}

#[test]
fn language_models_of_another_run_are_taken() {
    let folder = Folder::new("train_adopts");
    folder.run(&format!("train {TINY} --out one"));
    folder.run(&format!("train {TINY} --out two --set language_models=one --set pretraining.steps=1"));
    for model in ["base", "solver"] {
        let file = format!("{model}/model.safetensors");
        assert!(
            fs::read(folder.0.join("one").join(&file)).unwrap() == fs::read(folder.0.join("two").join(file)).unwrap()
        );
    }
    // All that comes of them is the same too.
    assert!(folder.read("one/summary.json") == folder.read("two/summary.json"));
    let refused =
        folder.fails(2, &format!("train {TINY} --out three --set language_models=one --set model.hidden_size=32"));
    assert!(refused.contains("one/solver has another shape"), "{refused}");
    let refused = folder.fails(2, &format!("train {TINY} --out four --set language_models=none"));
    assert!(refused.contains("none/solver"), "{refused}");
}

#[test]
fn what_is_saved_scores_steps() {
    let folder = Folder::new("train_score");
    folder.run(&format!("train {TINY} --out run"));
    folder.write("in.jsonl", r#"{"prompt": "a=16;b=2;c=a*b;d=c-a?", "steps": ["c=16*2=32", "d=32-16=16"]}"#);
    let row = folder.end("score --model run/aprm/verifier --marker <step> in.jsonl");
    assert_eq!(row["scores"].as_array().unwrap().len(), 2);
    // That steps end with <step> need not be said, and is not what a newline says.
    assert_eq!(folder.end("score --model run/aprm/verifier in.jsonl"), row);
    let mut newline = folder.command("score --model run/aprm/verifier in.jsonl --marker");
    assert_ne!(
        newline.arg("\n").output().unwrap().stdout,
        folder.run("score --model run/aprm/verifier in.jsonl").into_bytes()
    );
}

#[test]
fn wrong_settings_are_named() {
    let folder = Folder::new("train_settings");
    folder.write("typo.toml", "seed = 3\n\n[game]\nroundz = 3\n");
    folder.write("torn.toml", "seed = 3\n[game\n");
    folder.write("kind.toml", "[arms.one]\noracle = 'lenient'\n\n[arms.two]\noracle = 'kind'\n");
    folder.write("of_run.toml", "seed = 3\n\n[arms.one]\nseed = 4\n");
    folder.write("range.toml", "[game]\nrewrites = 4\n\ntau = -1\n");
    folder.write("arm.toml", "[game]\nrewrites = 1\nbaseline = 'critic'\n\n[arms.one]\nbaseline = 'leave-one-out'\n");
    fs::create_dir(folder.0.join("full")).unwrap();
    folder.write("full/file", "");
    for (args, expected) in [
        ("--config typo.toml", "typo.toml:4: unknown field `roundz`"),
        ("--config torn.toml", "torn.toml: TOML parse error at line 2"),
        ("--config kind.toml", "kind.toml:5: arms.two: unknown variant `kind`"),
        ("--config of_run.toml", "of_run.toml:4: arms.one: unknown field `seed`"),
        ("--config range.toml", "range.toml:4: game.tau = -1.0: expected"),
        ("--config range.toml --set game.tau=-2", "--set game.tau=-2: game.tau = -2.0"),
        ("--config range.toml --set game.tau=0 --set save_every=0", "--set save_every=0: save_every = 0"),
        ("--config arm.toml", "arm.toml:2: game.rewrites = 1"),
        ("--config absent.toml", "absent.toml"),
        ("--set game.tau=-1", "game.tau = -1"),
        ("--set game.rewrites=1", "game.rewrites"),
        ("--set game.taü=1", "taü"),
        ("--set seed", "KEY=VALUE"),
        ("--set evaluation.solvers=[]", "evaluation.solvers = 0: expected at least one solver"),
        ("--set evaluation.solvers=['weak','weak']", "expected each solver once"),
        ("--set evaluation.solvers=['clever']", "clever"),
        ("--set model.hidden_size=10", "model.hidden_size = 10"),
        ("--set game.rounds=0", "game.rounds = 0"),
        ("--set arms.aprm.rounds=0", "--set arms.aprm.rounds=0: game.rounds = 0"),
        ("--set game.payoffs.table.fooled=nan", "game.payoffs.table.fooled = NaN"),
        ("--set game.tau=1e39", "game.tau = 1e39"),
        ("--set warm_start.own_errors.temperature=1e39", "temperature = 1e39"),
        ("--set game.positions=9223372036854775807", "game.positions = 9223372036854775807"),
        ("--set evaluation.sets=['longer','longer']", "expected each set once"),
        ("--set problems.letters=0 --out refused", "letters"),
        ("--set problems.steps=[1,1] --set problems.givens=[2,4] --out refused", "the set in distribution"),
        ("--seed 9223372036854775808", "9223372036854775807"),
        ("--out full", "full is not empty"),
        ("--resume full", "no config.toml"),
    ] {
        let complaint = folder.fails(2, &format!("train {args}"));
        assert!(complaint.contains(expected), "{args}: {complaint}");
    }
    assert!(fs::read_dir(folder.0.join("refused")).unwrap().next().is_none(), "what is refused leaves nothing behind");
}

/// What has no room in the context is cut off, wherever it is written.
#[test]
fn a_small_context_ends_what_is_written() {
    let folder = Folder::new("train_context");
    let room = "--set model.context=120 --set evaluation.max_tokens=600 --set game.max_rewrite_tokens=500";
    assert!(folder.run(&format!("train {TINY} {room} --out run")).contains("| longer | soft |"));
    let complaint = folder.fails(1, &format!("train {TINY} --set model.context=4 --out none"));
    assert!(complaint.contains("raise model.context"), "{complaint}");
}

#[test]
fn nobody_need_read_what_is_printed() {
    let folder = Folder::new("train_unread");
    let unread = || std::io::pipe().unwrap().1;
    let run = |args: &str| folder.command(args).stdout(unread()).stderr(unread()).status().unwrap();
    assert!(run("train --dry-run").success());
    assert!(run(&format!("train {TINY} --out run")).success());
    assert!(run("report run").success());
    assert_eq!(run("train --resume absent").code(), Some(2));
}

#[test]
fn a_run_whose_files_were_changed_says_so() {
    let folder = Folder::new("train_changed");
    folder.run(&format!("train {TINY} --out run"));
    let config = folder.read("run/config.toml");
    folder.write("run/config.toml", config.replace("rounds = 6", "rounds = 60"));
    let complaint = folder.fails(2, "train --resume run");
    assert!(complaint.contains("run/config.toml was edited") && complaint.contains("run/states/config.toml"));
    // Spaces and comments are no settings.
    folder.write("run/config.toml", format!("# mine\n{config}"));
    folder.run("train --threads 1 --resume run");

    let whole = results(&folder, "run");
    let again = || {
        for done in ["generator", "verifier"] {
            let _ = fs::remove_dir_all(folder.0.join("run/aprm").join(done));
        }
    };
    again();
    let metrics = folder.read("run/aprm/metrics.jsonl");
    let damaged = metrics.replacen("{\"data\"", "{\"dat", 2);
    folder.write("run/aprm/metrics.jsonl", &damaged);
    let complaint = folder.fails(2, "train --threads 1 --resume run");
    assert!(complaint.contains("metrics.jsonl:1: "), "{complaint}");
    assert_eq!(folder.read("run/aprm/metrics.jsonl"), damaged, "nothing is cut off");
    let lines: Vec<&str> = metrics.split_inclusive('\n').collect();
    folder.write("run/aprm/metrics.jsonl", lines[1..].concat());
    let resumed = folder.command("train --threads 1 --resume run").output().unwrap();
    let said = String::from_utf8(resumed.stderr).unwrap();
    assert!(resumed.status.success() && said.contains("lacks 1 of the 6 rounds"), "{said}");

    again();
    folder.write("run/aprm/metrics.jsonl", &metrics);
    folder.write("run/aprm/judgement.jsonl", "");
    folder.run("train --threads 1 --resume run");
    assert!(results(&folder, "run") == whole, "what was judged is judged again");
    folder.write("run/attempts/longer.jsonl", "");
    let complaint = folder.fails(2, "train --threads 1 --resume run");
    assert!(complaint.contains("longer.jsonl has 0 problems where 3 are expected"), "{complaint}");
}

/// An update that makes every weight infinite is followed by gradients that are no numbers: eight of them end the run.
#[test]
fn gradients_that_are_no_numbers_end_a_run_by_name() {
    let folder = Folder::new("train_nan");
    let rates = "--set game.rounds=30 --set game.verifier_learning_rate=1e38";
    let complaint = folder.fails(1, &format!("train {TINY} {rates} --out run"));
    for part in ["the verifier cannot update: round 8", "8 batches in a row", "model.embed_tokens.weight", "more;"] {
        assert!(complaint.contains(part), "{complaint}");
    }
    assert!(complaint.contains("divergence"), "{complaint}");
    // What was saved before is whole.
    assert!(folder.0.join("run/verifier-0/model.safetensors").exists());
}

/// As on a full disk: no file may have more than so many blocks.
#[cfg(unix)]
#[test]
fn a_run_that_cannot_write_loses_nothing() {
    let folder = Folder::new("train_full");
    folder.run(&format!("train {TINY} --out whole"));
    let mut refused = 0;
    for blocks in [4, 40, 100] {
        let run = format!("{}/run-{blocks}", folder.0.display());
        let command = env!("CARGO_BIN_EXE_aprm");
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec {command} train {TINY} --out {run}");
        let out = std::process::Command::new("sh").args(["-c", &limited]).output().unwrap();
        if out.status.code() == Some(1) {
            refused += 1;
            let complaint = String::from_utf8(out.stderr).unwrap();
            assert!(complaint.contains("cannot ") && complaint.contains("File too large"), "{complaint}");
        }
        folder.run(&format!("train --threads 1 --resume run-{blocks}"));
        for (file, (whole, run)) in
            RESULTS.iter().zip(results(&folder, "whole").into_iter().zip(results(&folder, &format!("run-{blocks}"))))
        {
            assert!(whole == run, "{blocks}: {file} differs");
        }
    }
    assert!(refused > 0);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = Folder::new("train_blocked");
    folder.write("blocked", "");
    let complaint = folder.fails(1, &format!("train {TINY} --out blocked/run"));
    assert!(complaint.contains("cannot write blocked/run"), "{complaint}");
}

/// GSM8K's rows in the place of built-in problems: nobody is judged, and the models are there to be.
#[test]
fn the_game_is_played_on_gsm8k() {
    let folder = Folder::new("train_gsm8k");
    let row = |a: u32, b: u32| {
        let sum = a + b;
        format!(
            "{{\"question\": \"Ada has {a} pens and gets {b}. How many?\", \
             \"answer\": \"She has {a}+{b} = <<{a}+{b}={sum}>>{sum} pens.\\n#### {sum}\"}}\n"
        )
    };
    folder.write("train.jsonl", (2..30).map(|a| row(a, 3 * a)).collect::<String>());
    let tiny = TINY.split(" --set labelling").next().unwrap();
    let printed =
        folder.run(&format!("train {tiny} --set game.max_rewrite_tokens=40 --set gsm8k.file=train.jsonl --out run"));
    assert!(printed.contains("Nobody was judged"), "{printed}");
    let samples = folder.read("run/aprm/samples.jsonl");
    assert!(samples.contains("Ada has "), "{samples}");
    let sample = r#"{"prompt": "Ada has 2 pens and gets 6. How many?", "steps": ["She has 2+6 = 8 pens."]}"#;
    folder.write("in.jsonl", sample);
    assert!(folder.run("score --model run/aprm/verifier in.jsonl").contains("scores"));

    let judge = "while read -r line; do echo \"$line\" >> asked; echo '{\"verdict\":\"incorrect\"}'; done";
    folder.write("judge.sh", judge);
    let judged = |script: &str| {
        format!(
            "train {tiny} --set game.max_rewrite_tokens=40 --set gsm8k.file=train.jsonl \
             --set gsm8k.judge.command=['sh','{script}'] --set gsm8k.judge.asked=always --out {script}-run"
        )
    };
    folder.run(&judged("judge.sh"));
    assert!(folder.read("asked").lines().all(|question| question.contains("\"gold_step\":\"She has ")));
    let complaint = folder.fails(1, &judged("absent.sh"));
    assert!(complaint.contains("\"sh\" ended without an answer"), "{complaint}");

    folder.write("torn.jsonl", format!("{}{{\"question\": ", row(1, 2)));
    for (args, expected) in [
        ("--set gsm8k.file=absent.jsonl", "absent.jsonl"),
        ("--set gsm8k.file=torn.jsonl", "torn.jsonl:2"),
        ("--set gsm8k.file=train.jsonl --set gsm8k.characters=10", "at most 10 characters"),
        ("--set gsm8k.characters=10", "file"),
        ("--set gsm8k.file=train.jsonl --set gsm8k.judge.command=[]", "gsm8k.judge.command"),
        ("--set gsm8k.file=train.jsonl --set game.max_rewrite_tokens=200", "game.max_rewrite_tokens = 200"),
    ] {
        let complaint = folder.fails(2, &format!("train {args} --out other"));
        assert!(complaint.contains(expected), "{args}: {complaint}");
        let _ = fs::remove_dir_all(folder.0.join("other"));
    }
}
