use std::fs;

use serde_json::{Value, json};

use crate::Folder;
use crate::event_file::{Event, events};
use crate::train::TINY;

const EVENTS: &str = "tensorboard/events.out.tfevents.0.aprm";
const CONFIG: &str = "seed = 7\n\n[game]\nrounds = 30\n";

/// What a browser makes of the page's text.
fn unescaped(page: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    named.into_iter().fold(page.to_owned(), |page, (name, character)| page.replace(name, character))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The folder of a run with one arm.
fn run_with(test: &str, metrics: &str, samples: &str) -> Folder {
    let folder = Folder::new(test);
    fs::create_dir_all(folder.0.join("run/arm")).unwrap();
    folder.write("run/config.toml", CONFIG);
    folder.write("run/arm/metrics.jsonl", metrics);
    folder.write("run/arm/samples.jsonl", samples);
    folder
}

fn metrics_line(step: u64) -> String {
    format!("{}\n", json!({"step": step, "data": {"game/fooling_rate": 0.5, "errors/sign": 1.0}}))
}

fn sample_line(step: u64, rewrite: &str) -> String {
    let sample = json!({
        "step": step, "problem": "a=1;b=a+1?", "prefix": ["c=2"], "gold_step": "b=1+1=2", "rewrite": rewrite,
        "verdict": "incorrect", "error": "sign", "score": 0.25, "payoff": 1.0,
    });
    format!("{sample}\n")
}

#[test]
fn a_run_ends_with_its_page_and_its_events() {
    let folder = Folder::new("report_run");
    let printed = folder.run(&format!("train {TINY} --out one"));
    assert!(printed.contains("one/report.html"), "{printed}");
    let page = folder.read("one/report.html");
    for absent in ["<script", "http-equiv", "src=", "<link", "@import", "url("] {
        assert!(!page.contains(absent), "{absent}");
    }
    for title in ["Fooling rate", "Verifier accuracy", "Gold steps accepted", "Generator: KL", "Verifier: entropy"] {
        assert!(page.contains(&format!("<h3>{title}")), "{title}");
    }
    assert!(page.contains("<td>larger numbers</td><td>aprm</td>") && page.contains("max_rewrite_tokens = 8"));
    for arm in ["static", "aprm"] {
        assert!(page.contains(&format!("<h3>{arm}: kinds of errors")), "{arm}");
        for sample in lines(&folder.read(&format!("one/{arm}/samples.jsonl"))) {
            for field in ["problem", "gold_step", "rewrite"] {
                let text = sample[field].as_str().unwrap();
                assert!(unescaped(&page).contains(&format!("<code>{text}</code>")), "{arm}: {field} {text}");
            }
        }
    }
    // Nothing of the page depends on more than the run: whoever writes it, whenever, writes the same.
    assert_eq!(folder.run("report one"), "one/report.html\n");
    assert_eq!(folder.read("one/report.html"), page);
    folder.run(&format!("train {TINY} --out two"));
    assert_eq!(folder.read("two/report.html"), page);

    for arm in ["static", "aprm"] {
        let bytes = fs::read(folder.0.join("one").join(arm).join(EVENTS)).unwrap();
        assert!(bytes == fs::read(folder.0.join("two").join(arm).join(EVENTS)).unwrap(), "{arm}: two runs");
        let [version, rounds @ ..] = &events(&bytes).unwrap()[..] else { panic!("no event") };
        assert_eq!(version.file_version.as_deref(), Some("brain.Event:2"));
        let logged: Vec<Event> =
            lines(&folder.read(&format!("one/{arm}/metrics.jsonl"))).iter().map(as_event).collect();
        assert_eq!(rounds, logged, "{arm}");
    }
}

/// What a line of metrics.jsonl is as an event.
fn as_event(line: &Value) -> Event {
    let step = line["step"].as_u64().unwrap();
    let data = line["data"].as_object().unwrap();
    let scalars = data.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()? as f32)));
    Event { wall_time: step as f64, step, file_version: None, scalars: scalars.collect() }
}

