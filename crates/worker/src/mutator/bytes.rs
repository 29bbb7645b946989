//! Mutation of `[]byte` and `string`.
//!
//! Owns the operators and their weights. An operator says whether it applied; one that did not has
//! changed nothing. Crossover, dictionaries and compare solving will be operators of their own.

use fuzzd_protocol::value::ValueType;

use super::{ValueView, decimal, number, scalar};
use crate::limits::{BLOCK_BYTES_MAX, BLOCK_BYTES_MEDIUM, BLOCK_BYTES_SMALL, SWAP_BYTES_MAX};
use crate::rng::Rng;

/// Bytes of the widest number an operator writes.
const NUMBER_BYTES_MAX: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    FlipBit,
    RandomByte,
    Interesting,
    Arithmetic,
    DeleteBlock,
    DeleteTail,
    DuplicateBlock,
    CopyBlock,
    InsertRun,
    OverwriteRun,
    InsertRandom,
    SwapBlocks,
    Shuffle,
    Digit,
    ChangeNumber,
    InsertNumber,
}

/// Start weights; a later engine learns them.
const WEIGHTS: [(Operator, usize); 16] = [
    (Operator::FlipBit, 6),
    (Operator::RandomByte, 6),
    (Operator::Interesting, 8),
    (Operator::Arithmetic, 8),
    (Operator::DeleteBlock, 7),
    (Operator::DeleteTail, 1),
    (Operator::DuplicateBlock, 6),
    (Operator::CopyBlock, 6),
    (Operator::InsertRun, 2),
    (Operator::OverwriteRun, 1),
    (Operator::InsertRandom, 4),
    (Operator::SwapBlocks, 2),
    (Operator::Shuffle, 1),
    (Operator::Digit, 2),
    (Operator::ChangeNumber, 3),
    (Operator::InsertNumber, 1),
];

/// Every operator as often as its weight: one draw picks.
const WHEEL: [Operator; 64] = {
    let mut wheel = [Operator::FlipBit; 64];
    let (mut at, mut operator) = (0, 0);
    while operator < WEIGHTS.len() {
        let mut times = WEIGHTS[operator].1;
        while times > 0 {
            wheel[at] = WEIGHTS[operator].0;
            at += 1;
            times -= 1;
        }
        operator += 1;
    }
    assert!(at == wheel.len(), "the weights must add up to the size of the wheel");
    wheel
};

/// What applies to a value of no bytes.
const WHEEL_OF_EMPTY: [Operator; 4] =
    [Operator::InsertRun, Operator::InsertRandom, Operator::InsertRandom, Operator::InsertNumber];

/// Applies one operator; false if it did not apply.
pub(super) fn mutate(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let wheel: &[Operator] = if value.len() == 0 { &WHEEL_OF_EMPTY } else { &WHEEL };
    match rng.pick(wheel) {
        Operator::FlipBit => flip_bit(value, rng),
        Operator::RandomByte => random_byte(value, rng),
        Operator::Interesting => interesting(value, rng),
        Operator::Arithmetic => arithmetic(value, rng),
        Operator::DeleteBlock => delete_block(value, rng),
        Operator::DeleteTail => delete_tail(value, rng),
        Operator::DuplicateBlock => duplicate_block(value, rng),
        Operator::CopyBlock => copy_block(value, rng),
        Operator::InsertRun => insert_run(value, rng),
        Operator::OverwriteRun => overwrite_run(value, rng),
        Operator::InsertRandom => insert_random(value, rng),
        Operator::SwapBlocks => swap_blocks(value, rng),
        Operator::Shuffle => shuffle(value, rng),
        Operator::Digit => decimal::change_digit(value, rng),
        Operator::ChangeNumber => decimal::change_number(value, rng),
        Operator::InsertNumber => decimal::insert_number(value, rng),
    }
}

/// A block length: mostly small, at most `bytes_max`; 0 only if that is 0.
fn block_len(bytes_max: usize, rng: &mut Rng) -> usize {
    let limit = match rng.below(20) {
        0..=14 => BLOCK_BYTES_SMALL,
        15..=18 => BLOCK_BYTES_MEDIUM,
        _ => BLOCK_BYTES_MAX,
    };
    let limit = limit.min(bytes_max);
    if limit == 0 { 0 } else { 1 + rng.below(limit) }
}

/// A byte fit for the value: mostly printable in a string.
fn any_byte(value: &ValueView<'_, '_>, rng: &mut Rng) -> u8 {
    if value.value_type() == ValueType::String && rng.chance(7, 8) {
        return b' ' + u8::try_from(rng.below(95)).unwrap_or(0);
    }
    rng.byte()
}

fn flip_bit(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    if value.len() == 0 {
        return false;
    }
    let bits = rng.below(value.len() * 8);
    let byte = value.get(bits / 8) ^ (1 << (bits % 8));
    value.set(bits / 8, byte);
    true
}

fn random_byte(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    if value.len() == 0 {
        return false;
    }
    let at = rng.below(value.len());
    let byte = any_byte(value, rng);
    let same = byte == value.get(at);
    value.set(at, if same { byte ^ 1 } else { byte });
    true
}

