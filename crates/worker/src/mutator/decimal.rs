//! Operators on numbers in decimal digits.
//!
//! Owns finding, reading and writing them; none of it allocates.

use super::value::Value;
use super::{blocks, number};
use crate::limits::{NUMBER_DIGITS_MAX, NUMBER_SEARCH_BYTES_MAX};
use crate::rng::Rng;

/// The first digit of a number that is known; else the first in a window that begins at a random
/// place.
fn find_digit(value: &Value<'_>, rng: &mut Rng) -> Option<usize> {
    let numbers = &value.shape().numbers;
    if let Some(&number) = numbers.get(rng.below(numbers.len())) {
        let at = value.moved(number);
        if value.content().get(at).is_some_and(u8::is_ascii_digit) {
            return Some(at);
        }
    }
    let start = rng.below(value.len());
    let end = value.len().min(start + NUMBER_SEARCH_BYTES_MAX);
    (start..end).find(|&at| value.get(at).is_ascii_digit())
}

/// Puts another digit in the place of one.
pub(super) fn change_digit(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let Some(first) = find_digit(value, rng) else { return false };
    let few = &value.content()[first..value.len().min(first + 4)];
    let digits = few.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let at = first + rng.below(digits);
    // One to nine steps on, around the circle: always another digit.
    let old = value.get(at) - b'0';
    let step = u8::try_from(1 + rng.below(9)).unwrap_or(1);
    value.set(at, b'0' + (old + step) % 10);
    true
}

/// Reads a number in decimal digits, changes it and writes it back, longer or shorter.
pub(super) fn change_number(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let Some(found) = find_digit(value, rng) else { return false };
    let is_digit = |at: usize| value.get(at).is_ascii_digit();
    let reach = NUMBER_DIGITS_MAX / 2;
    let start = (found.saturating_sub(reach)..found).rev().find(|&at| !is_digit(at));
    let start = start.map_or(found.saturating_sub(reach), |at| at + 1);
    let end = (found..value.len().min(start + NUMBER_DIGITS_MAX)).find(|&at| !is_digit(at));
    let end = end.unwrap_or(value.len().min(start + NUMBER_DIGITS_MAX));
    let old = (start..end).fold(0i64, |number, at| number * 10 + i64::from(value.get(at) - b'0'));
    let digits = Decimal::new(another(old, rng));
    value.splice(start..end, digits.text())
}

/// Powers of ten that fit an `i64`.
const POWERS_OF_TEN: [i64; 19] = {
    let mut powers = [1; 19];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Another number than `old`: near it, of its size, or one at which text code changes its ways.
fn another(old: i64, rng: &mut Rng) -> i64 {
    let beside = |rng: &mut Rng| rng.pick(&[0, 0, 1, -1]);
    match rng.below(16) {
        0 | 1 => old.wrapping_add(1),
        2 | 3 => old.wrapping_sub(1),
        4 => old.wrapping_add_unsigned(number::small_step(rng)),
        5 => old.wrapping_mul(2),
        6 => old / 2,
        7 => old.wrapping_neg(),
        8 => old.wrapping_mul(10).wrapping_add(rng.pick(&[0, 0, 1, 5, 9])),
        9 => old / 10,
        10 => rng.pick(&POWERS_OF_TEN).wrapping_add(beside(rng)),
        11 => 1i64.wrapping_shl(u32::from(rng.byte())).wrapping_add(beside(rng)),
        12 | 13 => {
            let end = POWERS_OF_TEN[1 + rng.below(6)];
            i64::try_from(rng.below(usize::try_from(end).unwrap_or(1))).unwrap_or(0)
        }
        _ => number::interesting(rng),
    }
}

/// Inserts a number in decimal digits.
pub(super) fn insert_number(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let number = if rng.chance(1, 2) {
        number::interesting(rng)
    } else {
        (rng.bits() >> rng.below(64)).cast_signed()
    };
    blocks::insert(value, Decimal::new(number).text(), rng)
}

/// The decimal digits of a number, without an allocation.
pub(super) struct Decimal {
    bytes: [u8; 20],
    start: usize,
}

impl Decimal {
    pub(super) fn new(number: i64) -> Self {
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

    pub(super) fn text(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}
