//! The operator on length fields.
//!
//! Owns resizing what a field counts together with the field, and the fields around it.

use super::bits::{any_byte, write_number};
use super::blocks::{block_len, duplicate};
use super::limits::RECORD_BYTES_MAX;
use super::shape::{LengthField, read_number};
use super::value::Value;
use crate::rng::Rng;

/// A field that still says what it said, at its present place.
fn any_field(value: &Value<'_>, rng: &mut Rng) -> Option<LengthField> {
    let shape = value.shape();
    let known = match (shape.lengths.is_empty(), shape.inner_lengths.is_empty()) {
        (false, false) if rng.chance(1, 3) => &shape.inner_lengths,
        (false, _) => &shape.lengths,
        (true, _) => &shape.inner_lengths,
    };
    let field = *known.get(rng.below(known.len()))?;
    holds(value, &field).then_some(field)
}

/// Whether the field is where it was, says what it said, and what it counts is there.
fn holds(value: &Value<'_>, field: &LengthField) -> bool {
    let number = read_number(value.content(), field.at, field.width, field.is_big_endian);
    number == Some(field.len as u64) && field.counts_from + field.len <= value.len()
}

/// Makes what a field counts longer or shorter, and has the field and those around it say so; or
/// repeats, removes or moves a field with what it counts.
pub(super) fn change(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let Some(field) = any_field(value, rng) else { return false };
    let body = (field.at + field.width).max(field.counts_from);
    let end = field.counts_from + field.len;
    if end < body {
        return false;
    }
    if rng.chance(1, 3) {
        return change_record(value, &field, end, rng);
    }
    let len = if end == body || rng.chance(1, 2) {
        lengthen(value, &field, body, end, rng)
    } else {
        let len = block_len(end - body, rng);
        let at = body + rng.below(end - body - len + 1);
        value.remove(at..at + len);
        field.len.checked_sub(len)
    };
    let Some(len) = len else { return false };
    set(value, &field, len);
    // Those that count this one too.
    for outer in &value.shape().lengths {
        let counts_it = outer.at + outer.width <= field.at
            && outer.counts_from <= field.at
            && outer.counts_from + outer.len >= end;
        let number = read_number(value.content(), outer.at, outer.width, outer.is_big_endian);
        if counts_it && number == Some(outer.len as u64) {
            set(value, outer, (outer.len + len).saturating_sub(field.len));
        }
    }
    true
}

/// Inserts bytes in what a field counts. Returns what it should say, `None` if it cannot.
fn lengthen(
    value: &mut Value<'_>,
    field: &LengthField,
    body: usize,
    end: usize,
    rng: &mut Rng,
) -> Option<usize> {
    let more = block_len(value.room(), rng);
    let at = body + rng.below(end - body + 1);
    let len = field.len + more;
    if more == 0 || !fits(len, field.width) {
        return None;
    }
    if more <= end - body && rng.chance(1, 2) {
        duplicate(value, body + rng.below(end - body - more + 1), more, at);
    } else {
        let byte = any_byte(value, rng);
        value.insert_gap(at, more);
        value.edit(at..at + more).fill(byte);
    }
    Some(len)
}

/// Treats a field, what it counts, and the few bytes of a type before and a checksum behind as a
/// record: repeats or removes it.
fn change_record(value: &mut Value<'_>, field: &LengthField, end: usize, rng: &mut Rng) -> bool {
    let before = rng.pick(&[0, 0, 1, 1, 1, 2, 4, 4]).min(field.at.min(field.counts_from));
    let behind = rng.pick(&[0, 0, 0, 0, 0, 2, 4, 8]).min(value.len() - end);
    let start = field.at.min(field.counts_from) - before;
    let stop = end + behind;
    if rng.chance(1, 4) {
        value.remove(start..stop);
        return true;
    }
    let len = stop - start;
    if len > value.room() || len > RECORD_BYTES_MAX {
        return false;
    }
    duplicate(value, start, len, stop);
    true
}

/// Whether a field of this width can say `len`.
fn fits(len: usize, width: usize) -> bool {
    width >= 8 || len >> (8 * width) == 0
}

fn set(value: &mut Value<'_>, field: &LengthField, len: usize) {
    if fits(len, field.width) {
        let place = value.edit(field.at..field.at + field.width);
        write_number(place, len as u64, field.is_big_endian);
    }
}