/// The width of a number (1, 2, 4 or 8) that fits `len` bytes, and a place for it.
fn number_place(len: usize, rng: &mut Rng) -> Option<(usize, usize)> {
    let widths = match len {
        0 => return None,
        1 => 1,
        2..=3 => 2,
        4..=7 => 3,
        _ => 4,
    };
    let width = 1 << rng.below(widths);
    Some((rng.below(len - width + 1), width))
}

fn interesting(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let Some((at, width)) = number_place(value.len(), rng) else { return false };
    write_number(value, at, width, number::interesting(rng).cast_unsigned(), rng);
    true
}

fn arithmetic(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let Some((at, width)) = number_place(value.len(), rng) else { return false };
    let mut bytes = [0; NUMBER_BYTES_MAX];
    value.read(at, &mut bytes[..width]);
    let big_endian = rng.chance(1, 2);
    if big_endian {
        bytes[..width].reverse();
    }
    let step = u64::try_from(number::step(rng) & u128::from(u64::MAX)).unwrap_or(1);
    bytes = u64::from_le_bytes(bytes).wrapping_add(step).to_le_bytes();
    if big_endian {
        bytes[..width].reverse();
    }
    value.write(at, &bytes[..width]);
    true
}

/// Writes the low `width` bytes of `number` in either order.
fn write_number(
    value: &mut ValueView<'_, '_>,
    at: usize,
    width: usize,
    number: u64,
    rng: &mut Rng,
) {
    let mut bytes = number.to_le_bytes();
    if rng.chance(1, 2) {
        bytes[..width].reverse();
    }
    value.write(at, &bytes[..width]);
}

fn delete_block(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let len = block_len(value.len(), rng);
    let at = rng.below(value.len() - len + 1);
    value.remove(at..at + len);
    len > 0
}

fn delete_tail(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let len = value.len();
    value.remove(rng.below(len)..len);
    len > 0
}

/// Copies a block and inserts it anywhere, also inside itself.
fn duplicate_block(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let len = block_len(value.len().min(value.room()), rng);
    if len == 0 {
        return false;
    }
    let from = rng.below(value.len() - len + 1);
    let to = rng.below(value.len() + 1);
    value.insert_gap(to, len);
    // What lay at or behind the gap has moved.
    let before = to.saturating_sub(from).min(len);
    value.copy_within(from..from + before, to);
    let moved = from + before + len;
    value.copy_within(moved..moved + len - before, to + before);
    true
}

fn copy_block(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
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
fn run_byte(value: &ValueView<'_, '_>, rng: &mut Rng) -> u8 {
    match rng.below(3) {
        0 => rng.pick(b"\0 0aA(\xff\x7f"),
        1 if value.len() > 0 => value.get(rng.below(value.len())),
        _ => any_byte(value, rng),
    }
}

fn insert_run(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let len = block_len(value.room(), rng);
    if len == 0 {
        return false;
    }
    let byte = run_byte(value, rng);
    let at = rng.below(value.len() + 1);
    value.insert_gap(at, len);
    value.fill(at..at + len, byte);
    true
}

fn overwrite_run(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let len = block_len(value.len(), rng);
    let byte = run_byte(value, rng);
    let at = rng.below(value.len() - len + 1);
    value.fill(at..at + len, byte);
    len > 0
}

/// Inserts a few random bytes; into a string a character, more often than not.
fn insert_random(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let mut bytes = [0; 8];
    let len = if value.value_type() == ValueType::String && rng.chance(3, 4) {
        scalar::any_rune(rng).encode_utf8(&mut bytes).len()
    } else {
        bytes = rng.bits().to_le_bytes();
        let few = if rng.chance(3, 4) { 2 } else { bytes.len() };
        1 + rng.below(few)
    };
    insert(value, &bytes[..len], rng)
}

/// Inserts `bytes` anywhere if there is room.
pub(super) fn insert(value: &mut ValueView<'_, '_>, bytes: &[u8], rng: &mut Rng) -> bool {
    if bytes.len() > value.room() {
        return false;
    }
    let at = rng.below(value.len() + 1);
    value.insert_gap(at, bytes.len());
    value.write(at, bytes);
    true
}

/// Swaps two blocks of equal length that do not overlap.
fn swap_blocks(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let half = value.len() / 2;
    let len = if rng.chance(1, 2) { half.min(1) } else { block_len(half.min(SWAP_BYTES_MAX), rng) };
    if len == 0 {
        return false;
    }
    let first = rng.below(value.len() - 2 * len + 1);
    let second = first + len + rng.below(value.len() - first - 2 * len + 1);
    let mut block = [0; SWAP_BYTES_MAX];
    value.read(first, &mut block[..len]);
    value.copy_within(second..second + len, first);
    value.write(second, &block[..len]);
    true
}

fn shuffle(value: &mut ValueView<'_, '_>, rng: &mut Rng) -> bool {
    let len = value.len().min(2 + rng.below(7));
    if len < 2 {
        return false;
    }
    let at = rng.below(value.len() - len + 1);
    for last in (1..len).rev() {
        let other = rng.below(last + 1);
        let (a, b) = (value.get(at + last), value.get(at + other));
        value.set(at + last, b);
        value.set(at + other, a);
    }
    true
}
