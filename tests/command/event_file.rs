//! A reader of TensorBoard's event files, written from their description and not from the writer.

use std::collections::BTreeMap;

/// An event of scalars, or the one that a file begins with.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) wall_time: f64,
    pub(crate) step: u64,
    pub(crate) file_version: Option<String>,
    pub(crate) scalars: BTreeMap<String, f32>,
}

/// All events of a file; `None` where a checksum or a length is wrong.
pub(crate) fn events(mut bytes: &[u8]) -> Option<Vec<Event>> {
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = checked(bytes, 8)?;
        let (message, rest) = checked(rest, u64::from_le_bytes(length.try_into().ok()?) as usize)?;
        events.push(event(message)?);
        bytes = rest;
    }
    Some(events)
}

/// Bytes with their checksum behind them, and the rest.
fn checked(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (content, rest) = bytes.split_at_checked(length)?;
    let (checksum, rest) = rest.split_first_chunk()?;
    let unmasked = u32::from_le_bytes(*checksum).wrapping_sub(0xa282_ead8).rotate_left(15);
    (unmasked == crc32c(content)).then_some((content, rest))
}

/// Castagnoli's checksum, bit by bit: the polynomial 0x1EDC6F41 with its bits reversed.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 })
    })
}

/// A field's value on the wire.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn fields(mut message: &[u8]) -> Option<Vec<(u64, Field<'_>)>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let field = match key & 7 {
            0 => Field::Number(varint(&mut message)?),
            1 => Field::Bytes(message.split_off(..8)?),
            2 => {
                let length = varint(&mut message)? as usize;
                Field::Bytes(message.split_off(..length)?)
            }
            5 => Field::Bytes(message.split_off(..4)?),
            _ => return None,
        };
        fields.push((key >> 3, field));
    }
    Some(fields)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *message.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn event(message: &[u8]) -> Option<Event> {
    let mut event = Event::default();
    for field in fields(message)? {
        match field {
            (1, Field::Bytes(time)) => event.wall_time = f64::from_le_bytes(time.try_into().ok()?),
            (2, Field::Number(step)) => event.step = step,
            (3, Field::Bytes(version)) => event.file_version = Some(text(version)?),
            (5, Field::Bytes(summary)) => {
                for value in fields(summary)? {
                    let (1, Field::Bytes(value)) = value else { return None };
                    let [(1, Field::Bytes(tag)), (2, Field::Bytes(scalar))] = fields(value)?[..] else { return None };
                    event.scalars.insert(text(tag)?, f32::from_le_bytes(scalar.try_into().ok()?));
                }
            }
            _ => return None,
        }
    }
    Some(event)
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.into()).ok()
}

#[test]
fn a_spoilt_file_is_noticed() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283, "the polynomial's published check value");
    // The first record of any event file: wall time 0, step 0 and "brain.Event:2".
    let message = b"\x09\0\0\0\0\0\0\0\0\x10\0\x1a\x0dbrain.Event:2";
    let mut file = Vec::new();
    for part in [&(message.len() as u64).to_le_bytes()[..], message] {
        file.extend(part);
        file.extend(crc32c(part).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes());
    }
    assert_eq!(events(&file).unwrap()[0].file_version.as_deref(), Some("brain.Event:2"));
    for i in 0..file.len() {
        let mut spoilt = file.clone();
        spoilt[i] ^= 1;
        assert!(events(&spoilt).is_none(), "byte {i}");
    }
    assert!(events(&file[..file.len() - 1]).is_none());
}
