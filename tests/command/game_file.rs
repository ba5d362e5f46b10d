use crate::Folder;

const PENNIES: &str = r#"{"a": [[1, -1], [-1, 1]], "b": [[-1, 1], [1, -1]]}"#;

#[test]
fn matching_pennies_from_a_file_are_the_built_in_ones() {
    let folder = Folder::new("pennies");
    folder.write("matching-pennies.json", PENNIES);
    for args in ["", "--coordinates logits", "--optimizer gda --update-order alternating"] {
        assert_eq!(
            folder.run(&format!("play --game-file matching-pennies.json --iterations 100 --json {args}")),
            folder.run(&format!("play matching-pennies --iterations 100 --json {args}")),
        );
    }
}

#[test]
fn regularisers_from_a_file_are_those_of_the_flags() {
    let folder = Folder::new("regularisers");
    folder.write(
        "matching-pennies.json",
        r#"{"a": [[1, -1], [-1, 1]], "b": [[-1, 1], [1, -1]], "tau": 0.1, "entropy_coef": [0.2, 0.2],
            "references": [[0.5, 0.5], [0.5, 0.5]]}"#,
    );
    assert_eq!(
        folder.run("play --game-file matching-pennies.json --iterations 100 --json"),
        folder.run("play matching-pennies --tau 0.1 --entropy-coef 0.2 --iterations 100 --json"),
    );
}

#[test]
fn bad_files_exit_with_2_and_say_why() {
    let folder = Folder::new("bad-files");
    let with = |more: &str| PENNIES.replace('}', &format!(", {more}}}"));
    let cases = [
        (String::new(), "line 1 column 0"),
        ("{\"a\": [[1, 2],\n [3 4]]}".into(), "line 2 column 5"),
        ("\u{feff}{}".into(), "line 1 column 1"),
        (PENNIES.replace("-1", "NaN"), "line 1 column"),
        (PENNIES.replace("-1", "1e400"), "number out of range at line 1 column"),
        (PENNIES.replace("-1", "1e101"), "must be between -1e100 and 1e100"),
        (PENNIES.replace("\"b\"", "\"c\""), "unknown field `c`"),
        (with("\"a\": []"), "duplicate field `a`"),
        (PENNIES.replace("[1, -1]", "[1]"), "`a`[1] has 2 entries for 1 choices"),
        (PENNIES.replace("[[1, -1], [-1, 1]]", "[]"), "`a` has no entries"),
        (PENNIES.replace("[[1, -1], [-1, 1]]", "[[], []]"), "`a` has no entries"),
        (PENNIES.replace("[[-1, 1], [1, -1]]", "[[-1, 1]]"), "`a` has 2 rows, `b` has 1"),
        (with("\"tau\": -0.1"), "`tau` must be 0 or between"),
        (with("\"entropy_coef\": [0, 1e-320]"), "`entropy_coef` must be 0 or between"),
        (with("\"tau\": \"much\""), "expected a number, or one number for each player"),
        (with("\"references\": [[0.5, 0.5], [1, 0]]"), "`references`[1][1] must be a positive probability"),
        (with("\"references\": [[0.5, 0.6], [0.5, 0.5]]"), "`references`[0] sums to 1.1, not to 1"),
        (with("\"references\": [[0.5, 0.5], [1]]"), "`references`[1] has 1 entries for 2 choices"),
        ("[".repeat(100_000), "line 1 column"),
    ];
    for (content, expected) in cases {
        folder.write("game.json", &content);
        let complaint = folder.fails(2, "play --game-file game.json");
        assert!(complaint.contains("game.json holds no game"), "{complaint}");
        assert!(complaint.contains(expected), "{content:.80}: {complaint}");
    }
    folder.write("game.json", b"{\"a\": \xff}");
    assert!(folder.fails(2, "play --game-file game.json").contains("line 1 column"));

    for path in ["missing.json", "."] {
        let complaint = folder.fails(2, &format!("play --game-file {path}"));
        assert!(complaint.contains(&format!("cannot read the game file {path}")), "{complaint}");
    }
    assert!(!folder.0.join("runs").exists(), "nothing is written on bad input");
}

#[test]
fn large_payoffs_are_played() {
    let folder = Folder::new("large");
    for payoff in ["1e39", "1e100", "1e-100"] {
        let game = PENNIES.replace('1', payoff);
        folder.write("game.json", game);
        let end = folder.end("play --game-file game.json --json");
        assert!(end["distance"].as_f64().unwrap() < 1e-3, "{payoff}: {end}");
    }
}
