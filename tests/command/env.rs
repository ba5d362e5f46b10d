use serde_json::Value;

use crate::Folder;

#[test]
fn the_machine_and_the_build_are_described() {
    let folder = Folder::new("env");
    let env: Value = folder.end("env --json");
    assert_eq!(env["version"], env!("CARGO_PKG_VERSION"));
    let gpus = env["gpus"].as_array().unwrap();
    for field in ["name", "driver", "kind", "tier", "subgroup_size", "buffer_bytes", "workgroup_memory_bytes"] {
        assert!(gpus.iter().all(|gpu| gpu.get(field).is_some()), "{field}: {env}");
    }
    assert!(env["threads"].as_u64() >= Some(1), "{env}");
    let printed = folder.run("env");
    assert!(printed.contains("gpus") && printed.contains("threads"), "{printed}");
}
