//! `aprm env`: what a report of a problem should say of the machine.

use std::fs;
use std::io;
use std::thread::available_parallelism;

use clap::Args;
use serde_json::{Value, json};

use crate::output::print;

/// Print what a bug report needs to say of this machine and this build.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  aprm env --json")]
pub(crate) struct Env {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl Env {
    pub(crate) fn run(&self) -> io::Result<()> {
        let [total, available] = memory();
        let env = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "platform": format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            "cpu_features": cpu_features(),
            "threads": available_parallelism().ok().map(usize::from),
            "memory_bytes": total,
            "available_memory_bytes": available,
            "gpus": adapters(),
            "build": if cfg!(debug_assertions) { "debug" } else { "release" },
        });
        let fields = env.as_object().into_iter().flatten();
        let lines = fields.map(|(name, value)| format!("{:24}{}\n", name.replace('_', " "), plain(value)));
        print(&if self.json { format!("{env}\n") } else { lines.collect() })
    }
}

/// The GPUs, in the order of their numbers.
#[cfg(feature = "gpu")]
fn adapters() -> Value {
    let describe = |adapter: &aprm_wgpu::Adapter| {
        json!({
            "name": adapter.name(),
            "driver": adapter.driver(),
            "kind": adapter.kind(),
            "tier": adapter.tier().to_string(),
            "subgroup_size": adapter.subgroup_size(),
            "buffer_bytes": adapter.binding_size(),
            "workgroup_memory_bytes": adapter.workgroup_memory(),
        })
    };
    aprm_wgpu::Adapter::all().iter().map(describe).collect()
}

#[cfg(not(feature = "gpu"))]
fn adapters() -> Value {
    Value::from("not built")
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "unknown".into(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// The instructions that decide how fast the processor's kernels are.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn cpu_features() -> Vec<&'static str> {
    let features = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bf16", is_x86_feature_detected!("avx512bf16")),
    ];
    features.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn cpu_features() -> Vec<&'static str> {
    Vec::new()
}

/// Bytes of memory, in all and free to be taken, where the system says so in a file.
fn memory() -> [Option<u64>; 2] {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    ["MemTotal:", "MemAvailable:"].map(|name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kibibytes.checked_mul(1024)
    })
}
