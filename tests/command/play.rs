use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::Folder;

const GAMES: [&str; 6] = ["matching-pennies", "rock-paper-scissors", "bilinear", "quadratic", "corruption", "kuhn"];
const RULES: [&str; 5] = ["gda", "ogda", "extragradient", "adam", "optimistic-adam"];

#[test]
fn every_game_prints_json_and_writes_its_files() {
    let folder = Folder::new("every-game");
    for game in GAMES {
        let printed = folder.run(&format!("play {game} --iterations 20 --json"));
        let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // The start, twenty iterations, the end.
        assert_eq!(lines.len(), 22, "{game}");
        for (iteration, line) in lines[..21].iter().enumerate() {
            assert_eq!(line["iteration"], iteration, "{game}");
        }

        let end = &lines[21];
        assert_eq!((&end["game"], &end["optimizer"], &end["iterations"]), (&game.into(), &"ogda".into(), &20.into()));
        assert!(end["nash_conv"].as_f64().unwrap() >= 0.0, "{game}");
        assert!(end.as_object().unwrap().contains_key("distance"), "{game}");
        let profile = end["profile"].as_array().unwrap();
        assert_eq!(profile.len(), 2, "{game}");
        for strategy in profile {
            assert!(strategy.as_array().unwrap().iter().all(Value::is_f64), "{game}");
        }

        let csv = folder.read(&format!("runs/play-{game}/trajectory.csv"));
        assert_eq!(csv.lines().next(), Some("game,optimizer,iteration,nash_conv,distance"), "{game}");
        assert_eq!(csv.lines().count(), 22, "{game}");
        let svg = folder.read(&format!("runs/play-{game}/trajectory.svg"));
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{game}");
    }
}

#[test]
fn ogda_finds_the_equilibrium_that_gda_circles() {
    let folder = Folder::new("equilibrium");
    let distance = |rule| {
        let end = folder.end(&format!("play matching-pennies --optimizer {rule} --iterations 3000 --json"));
        end["distance"].as_f64().unwrap()
    };
    assert!(distance("ogda") < 1e-9);
    assert!(distance("gda") > 0.1);
}

/// A coefficient far below the payoffs calls for probabilities below the smallest `f64`.
#[test]
fn a_small_coefficient_converges() {
    let end = Folder::new("small-coefficient").end("play matching-pennies --tau 0.001 --iterations 4000 --json");
    assert!(end["nash_conv"].as_f64().unwrap() < 1e-12);
}

