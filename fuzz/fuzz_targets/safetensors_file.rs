//! Any bytes as a safetensors file: refused, or tensors that lie within it and are written to equal tensors.
#![no_main]

use std::io::Cursor;

use aprm_models::safetensors::{Options, Precision, SafeTensors, Tensor, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let options = Options { allow_non_finite: false, ..Options::default() };
    let Ok(mut file) = SafeTensors::new(Cursor::new(data), options) else { return };
    let tensors = file.header().tensors.clone();
    let mut read = Vec::new();
    for (name, info) in &tensors {
        assert!(info.data_offsets[0] <= info.data_offsets[1] && info.data_offsets[1] <= data.len() as u64);
        let _ = (file.read_f64(name), file.read_i64(name));
        if let Ok(entries) = file.read_f32(name) {
            assert!(entries.iter().all(|entry| entry.is_finite()));
            read.push((name, &info.shape, entries));
        }
    }
    let tensors: Vec<_> = read.iter().map(|(name, shape, entries)| Tensor { name, shape, entries }).collect();
    let mut written = Vec::new();
    write(&mut written, Precision::F32, &tensors).expect("what was read can be written");
    let mut again = SafeTensors::new(Cursor::new(&written), options).expect("what was written can be read");
    for (name, _, entries) in &read {
        assert_eq!(&again.read_f32(name).expect("its entries are finite"), entries);
    }
});
