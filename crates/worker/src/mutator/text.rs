//! Keeping strings text.
//!
//! Owns the repair of UTF-8 around what operators changed. The length stays as it is.

use std::ops::Range;

use super::value::Value;

/// Bytes of the longest character.
const CHARACTER_BYTES_MAX: usize = 4;

/// Makes the changed part of a string valid UTF-8: each byte that begins no character loses its
/// high bit. What was not changed is left alone, valid or not.
pub(super) fn repair(value: &mut Value<'_>) {
    let dirty = value.dirty_range();
    if !value.is_string() || value.dirty().is_clean() {
        return;
    }
    let mut at = character_start(value, dirty.start);
    while at < value.len() && (at < dirty.end || is_continuation(value.get(at))) {
        match character_bytes(value, at) {
            Some(bytes) => at += bytes,
            None => {
                let byte = value.get(at) & 0x7f;
                value.set(at, byte);
                at += 1;
            }
        }
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Where the character begins that the byte before `at` may belong to.
fn character_start(value: &Value<'_>, at: usize) -> usize {
    let back: Range<usize> = at.saturating_sub(CHARACTER_BYTES_MAX - 1)..at;
    back.rev().find(|&before| !is_continuation(value.get(before))).unwrap_or(at)
}

/// Bytes of the valid character that begins at `at`.
fn character_bytes(value: &Value<'_>, at: usize) -> Option<usize> {
    let first = value.get(at);
    let bytes = match first {
        0..=0x7f => return Some(1),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    if at + bytes > value.len() {
        return None;
    }
    std::str::from_utf8(&value.content()[at..at + bytes]).is_ok().then_some(bytes)
}
