//! Operators on numbers in decimal digits.
//!
//! Owns finding, reading and writing them; none of it allocates.

use super::{ValueView, bytes, number};
use crate::limits::{NUMBER_DIGITS_MAX, NUMBER_SEARCH_BYTES_MAX};
use crate::rng::Rng;

/// The first digit in a window that begins at a random place.
fn find_digit(value: &ValueView<'_, '_>, rng: &mut Rng) -> Option<usize> {
    let start = rng.below(value.len());
    let end = value.len().min(start + NUMBER_SEARCH_BYTES_MAX);
    (start..end).find(|&at| value.get(at).is_ascii_digit())
}

/// Puts another digit in the place of one.
pub(super) fn change_digit(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let Some(at) = find_digit(value, rng) else { return false };
    // One to nine steps on, around the circle: always another digit.
    let old = value.get(at) - b'0';
    let step = u8::try_from(1 + rng.below(9)).unwrap_or(1);
    value.set(at, b'0' + (old + step) % 10);
    true
}

/// Reads a number in decimal digits, changes it and writes it back, longer or shorter.
pub(super) fn change_number(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let Some(found) = find_digit(value, rng) else { return false };
    let is_digit = |at: usize| value.get(at).is_ascii_digit();
    let reach = NUMBER_DIGITS_MAX / 2;
    let start = (found.saturating_sub(reach)..found).rev().find(|&at| !is_digit(at));
    let start = start.map_or(found.saturating_sub(reach), |at| at + 1);
    let end = (found..value.len().min(start + NUMBER_DIGITS_MAX)).find(|&at| !is_digit(at));
    let end = end.unwrap_or(value.len().min(start + NUMBER_DIGITS_MAX));
    let old = (start..end).fold(0i64, |number, at| number * 10 + i64::from(value.get(at) - b'0'));
    let new = match rng.below(8) {
        0 | 1 => old.wrapping_add(1),
        2 | 3 => old.wrapping_sub(1),
        4 => old.wrapping_mul(2),
        5 => old / 2,
        6 => old.wrapping_neg(),
        _ => number::interesting(rng),
    };
    let mut digits = Decimal::new(new);
    let (old_len, text) = (end - start, digits.text());
    if text.len() > old_len + value.room() {
        return false;
    }
    if text.len() > old_len {
        value.insert_gap(end, text.len() - old_len);
    } else {
        value.remove(start + text.len()..end);
    }
    value.write(start, text);
    true
}

/// Inserts a number in decimal digits.
pub(super) fn insert_number(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let number = if rng.chance(1, 2) {
        number::interesting(rng)
    } else {
        (rng.bits() >> rng.below(64)).cast_signed()
    };
    bytes::insert(value, Decimal::new(number).text(), rng)
}

/// The decimal digits of a number, without an allocation.
struct Decimal {
    bytes: [u8; 20],
    start: usize,
}

impl Decimal {
    fn new(number: i64) -> Self {
        let mut decimal = Self { bytes: [0; 20], start: 20 };
        let mut rest = number.unsigned_abs();
        loop {
            decimal.put(b'0' + u8::try_from(rest % 10).unwrap_or(0));
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            decimal.put(b'-');
        }
        decimal
    }

    fn put(&mut self, byte: u8) {
        self.start -= 1;
        self.bytes[self.start] = byte;
    }

    fn text(&mut self) -> &[u8] {
        &self.bytes[self.start..]
    }
}
