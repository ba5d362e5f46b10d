//! The two events that a file of scalars is made of, as protocol buffers.
//!
//! ```text
//! Event   { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
//! Summary { repeated Value value = 1; }    Value { string tag = 1; float simple_value = 2; }
//! ```
//!
//! Reference: TensorFlow, `tensorflow/core/util/event.proto` and `tensorflow/core/framework/summary.proto`.

use crate::metrics_row::MetricsRow;

/// What a file begins with.
pub(super) fn file_version() -> Vec<u8> {
    let mut event = at(0);
    push_bytes(&mut event, 3, b"brain.Event:2");
    event
}

/// The scalars of a round; a metric that is `null` is no scalar.
pub(super) fn scalars(row: &MetricsRow) -> Vec<u8> {
    let mut summary = Vec::new();
    for (name, scalar) in row.data.iter().filter_map(|(name, scalar)| Some((name, (*scalar)?))) {
        let mut value = Vec::new();
        push_bytes(&mut value, 1, name.as_bytes());
        push_key(&mut value, 2, Wire::FourBytes);
        value.extend((scalar as f32).to_le_bytes());
        push_bytes(&mut summary, 1, &value);
    }
    let mut event = at(row.step);
    push_bytes(&mut event, 5, &summary);
    event
}

fn at(step: u64) -> Vec<u8> {
    let mut event = Vec::new();
    push_key(&mut event, 1, Wire::EightBytes);
    event.extend((step as f64).to_le_bytes());
    push_key(&mut event, 2, Wire::Varint);
    push_varint(&mut event, step);
    event
}

/// How a field's value is laid out.
enum Wire {
    Varint = 0,
    EightBytes = 1,
    Length = 2,
    FourBytes = 5,
}

fn push_key(message: &mut Vec<u8>, field: u64, wire: Wire) {
    push_varint(message, field << 3 | wire as u64);
}

fn push_bytes(message: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    push_key(message, field, Wire::Length);
    push_varint(message, bytes.len() as u64);
    message.extend(bytes);
}

/// Seven bits to a byte, the least first; the eighth says that more follow.
fn push_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}
