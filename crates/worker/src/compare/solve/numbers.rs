//! Operands that lie in the input as numbers in text, decimal or hexadecimal.
//!
//! Owns the numbers of the base, read in both inputs, and how a target is written. Must not look at
//! more than [`NUMBERS_MAX`] of them.

use std::ops::Range;

use super::integers::Operand;
use super::places::Places;
use super::{Search, promise};
use crate::compare::limits::{DIGITS_MAX, NUMBERS_MAX, PLACES_PER_OPERAND_MAX, SMALL_OFFSET_MAX};

/// One run of digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    /// Its digits, and the minus sign before.
    range: Range<usize>,
    radix: u32,
    /// Its value in the base and in the colorized input.
    base: i128,
    colorized: i128,
    is_upper: bool,
}

/// Digits of numbers that are looked for inside longer runs of digits.
const PART_DIGITS: [usize; 2] = [2, 4];

/// The numbers of the base that are numbers in the colorized input as well.
pub(super) fn in_text(places: &Places) -> Vec<Number> {
    let mut numbers = Vec::new();
    for radix in [10, 16] {
        let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
        let mut at = 0;
        for run in places.base.chunk_by(|one, other| is_digit(one) == is_digit(other)) {
            let range = at..at + run.len();
            at = range.end;
            // Runs of letters only are words, whatever they could mean.
            let is_word = !run.iter().any(u8::is_ascii_digit);
            if run.len() > DIGITS_MAX || is_word || numbers.len() >= NUMBERS_MAX {
                continue;
            }
            if radix == 10 && range.len() > PART_DIGITS[0] {
                // Dates and the like: several numbers of fixed width in a row.
                for len in PART_DIGITS.into_iter().filter(|&len| len < range.len()) {
                    let parts = (range.start..=range.end - len).step_by(2);
                    numbers.extend(parts.filter_map(|at| number_at(places, at..at + len, radix)));
                }
            }
            numbers.extend(number_at(places, range, radix));
        }
    }
    numbers
}

fn number_at(places: &Places, digits: Range<usize>, radix: u32) -> Option<Number> {
    places.span_of(&digits)?;
    let is_negative = radix == 10
        && digits.start > 0
        && places.base[digits.start - 1] == b'-'
        && places.span_of(&(digits.start - 1..digits.end)).is_some();
    let sign = if is_negative { -1 } else { 1 };
    let value = |bytes: &[u8]| {
        let digits = std::str::from_utf8(bytes).ok()?;
        Some(sign * i128::try_from(u128::from_str_radix(digits, radix).ok()?).ok()?)
    };
    Some(Number {
        range: digits.start - usize::from(is_negative)..digits.end,
        radix,
        base: value(&places.base[digits.clone()])?,
        colorized: value(&places.colorized[digits.clone()])?,
        is_upper: places.base[digits].iter().any(u8::is_ascii_uppercase),
    })
}

/// Proposes the target where the operand is written in digits; says whether it surely is.
pub(super) fn solve(search: &mut Search<'_>, operand: &Operand) -> bool {
    let is_whole = whole_numbers(search, operand);
    is_whole || (operand.is_free() && parts_of_numbers(search, operand))
}

fn whole_numbers(search: &mut Search<'_>, operand: &Operand) -> bool {
    let mut proposals = Vec::new();
    let mut is_found = false;
    for number in &search.numbers {
        let Some((promise, offset)) = relation(number, operand) else { continue };
        is_found |= promise == promise::NUMBER;
        for (target, loss) in operand.targets() {
            let value = target.wrapping_sub(offset) & operand.mask();
            for (further, text) in (0_u32..).zip(written(number, value, operand)) {
                let promise = promise - loss - 2 * further;
                proposals.push((promise, number.range.clone(), text));
            }
        }
        if proposals.len() >= 8 * PLACES_PER_OPERAND_MAX {
            break;
        }
    }
    for (promise, range, text) in proposals {
        search.splice(operand.origin, promise, range.start, range.len(), text.as_bytes());
    }
    is_found
}

/// How sure it is that the operand is this number plus an offset, and the offset.
fn relation(number: &Number, operand: &Operand) -> Option<(u32, u64)> {
    let mask = operand.mask();
    let (base, colorized) = (low_bits(number.base), low_bits(number.colorized));
    let offset = operand.base.wrapping_sub(base) & mask;
    if colorized.wrapping_add(offset) & mask != operand.colorized {
        return None;
    }
    let is_free = base != colorized;
    let is_small = offset <= SMALL_OFFSET_MAX || offset.wrapping_neg() & mask <= SMALL_OFFSET_MAX;
    match (is_free, offset) {
        (true, 0) => Some((promise::NUMBER, 0)),
        (true, _) if is_small || number.range.len() > 3 => Some((promise::COMPUTED, offset)),
        (false, 0) if number.range.len() > 1 => Some((promise::PINNED, 0)),
        (true | false, _) => None,
    }
}

/// The value modulo 2^64.
fn low_bits(value: i128) -> u64 {
    let bytes = value.to_le_bytes();
    u64::from_le_bytes(std::array::from_fn(|index| bytes[index]))
}

/// The ways to write a value in place of a number, the likely ones first.
fn written(number: &Number, value: u64, operand: &Operand) -> Vec<String> {
    let len = number.range.len();
    if number.radix == 16 {
        return if number.is_upper {
            vec![format!("{value:0len$X}")]
        } else {
            vec![format!("{value:0len$x}")]
        };
    }
    let mut ways = Vec::new();
    let negative = value.wrapping_neg() & operand.mask();
    if negative < value {
        ways.push(format!("-{negative}"));
    }
    if number.base < 0 || negative >= value {
        ways.insert(0, value.to_string());
    } else {
        ways.push(value.to_string());
    }
    if ways[0].len() < len {
        ways.push(format!("{value:0len$}"));
    }
    ways
}

/// Numbers of fixed width inside longer runs of digits, such as dates.
fn parts_of_numbers(search: &mut Search<'_>, operand: &Operand) -> bool {
    let (old, new) = (operand.base.to_string(), operand.colorized.to_string());
    let len = old.len().max(new.len());
    if len < 2 {
        return false;
    }
    let (old, new) = (format!("{old:0>len$}"), format!("{new:0>len$}"));
    let places = search.places.find(old.as_bytes(), new.as_bytes());
    for (further, &at) in (0_u32..).zip(&places) {
        for (target, loss) in operand.targets() {
            let text = format!("{target:0len$}");
            let promise = promise::NUMBER - loss - further * promise::FURTHER;
            search.splice(operand.origin, promise, at, len, text.as_bytes());
        }
    }
    !places.is_empty()
}
