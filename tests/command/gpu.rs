//! The same work on a GPU, or on Mesa's software for one; `APRM_GPU=off` leaves these tests out.

use serde_json::Value;

use crate::Folder;
use crate::train::TINY;

fn is_off() -> bool {
    let is_off = std::env::var("APRM_GPU").is_ok_and(|value| value == "off");
    if is_off {
        eprintln!("SKIPPED: APRM_GPU=off");
    }
    is_off
}

/// A number of each round of an arm.
fn rounds(folder: &Folder, run: &str, arm: &str, metric: &str) -> Vec<f64> {
    let lines = folder.read(&format!("{run}/{arm}/metrics.jsonl"));
    let round = |line: &str| serde_json::from_str::<Value>(line).unwrap()["data"][metric].as_f64().unwrap();
    lines.lines().map(round).collect()
}

#[test]
fn a_run_repeats_its_bits_and_has_the_cpus_curves() {
    if is_off() {
        return;
    }
    let folder = Folder::new("gpu_train");
    for (run, backend) in [("one", "gpu"), ("two", "gpu"), ("cpu", "cpu")] {
        folder.run(&format!("train {TINY} --out {run} --backend {backend}"));
    }
    for file in ["summary.json", "aprm/metrics.jsonl", "aprm/verifier/model.safetensors", "attempts/longer.jsonl"] {
        let [one, two] = ["one", "two"].map(|run| std::fs::read(folder.0.join(run).join(file)).unwrap());
        assert!(one == two, "{file} differs");
    }
    for arm in ["static", "aprm", "soft"] {
        for metric in ["verifier/loss", "verifier/grad_norm", "verifier/update_norm"] {
            let [gpu, cpu] = ["one", "cpu"].map(|run| rounds(&folder, run, arm, metric));
            assert_eq!(gpu.len(), 6);
            for (gpu, cpu) in gpu.iter().zip(&cpu) {
                assert!((gpu - cpu).abs() <= 1e-3 * cpu.abs(), "{arm} {metric}: {gpu} is not {cpu}");
            }
        }
    }
}

#[test]
fn a_run_goes_on_without_its_gpu() {
    if is_off() {
        return;
    }
    let folder = Folder::new("gpu_resume");
    folder.run(&format!("train {TINY} --out whole --backend gpu"));
    // As if the device had been lost after the game's last state.
    for done in ["summary.json", "report.html"] {
        std::fs::remove_file(folder.0.join("whole").join(done)).unwrap();
    }
    for done in ["generator", "verifier"] {
        std::fs::remove_dir_all(folder.0.join("whole/aprm").join(done)).unwrap();
    }
    folder.run("train --threads 1 --resume whole --backend cpu");
    assert!(folder.0.join("whole/summary.json").exists());
}

/// Kept in two bytes each, so without the note that the processor gives.
#[test]
fn rounded_weights_have_the_cpus_scores() {
    if is_off() {
        return;
    }
    let folder = crate::score::with_model("gpu_weights", "qwen2_token_classifier");
    let [gpu, cpu] = ["gpu", "cpu"].map(|backend| {
        let args = format!("score --model model --weights bf16 --backend {backend} in.jsonl");
        let out = folder.command(&args).output().unwrap();
        let note = String::from_utf8(out.stderr).unwrap();
        assert_eq!(note.contains("note: weights are rounded to bf16"), backend == "cpu", "{note}");
        let printed = String::from_utf8(out.stdout).unwrap();
        let aggregate = |line| serde_json::from_str::<Value>(line).unwrap()["aggregate"].as_f64().unwrap();
        printed.lines().map(aggregate).collect::<Vec<f64>>()
    });
    assert_eq!(gpu.len(), 3);
    assert!(gpu.iter().zip(&cpu).all(|(gpu, cpu)| (gpu - cpu).abs() < 1e-5), "{gpu:?} {cpu:?}");
}

/// By matrix units where there are any that pass the check, else with a warning and in `f32`.
#[test]
fn matrix_units_have_nearly_the_same_scores() {
    if is_off() {
        return;
    }
    let folder = crate::score::with_model("gpu_matrices", "qwen2_token_classifier");
    let [with, without] = [" --matrices", ""].map(|flag| {
        let out = folder.command(&format!("score --model model --backend gpu{flag} in.jsonl")).output().unwrap();
        assert!(out.status.success());
        let (printed, warning) = (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
        let aggregate = |line| serde_json::from_str::<Value>(line).unwrap()["aggregate"].as_f64().unwrap();
        let in_f32 = flag.is_empty() || warning.contains("products are in f32");
        (printed.lines().map(aggregate).collect::<Vec<f64>>(), in_f32)
    });
    let most = if with.1 { 0.0 } else { 0.02 };
    assert_eq!(with.0.len(), 3);
    assert!(with.0.iter().zip(&without.0).all(|(a, b)| (a - b).abs() <= most), "{with:?} {without:?}");
}

#[test]
fn an_unknown_adapter_is_bad_input() {
    let folder = Folder::new("gpu_unknown");
    let out = folder.command("train --backend gpu --adapter nothing-like-it --out run").output().unwrap();
    let message = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{message}");
    assert!(message.contains("no GPU \"nothing-like-it\"; there are: "), "{message}");
}
