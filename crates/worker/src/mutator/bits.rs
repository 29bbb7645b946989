//! Operators on bytes and binary numbers.
//!
//! Owns those that keep the length and know no structure.

use super::number;
use super::value::Value;
use crate::rng::Rng;

/// Bytes of the widest number an operator writes.
const NUMBER_BYTES_MAX: usize = 8;

/// A byte fit for the value: mostly printable in a string.
pub(super) fn any_byte(value: &Value<'_>, rng: &mut Rng) -> u8 {
    if value.is_string() && rng.chance(7, 8) {
        return b' ' + u8::try_from(rng.below(95)).unwrap_or(0);
    }
    rng.byte()
}

pub(super) fn flip_bit(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    if value.len() == 0 {
        return false;
    }
    let at = value.place(1, rng);
    let bit = 1 << rng.below(8);
    value.edit(at..at + 1)[0] ^= bit;
    true
}

pub(super) fn random_byte(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    if value.len() == 0 {
        return false;
    }
    let at = value.place(1, rng);
    let byte = any_byte(value, rng);
    let is_same = byte == value.get(at);
    value.set(at, if is_same { byte ^ 1 } else { byte });
    true
}

/// The width of a number (1, 2, 4 or 8) that fits the value, and a place for it.
#[inline]
fn number_place(value: &Value<'_>, rng: &mut Rng) -> Option<(usize, usize)> {
    let widths = match value.len() {
        0 => return None,
        1 => 1,
        2..=3 => 2,
        4..=7 => 3,
        _ => 4,
    };
    let width = 1 << rng.below(widths);
    Some((value.place(width, rng), width))
}

pub(super) fn interesting(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let Some((at, width)) = number_place(value, rng) else { return false };
    let number = number::interesting(rng).cast_unsigned();
    let is_big_endian = rng.chance(1, 2);
    change_number(value, at, width, is_big_endian, |_| number);
    true
}

pub(super) fn arithmetic(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let Some((at, width)) = number_place(value, rng) else { return false };
    let is_big_endian = rng.chance(1, 2);
    let step = number::small_step(rng);
    change_number(value, at, width, is_big_endian, |number| number.wrapping_add(step));
    true
}

/// Changes the number in `width` bytes at `at`.
#[inline]
fn change_number(
    value: &mut Value<'_>,
    at: usize,
    width: usize,
    is_big_endian: bool,
    change: impl Fn(u64) -> u64,
) {
    let unused = 64 - 8 * width;
    let turn = |number: u64| if is_big_endian { number.swap_bytes() >> unused } else { number };
    if let Some(window) = value.window(at, width) {
        // Without a loop: how wide a number is, is hard to predict.
        let mask = u64::MAX >> unused;
        let old = u64::from_le_bytes(*window);
        let new = turn(change(turn(old & mask)) & mask);
        *window = (old & !mask | new & mask).to_le_bytes();
    } else {
        let place = value.edit(at..at + width);
        write_number(place, change(read_number(place, is_big_endian)), is_big_endian);
    }
}

/// The number that these bytes are, 8 at most.
#[inline]
pub(super) fn read_number(place: &[u8], is_big_endian: bool) -> u64 {
    let mut bytes = [0; NUMBER_BYTES_MAX];
    for (to, from) in bytes.iter_mut().zip(place) {
        *to = *from;
    }
    let number = u64::from_le_bytes(bytes);
    if is_big_endian { number.swap_bytes() >> (64 - 8 * place.len().clamp(1, 8)) } else { number }
}

/// Writes the low bytes of `number` over these, 8 at most.
#[inline]
pub(super) fn write_number(place: &mut [u8], number: u64, is_big_endian: bool) {
    let number = if is_big_endian {
        number.swap_bytes() >> (64 - 8 * place.len().clamp(1, 8))
    } else {
        number
    };
    for (to, from) in place.iter_mut().zip(number.to_le_bytes()) {
        *to = from;
    }
}
