//! TFRecord: messages behind one another, each between checksums.

/// A message as a record.
///
/// ```text
/// length: u64 LE | mask(crc32c(length)): u32 LE | message | mask(crc32c(message)): u32 LE
/// mask(c) = (c rotated right by 15) + 0xa282ead8 mod 2^32
/// ```
///
/// # Reference
/// TensorFlow, `tensorflow/core/lib/io/record_writer.h`.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(message.len() + 16);
    record.extend(length);
    record.extend(masked_checksum(&length).to_le_bytes());
    record.extend(message);
    record.extend(masked_checksum(message).to_le_bytes());
    record
}

fn masked_checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}
