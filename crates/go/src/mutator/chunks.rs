//! Operators that remove, insert, copy and reorder chunks of a byte string.
//!
//! Owns: nine of the operators of `mutators_byteslice.go` (Go 1.27.3). Two of them use the bytes
//! behind the value as working space, which other parameters may show afterwards: what they leave
//! there is part of the result.

use super::draws::{byte, length, place, two_places};
use super::scratch::Scratch;
use crate::pcg::Random;

/// The longest run of random bytes that is inserted.
const RANDOM_BYTES_MAX: usize = 1024;

/// The longest run of one byte that is inserted.
const CONSTANT_BYTES_MAX: usize = 4096;

pub(super) fn remove(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    let end = value.len();
    if end <= 1 {
        return None;
    }
    let start = place(random, end);
    let removed = length(random, end - start);
    value.copy(start + removed..end, start);
    value.set_len(end - removed);
    Some(())
}

pub(super) fn insert_random(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    let at = place(random, value.len() + 1);
    let added = length(random, RANDOM_BYTES_MAX);
    open_gap(value, at, added)?;
    for place in &mut value.value_mut()[at..at + added] {
        *place = byte(random, 256);
    }
    Some(())
}

pub(super) fn insert_constant(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    if value.len() <= 1 {
        return None;
    }
    let at = place(random, value.len());
    let added = length(random, CONSTANT_BYTES_MAX);
    open_gap(value, at, added)?;
    let constant = byte(random, 256);
    value.value_mut()[at..at + added].fill(constant);
    Some(())
}

/// Makes the value `added` bytes longer and moves what stands from `at` on behind the gap.
fn open_gap(value: &mut Scratch, at: usize, added: usize) -> Option<()> {
    let end = value.len();
    if !value.has_room(added) {
        return None;
    }
    value.set_len(end + added);
    value.copy(at..end, at + added);
    Some(())
}

/// Inserts a copy of a chunk. The copy waits behind the longer value, so twice its length must fit.
pub(super) fn duplicate(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    let end = value.len();
    if end <= 1 {
        return None;
    }
    let (source, target) = two_places(value, random);
    let added = length(random, end - source);
    if !value.has_room(2 * added) {
        return None;
    }
    value.set_len(end + 2 * added);
    value.copy(source..source + added, end + added);
    value.copy(target..end, target + added);
    value.copy(end + added..end + 2 * added, target);
    value.set_len(end + added);
    Some(())
}

pub(super) fn overwrite(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    let end = value.len();
    if end <= 1 {
        return None;
    }
    let (source, target) = two_places(value, random);
    let copied = length(random, end - source - 1).min(end - target);
    value.copy(source..source + copied, target);
    Some(())
}

pub(super) fn overwrite_constant(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    let end = value.len();
    if end <= 1 {
        return None;
    }
    let at = place(random, end);
    let written = length(random, end - at);
    let constant = byte(random, 256);
    value.value_mut()[at..at + written].fill(constant);
    Some(())
}

/// Fisher-Yates from the end of the chunk to its start.
pub(super) fn shuffle(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    let end = value.len();
    if end <= 1 {
        return None;
    }
    let at = place(random, end);
    let shuffled = length(random, end - at);
    if shuffled <= 2 {
        return None;
    }
    for last in (1..shuffled).rev() {
        let other = place(random, last + 1);
        value.value_mut().swap(at + last, at + other);
    }
    Some(())
}

/// Swaps two chunks that neither touch nor overlap, through the space behind the value.
pub(super) fn swap(value: &mut Scratch, random: &mut impl Random) -> Option<()> {
    let end = value.len();
    if end <= 1 {
        return None;
    }
    let (source, target) = two_places(value, random);
    let swapped = length(random, end - source.max(target) - 1);
    if source.min(target) + swapped >= source.max(target) || !value.has_room(swapped) {
        return None;
    }
    value.set_len(end + swapped);
    value.copy(target..target + swapped, end);
    value.copy(source..source + swapped, target);
    value.copy(end..end + swapped, source);
    value.set_len(end);
    Some(())
}