#[test]
fn compare_plays_the_named_rules_or_all() {
    let folder = Folder::new("compare");
    let played = |args: &str| {
        let printed = folder.run(&format!("play kuhn --iterations 5 --json {args}"));
        let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let ends = lines.filter(|line| line["profile"].is_array());
        ends.map(|end| end["optimizer"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(played("--compare"), RULES);
    assert_eq!(played("--compare gda,adam"), ["gda", "adam"]);
    let csv = folder.read("runs/play-kuhn/trajectory.csv");
    assert_eq!(csv.lines().count(), 1 + 2 * 6);
}

#[test]
fn the_table_is_for_people() {
    let printed = Folder::new("table").run("play matching-pennies --iterations 100 --out .");
    assert!(printed.starts_with("matching-pennies by ogda, learning rate 0.1250\n"), "{printed}");
    assert!(printed.contains("NashConv") && printed.contains("profile "), "{printed}");
}

#[test]
fn equal_seeds_give_equal_bytes() {
    let folder = Folder::new("seeds");
    let played = |seed, out| {
        let printed = folder
            .run(&format!("play quadratic --compare --iterations 50 --start random --seed {seed} --json --out {out}"));
        (printed, folder.read(&format!("{out}/trajectory.csv")), folder.read(&format!("{out}/trajectory.svg")))
    };
    let first = played(7, "a");
    assert_eq!(first, played(7, "b"));
    assert_ne!(first, played(8, "c"));
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = Folder::new("usage");
    for args in [
        "",
        "play",
        "play chess",
        "play kuhn --optimizer sgd",
        "play kuhn --compare sgd",
        "play kuhn --game-file game.json",
        "play kuhn --iterations -1",
        "play kuhn --learning-rate 0",
        "play kuhn --learning-rate nan",
        "play kuhn --tau -0.1",
        "play kuhn --tau 1e-320",
        "play kuhn --tau 1e308",
        "play corruption --payoffs 1,2",
        "play corruption --payoffs 1,2,inf",
        "play corruption --gold-share 1.5",
        "play bilinear --size 0",
        "play quadratic --condition 0.5",
        "play bilinear --tau 0.1",
        "play quadratic --coordinates logits",
        "play kuhn --zero-sum",
        "play matching-pennies --size 9 --gold-share 0.1",
    ] {
        assert!(folder.fails(2, args).contains("Usage") || folder.fails(2, args).contains("--help"), "aprm {args}");
    }
    assert!(!folder.0.join("runs").exists(), "nothing is written on wrong usage");
}

#[test]
fn divergence_exits_with_1_and_advice() {
    let folder = Folder::new("divergence");
    for rule in RULES {
        if rule.contains("adam") {
            continue; // Its steps are bounded.
        }
        let complaint = folder.fails(1, &format!("play bilinear --optimizer {rule} --learning-rate 100"));
        assert!(complaint.contains("diverged") && complaint.contains("try a learning rate below 100"), "{complaint}");
    }
    // What one of several rules does is a result, not a failure.
    folder.run("play bilinear --compare gda,ogda --learning-rate 100");
}

#[test]
fn payoffs_are_the_generators() {
    let folder = Folder::new("payoffs");
    let ends = ["", "--payoffs 1,0,-1", "--payoffs -1,0,1", "--zero-sum"]
        .map(|args| folder.end(&format!("play corruption --iterations 200 --json {args}"))["profile"].clone());
    assert_eq!(ends[0], ends[1], "1,0,-1 is the default");
    assert!(ends[0] != ends[2] && ends[0] != ends[3]);
}

#[test]
fn no_iterations_show_the_start() {
    let end = Folder::new("start").end("play matching-pennies --iterations 0 --json");
    assert_eq!(end["profile"].to_string(), "[[0.9,0.1],[0.1,0.9]]");
}

#[test]
fn the_ends_of_every_number_are_played_or_refused() {
    let folder = Folder::new("ends");
    for game in GAMES {
        for args in [
            "--tau 1e100",
            "--tau 1e-100 --entropy-coef 1e-100",
            "--learning-rate 1e308",
            "--learning-rate 5e-324",
            "--payoffs 1e100,-1e100,0",
            "--gold-share 0",
            "--gold-share 1",
            "--size 1 --condition 1",
            "--coordinates logits --learning-rate 1e300",
        ] {
            let Output { status, stderr, .. } =
                folder.command(&format!("play {game} --compare --iterations 10 --json {args}")).output().unwrap();
            let complaint = String::from_utf8_lossy(&stderr);
            let is_over_vectors = ["bilinear", "quadratic"].contains(&game);
            let is_idle = match args.split(' ').next() {
                Some("--tau" | "--coordinates") => is_over_vectors,
                Some("--payoffs" | "--gold-share") => game != "corruption",
                Some("--size") => !is_over_vectors,
                _ => false,
            };
            let expected = if is_idle { 2 } else { 0 };
            assert_eq!(status.code(), Some(expected), "aprm play {game} {args}: {complaint}");
            assert_eq!(is_idle, complaint.contains("would do nothing in this game"), "aprm play {game} {args}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_exits_with_1() {
    let folder = Folder::new("unwritable");
    folder.write("file", "");
    for out in ["file", "file/folder"] {
        let complaint = folder.fails(1, &format!("play kuhn --iterations 5 --out {out}"));
        assert!(complaint.contains(&format!("cannot write {out}")), "{complaint}");
    }
}

/// `aprm play ... | head -n 1`
#[test]
fn a_reader_that_leaves_is_no_failure() {
    let folder = Folder::new("closed");
    for mode in ["--json", ""] {
        // More than a pipe holds.
        let mut command = folder.command(&format!("play matching-pennies --iterations 20000 --compare {mode}"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let Output { status, stderr, .. } = child.wait_with_output().unwrap();
        assert!(first.contains("matching-pennies"));
        assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
    }
}