#[test]
fn a_round_that_is_played_again_is_one_event() {
    let folder = Folder::new("report_again");
    folder.run(&format!("train {TINY} --out run"));
    let arm = folder.0.join("run/aprm");
    let whole = fs::read(arm.join(EVENTS)).unwrap();
    // As if it had been killed after a round whose state was not saved, with an event half written.
    let states = fs::read_dir(folder.0.join("run/aprm/states")).unwrap().map(|entry| entry.unwrap().path());
    fs::remove_dir_all(states.filter(|path| path.is_dir()).max().unwrap()).unwrap();
    fs::remove_dir_all(arm.join("verifier")).unwrap();
    fs::write(arm.join(EVENTS), [&whole[..], b"half of an event"].concat()).unwrap();
    folder.run("train --threads 1 --resume run");
    assert!(fs::read(arm.join(EVENTS)).unwrap() == whole);
}

#[test]
fn what_was_written_is_text_and_no_page() {
    let attack = "<script>alert('&amp;')</script>\"><img src=x onerror=alert(1)>";
    let folder = run_with("report_script", &metrics_line(0), &sample_line(0, attack));
    let hostile =
        json!({"step": 0, "data": {format!("errors/{attack}"): 1.0, format!("generator/distinct_{attack}"): 0.5}});
    fs::create_dir_all(folder.0.join("run/<img>")).unwrap();
    folder.write("run/<img>/metrics.jsonl", format!("{hostile}\n"));
    folder.write("run/<img>/alarms.jsonl", format!("{}\n", json!({"step": 0, "alarm": attack, "message": attack})));
    folder.write("run/summary.json", json!({"rows": [{"prm": attack, "set": attack}]}).to_string());
    folder.write("run/config.toml", format!("{CONFIG}# {attack}\n"));
    folder.run("report run");
    let page = folder.read("run/report.html");
    assert!(!page.contains("<script") && !page.contains("<img"), "unescaped");
    assert!(unescaped(&page).contains(&format!("<code>{attack}</code>")), "the rewrite itself");
}

#[test]
fn what_a_run_has_is_shown() {
    let metrics: String = (0..30).map(metrics_line).collect();
    let samples: String =
        (0..30).flat_map(|step| (0..4).map(move |i| sample_line(step, &format!("b={step}.{i}")))).collect();
    let folder = run_with("report_parts", &metrics, &samples);
    let page = || {
        folder.run("report run");
        folder.read("run/report.html")
    };
    let bare = page();
    assert!(bare.contains("has not ended") && bare.contains("30 of 30 rounds"), "a run without a summary");
    assert!(bare.contains("mean over 5 rounds") && bare.contains("40 of 120 logged rewrites"));
    assert!(
        bare.contains("<code>b=0.0</code>") && bare.contains("<code>b=29.1</code>"),
        "the first and the last round"
    );
    for absent in ["Alarms", "Diversity", "Verifiers against generators", "Verifier accuracy"] {
        assert!(!bare.contains(absent), "{absent}");
    }

    let rates = [[Some(0.5), Some(0.625), Some(0.75)], [Some(0.25), None, Some(1.0)]];
    let rates = json!({"generators": [0, 10, 20], "verifiers": [0, 10], "fooling_rate": rates});
    folder.write("run/arm/win_rates.json", rates.to_string());
    let alarm =
        |step: u64| format!("{}\n", json!({"step": step, "alarm": "mode collapse", "message": format!("at {step}")}));
    folder.write("run/arm/alarms.jsonl", [3, 4, 9].map(alarm).concat());
    let last = json!({"generator/distinct_2": 0.9, "generator/grad_norm": null});
    let checkpoint = json!({"step": 30, "data": last});
    folder.write("run/arm/metrics.jsonl", format!("{metrics}{checkpoint}\n"));
    let whole = page();
    for part in ["Alarms", "at 3", "Distinct-2", "generator of round 20, verifier of round 0: 0.750"] {
        assert!(whole.contains(part), "{part}");
    }
    assert!(!whole.contains("at 4") && !whole.contains("gradient norm"), "an alarm again, or a metric without numbers");

    // A run that is being written: the last lines are there in part.
    folder.write("run/arm/metrics.jsonl", format!("{metrics}{}", &metrics_line(30)[..20]));
    folder.write("run/arm/samples.jsonl", format!("{samples}{}", &sample_line(30, "b=1")[..9]));
    for file in ["alarms.jsonl", "win_rates.json"] {
        fs::remove_file(folder.0.join("run/arm").join(file)).unwrap();
    }
    assert_eq!(page(), bare);
}

