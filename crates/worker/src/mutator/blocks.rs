//! Operators on blocks of bytes.
//!
//! Owns deleting, copying, swapping and inserting them, and how long blocks are.

use super::bits::any_byte;
use super::scalar;
use super::value::Value;
use crate::limits::{
    BLOCK_BYTES_MAX, BLOCK_BYTES_MEDIUM, BLOCK_BYTES_SMALL, REPEATED_BYTES_MIN, REPEATED_DOUBLINGS,
    SWAP_BYTES_MAX,
};
use crate::rng::Rng;

/// Largest block lengths, each as often as it is drawn.
const BLOCK_LIMITS: [usize; 32] = {
    let mut limits = [BLOCK_BYTES_SMALL; 32];
    let mut at = 0;
    while at < 8 {
        limits[at] = BLOCK_BYTES_SMALL / 8;
        at += 1;
    }
    while at < 14 {
        limits[at] = BLOCK_BYTES_MEDIUM;
        at += 1;
    }
    limits[14] = BLOCK_BYTES_MAX;
    limits[15] = BLOCK_BYTES_MAX;
    limits
};

/// A block length: mostly small, at most `bytes_max`; 0 only if that is 0.
#[inline]
pub(super) fn block_len(bytes_max: usize, rng: &mut Rng) -> usize {
    let limit = rng.pick(&BLOCK_LIMITS).min(bytes_max);
    rng.below(limit) + usize::from(limit > 0)
}

pub(super) fn delete_block(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let len = block_len(value.len(), rng);
    if len == 0 {
        return false;
    }
    let at = rng.below(value.len() - len + 1);
    value.remove(at..at + len);
    true
}

pub(super) fn delete_tail(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let len = value.len();
    if len == 0 {
        return false;
    }
    value.remove(rng.below(len)..len);
    true
}

/// Copies a block and inserts it anywhere, also inside itself.
pub(super) fn duplicate_block(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let len = block_len(value.len().min(value.room()), rng);
    if len == 0 {
        return false;
    }
    let from = rng.below(value.len() - len + 1);
    let to = rng.below(value.len() + 1);
    duplicate(value, from, len, to);
    true
}

/// Inserts a copy of the `len` bytes at `from` at `to`. There must be room.
pub(super) fn duplicate(value: &mut Value<'_>, from: usize, len: usize, to: usize) {
    value.insert_gap(to, len);
    // What lay at or behind the gap has moved.
    let before = to.saturating_sub(from).min(len);
    if before > 0 {
        value.copy_within(from..from + before, to);
    }
    if before < len {
        let moved = from + before + len;
        value.copy_within(moved..moved + len - before, to + before);
    }
}

/// Repeats a block where it stands, often enough that limits come into reach which no single copy
/// reaches: of sizes, depths and counts. Half of the time one byte of each copy goes on counting.
pub(super) fn repeat_block(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let len = block_len(value.len().min(BLOCK_BYTES_MEDIUM), rng);
    let wanted = REPEATED_BYTES_MIN << rng.below(REPEATED_DOUBLINGS);
    let copies = wanted.min(value.room()).checked_div(len).unwrap_or(0);
    if copies == 0 {
        return false;
    }
    let from = rng.below(value.len() - len + 1);
    let end = from + len * (copies + 1);
    value.insert_gap(from + len, len * copies);
    let counted = rng.chance(1, 2).then(|| from + rng.below(len));
    // What counts comes round after so many copies; all else is the same after one.
    let circle = counted.map_or(1, |place| Circle::of(value.get(place)).len());
    let first_round = end.min(from + len * circle);
    double(value, from, len, first_round);
    if let Some(place) = counted {
        enumerate(value.edit(place..first_round), len);
    }
    double(value, from, first_round - from, end);
    true
}

/// Repeats the `len` bytes at `from` up to `end`, what is made doubling each time.
fn double(value: &mut Value<'_>, from: usize, len: usize, end: usize) {
    let mut made = len;
    while from + made < end {
        let next = made.min(end - from - made);
        value.copy_within(from..from + next, from + made);
        made += next;
    }
}

/// What a byte counts through: digits, letters of its case, or all bytes.
#[derive(Debug, Clone, Copy)]
struct Circle {
    low: u8,
    high: u8,
}

