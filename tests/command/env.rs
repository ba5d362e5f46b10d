use serde_json::Value;

use crate::Folder;

#[test]
fn the_machine_and_the_build_are_described() {
    let folder = Folder::new("env");
    let env: Value = folder.end("env --json");
    assert_eq!(env["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&env["backends"]["cpu"], &env["backends"]["gpu"]), (&"built".into(), &"not built".into()));
    assert!(env["threads"].as_u64() >= Some(1), "{env}");
    let printed = folder.run("env");
    assert!(printed.contains("backends") && printed.contains("gpu not built"), "{printed}");
}
