//! What operators draw: positions, lengths and bytes.
//!
//! Owns how often each comes, as in Go. Must not change a value.

use super::scratch::Scratch;
use crate::pcg::Random;

/// A drawn position below `end`.
pub(super) fn place(random: &mut impl Random, end: usize) -> usize {
    let end = u32::try_from(end).expect("values are bounded by CAPACITY_MAX");
    usize::try_from(random.below(end)).expect("an address has at least 32 bits")
}

/// Two different positions. The value has at least two bytes.
pub(super) fn two_places(value: &Scratch, random: &mut impl Random) -> (usize, usize) {
    let source = place(random, value.len());
    let mut target = place(random, value.len());
    while target == source {
        target = place(random, value.len());
    }
    (source, target)
}

/// A length from 1 to `max`, mostly a short one. `chooseLen` in `mutator.go`: 0 gives 1.
pub(super) fn length(random: &mut impl Random, max: usize) -> usize {
    let limit = match random.below(100) {
        0..90 => max.min(8),
        90..99 => max.min(32),
        _ => max,
    };
    place(random, limit) + 1
}

/// A drawn byte below `end`.
pub(super) fn byte(random: &mut impl Random, end: u16) -> u8 {
    u8::try_from(random.below(u32::from(end))).expect("at most 256 is asked for")
}