#[test]
fn numbers_at_the_edge_are_drawn() {
    for (i, value) in [0.0, -1.0, 1e308, -1e308, 5e-324, 1e-310].into_iter().enumerate() {
        let line = |step: u64| {
            format!(
                "{}\n",
                json!({"step": step, "data": {
            "game/fooling_rate": value, "generator/grad_norm": value, "verifier/loss": null,
            "generator/rewards/mean": if step == 0 { 0.0 } else { value }, "errors/sign": value}})
            )
        };
        let folder = run_with(&format!("report_edge_{i}"), &[line(0), line(u64::MAX)].concat(), "");
        folder.run("report run");
        assert!(!folder.read("run/report.html").contains("NaN"), "{value}");
    }
    let folder = run_with("report_nothing", "", "");
    folder.run("report run");
    fs::remove_dir_all(folder.0.join("run/arm")).unwrap();
    folder.run("report run");
}

#[test]
fn a_long_run_is_no_long_page() {
    let pages = [4_000, 8_000].map(|rounds| {
        let metrics: String = (0..rounds).map(metrics_line).collect();
        let folder = run_with("report_long", &metrics, "");
        folder.run("report run");
        folder.read("run/report.html").len()
    });
    assert!(pages[1] < pages[0] * 11 / 10, "{pages:?}");
}

#[test]
fn what_is_no_run_is_refused() {
    let broken = [metrics_line(0), "{\"step\": 1, \"data\": {\n".into(), metrics_line(2)].concat();
    let folder = run_with("report_broken", &broken, "");
    let complaint = folder.fails(2, "report run");
    assert!(complaint.contains("run/arm/metrics.jsonl:2: "), "{complaint}");
    for (file, content, expected) in [
        ("metrics.jsonl", "{\"step\": 0, \"data\": {\"x\": \"y\"}}\n", "metrics.jsonl:1: "),
        ("metrics.jsonl", "{\"step\": 0, \"data\": {}}\n\n", "metrics.jsonl:2: "),
        ("samples.jsonl", "{\"step\": 0}\n", "samples.jsonl:1: missing field"),
        ("alarms.jsonl", "[]\n", "alarms.jsonl:1: "),
        ("win_rates.json", "{\"generators\": [0], \"verifiers\": [0], \"fooling_rate\": []}", "1 rows of 1"),
        ("win_rates.json", "{\"generators\": [0], \"verifiers\": [0], \"fooling_rate\": [[2]]}", "2 is no share"),
        ("win_rates.json", "{", "win_rates.json: EOF"),
        ("../summary.json", "{\"rows\": 3}", "summary.json: "),
        ("../config.toml", "[game\n", "config.toml: "),
    ] {
        let folder = run_with("report_refused", &metrics_line(0), "");
        folder.write(&format!("run/arm/{file}"), content);
        let complaint = folder.fails(2, "report run");
        assert!(complaint.contains(expected), "{file}: {complaint}");
        assert!(!folder.0.join("run/report.html").exists());
    }
    fs::create_dir(folder.0.join("empty")).unwrap();
    for absent in ["empty", "absent"] {
        assert!(folder.fails(2, &format!("report {absent}")).contains("is no run: it has no config.toml"), "{absent}");
    }
}