impl Circle {
    fn of(byte: u8) -> Self {
        let (low, high) = match byte {
            b'0'..=b'9' => (b'0', b'9'),
            b'a'..=b'z' => (b'a', b'z'),
            b'A'..=b'Z' => (b'A', b'Z'),
            _ => (u8::MIN, u8::MAX),
        };
        Self { low, high }
    }

    fn len(self) -> usize {
        usize::from(self.high - self.low) + 1
    }

    fn next(self, byte: u8) -> u8 {
        if byte == self.high { self.low } else { byte.wrapping_add(1) }
    }
}

/// Makes every `step`-th byte the successor of the one before: keys, names and numbers that are
/// all different, as maps and tables need them to grow.
fn enumerate(bytes: &mut [u8], step: usize) {
    let Some(&first) = bytes.first() else { return };
    let circle = Circle::of(first);
    let (mut next, mut at) = (first, step);
    while let Some(byte) = bytes.get_mut(at) {
        next = circle.next(next);
        *byte = next;
        at += step;
    }
}

pub(super) fn copy_block(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    if value.len() < 2 {
        return false;
    }
    let len = block_len(value.len() - 1, rng);
    let from = rng.below(value.len() - len + 1);
    let to = rng.below(value.len() - len + 1);
    value.copy_within(from..from + len, to);
    from != to
}

/// The byte of a run: one that has a meaning to most code, one of the input, or any.
fn run_byte(value: &Value<'_>, rng: &mut Rng) -> u8 {
    match rng.below(3) {
        0 => rng.pick(b"\0 0aA(\xff\x7f"),
        1 if value.len() > 0 => value.get(rng.below(value.len())),
        _ => any_byte(value, rng),
    }
}

pub(super) fn insert_run(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let len = block_len(value.room(), rng);
    if len == 0 {
        return false;
    }
    let byte = run_byte(value, rng);
    let at = rng.below(value.len() + 1);
    value.insert_gap(at, len);
    value.edit(at..at + len).fill(byte);
    true
}

pub(super) fn overwrite_run(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let len = block_len(value.len(), rng);
    if len == 0 {
        return false;
    }
    let byte = run_byte(value, rng);
    let at = value.place(len, rng);
    value.edit(at..at + len).fill(byte);
    true
}

/// Inserts a few random bytes; into a string a character, more often than not.
pub(super) fn insert_random(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let mut bytes = [0; 8];
    let len = if value.is_string() && rng.chance(3, 4) {
        scalar::any_rune(rng).encode_utf8(&mut bytes).len()
    } else {
        bytes = rng.bits().to_le_bytes();
        if value.shape().is_text && rng.chance(3, 4) {
            bytes = bytes.map(printable);
        }
        let few = if rng.chance(3, 4) { 2 } else { bytes.len() };
        1 + rng.below(few)
    };
    insert(value, &bytes[..len], rng)
}

/// A printable byte for each random one.
fn printable(random: u8) -> u8 {
    let wide = u16::from(random) * 95;
    b' ' + wide.to_be_bytes()[0]
}

/// Inserts `bytes` anywhere if there is room.
#[inline]
pub(super) fn insert(value: &mut Value<'_>, bytes: &[u8], rng: &mut Rng) -> bool {
    if bytes.len() > value.room() {
        return false;
    }
    let at = rng.below(value.len() + 1);
    value.insert_gap(at, bytes.len());
    value.write(at, bytes);
    true
}

/// Swaps two blocks of equal length that do not overlap.
pub(super) fn swap_blocks(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let half = value.len() / 2;
    let len = if rng.chance(1, 2) { half.min(1) } else { block_len(half.min(SWAP_BYTES_MAX), rng) };
    if len == 0 {
        return false;
    }
    let first = rng.below(value.len() - 2 * len + 1);
    let gap = rng.below(value.len() - first - 2 * len + 1);
    let both = value.edit(first..first + gap + 2 * len);
    let (front, back) = both.split_at_mut(len + gap);
    front[..len].swap_with_slice(back);
    true
}

pub(super) fn shuffle(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let len = value.len().min(2 + rng.below(7));
    if len < 2 {
        return false;
    }
    let at = value.place(len, rng);
    let block = value.edit(at..at + len);
    for last in (1..len).rev() {
        block.swap(last, rng.below(last + 1));
    }
    true
}
