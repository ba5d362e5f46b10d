//! Any bytes as a `config.json`: refused, or a shape that is written and read back, whose layout adds up.
#![no_main]

use aprm_models::config::ModelConfig;
use aprm_models::layout::Layout;
use libfuzzer_sys::fuzz_target;

/// Layouts of more layers are left out: a folder is refused before one is made.
const LAYERS: usize = 100;

fuzz_target!(|data: &[u8]| {
    let Ok(config) = ModelConfig::parse(data) else { return };
    assert_eq!(ModelConfig::parse(config.to_json().as_bytes()).expect("what is written is read"), config);
    assert!(config.head_dim % 2 == 0 && config.num_attention_heads % config.num_key_value_heads == 0);
    if config.num_hidden_layers > LAYERS || config.head_dim > 1 << 20 {
        return;
    }
    assert!(config.rope_frequencies().iter().all(|frequency| !frequency.is_nan()));
    let layout = Layout::new(&config);
    assert_eq!(layout.lm_head.is_some(), layout.score.is_empty());
    let mut names: Vec<&str> = layout.tensors.iter().flat_map(|spec| &spec.parts).map(|part| &*part.name).collect();
    let tensors = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), tensors, "every tensor has a name of its own");
});
