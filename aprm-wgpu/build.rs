//! Expands the shaders' imports, has naga validate what comes of it, and writes the table of kernels.
//!
//! A line `#import name` stands for `src/shaders/parts/name.wgsl`; where there is a `name.subgroups.wgsl` too, the
//! kernels that import it come in a version `subgroups` as well, and so for any other word.
//! Where weights may be [`PACKED`], each of these versions comes with them too, and where entries may be [`WIDE`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use naga::valid::{Capabilities, ValidationFlags, Validator};

/// The words that go with every other: one says how weights are kept, one how many numbers a kernel works on at a time.
const PACKED: &str = "packed";
const WIDE: &str = "wide";

fn main() {
    println!("cargo::rerun-if-changed=src/shaders");
    let folder = Path::new("src/shaders");
    let parts = shaders(&folder.join("parts"));
    let words: BTreeSet<&str> = parts.keys().filter_map(|part| Some(part.split_once('.')?.1)).collect();
    let mut table = String::from("kernels! {\n");
    for (name, source) in shaders(folder) {
        let variant: String = name.split('_').map(capitalized).collect();
        write!(table, "    {variant} {name:?} [").expect("strings can be written");
        let mut seen = BTreeSet::new();
        for word in std::iter::once("").chain(words.iter().copied().filter(|word| ![PACKED, WIDE].contains(word))) {
            for (is_packed, is_wide) in [(false, false), (false, true), (true, false), (true, true)] {
                let versions = [word, if is_packed { PACKED } else { "" }, if is_wide { WIDE } else { "" }];
                let expanded = expand(&name, &source, &parts, versions);
                if seen.insert(expanded.clone()) {
                    let bindings = bindings(&name, versions, &expanded);
                    let kind = format!("word: {word:?}, is_packed: {is_packed}, is_wide: {is_wide}");
                    write!(table, "Version {{ {kind}, source: {expanded:?}, bindings: &{bindings:?} }}, ")
                        .expect("strings can be written");
                }
            }
        }
        table.push_str("],\n");
    }
    table.push_str("}\n");
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("kernels.rs"), table).expect("OUT_DIR can be written");
}

/// The shaders of a folder by name.
fn shaders(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("it can be read").path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "wgsl"));
    files
        .map(|path| {
            let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("it is text"))
        })
        .collect()
}

/// The source with what it imports, in the first of the versions that there is.
fn expand(name: &str, source: &str, parts: &BTreeMap<String, String>, versions: [&str; 3]) -> String {
    let mut expanded = String::new();
    for line in source.lines() {
        let Some(import) = line.strip_prefix("#import ") else {
            expanded.push_str(line);
            expanded.push('\n');
            continue;
        };
        let found = versions.iter().find_map(|version| parts.get(&format!("{import}.{version}")));
        let part = found.or_else(|| parts.get(import));
        let part = part.unwrap_or_else(|| panic!("{name}: no part {import}"));
        expanded.push_str(&expand(name, part, parts, versions));
    }
    expanded
}

/// The numbers of the bindings in ascending order, and whether each is written to.
///
/// # Panics
/// If the shader is not valid.
fn bindings(name: &str, versions: [&str; 3], source: &str) -> Vec<(u32, bool)> {
    let path = format!("src/shaders/{name}.wgsl, imports expanded {versions:?}");
    let module = naga::front::wgsl::parse_str(source)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string_with_path(source, &path)));
    let capabilities = Capabilities::IMMEDIATES
        | Capabilities::SUBGROUP
        | Capabilities::SHADER_FLOAT16
        | Capabilities::COOPERATIVE_MATRIX;
    Validator::new(ValidationFlags::all(), capabilities)
        .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
        .subgroup_operations(naga::valid::SubgroupOperationSet::all())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string_with_path(source, &path)));
    let mut bindings: Vec<(u32, bool)> = module
        .global_variables
        .iter()
        .filter_map(|(_, variable)| match variable.space {
            naga::AddressSpace::Storage { access } => {
                let binding = variable.binding.expect("storage has a binding").binding;
                Some((binding, access.contains(naga::StorageAccess::STORE)))
            }
            _ => None,
        })
        .collect();
    bindings.sort_unstable();
    assert!(bindings.len() <= 8, "{name}: more bindings than every device has");
    bindings
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}
