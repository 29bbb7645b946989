//! Making a second input that takes the same path with as many other bytes as possible.
//!
//! Owns which bytes may change freely. What differs between the comparisons of both inputs comes
//! from these bytes, and each of their values is rare enough to show where. Must not exceed its
//! budget of executions, and is a function of the input and of what the executions tell.
//!
//! After "REDQUEEN: Fuzzing with Input-to-State Correspondence" (Aschermann et al., NDSS 2019):
//! ranges are replaced, the longest first; one whose replacement changes the path is halved.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use fuzzd_protocol::input::Field;

use super::limits::{COLORIZE_EXECS_MIN, COLORIZE_EXECS_PER_BYTE};
use crate::rng::Rng;

#[cfg(test)]
mod tests;

/// The input of the same path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Colorized {
    /// As long as the input.
    pub(crate) bytes: Vec<u8>,
    /// Where it differs: ascending, not adjacent. Bytes of these ranges do not decide the path.
    pub(crate) free: Vec<Range<usize>>,
}

/// Colorizes an input of one value. `run` executes an input and gives the hash of its path; it is
/// called `budget` times at most.
pub(crate) fn colorize(
    input: &[u8],
    budget: usize,
    run: &mut dyn FnMut(&[u8]) -> u64,
) -> Colorized {
    let whole = 0..input.len();
    colorize_ranges(input, std::slice::from_ref(&whole), budget, run)
}

/// Colorizes the values of an input, and leaves the lengths between them.
pub(crate) fn colorize_fields(
    input: &[u8],
    fields: &[Field],
    budget: usize,
    run: &mut dyn FnMut(&[u8]) -> u64,
) -> Colorized {
    let ranges: Vec<Range<usize>> = fields.iter().map(|field| field.bytes.clone()).collect();
    colorize_ranges(input, &ranges, budget, run)
}

fn colorize_ranges(
    input: &[u8],
    ranges: &[Range<usize>],
    budget: usize,
    run: &mut dyn FnMut(&[u8]) -> u64,
) -> Colorized {
    let mut bytes = input.to_vec();
    let mut free: Vec<Range<usize>> = Vec::new();
    let most = COLORIZE_EXECS_MIN.max(input.len().saturating_mul(COLORIZE_EXECS_PER_BYTE));
    let mut left = budget.min(most);
    if left < 3 || input.is_empty() {
        return Colorized { bytes, free };
    }
    let path = run(input);
    if run(input) != path {
        // Its path is not its own: nothing can be learnt from others.
        return Colorized { bytes, free };
    }
    left -= 2;
    let mut rng = Rng::new(seed_of(input));
    let mut waiting: BinaryHeap<(usize, Reverse<usize>)> =
        ranges.iter().map(|range| (range.len(), Reverse(range.start))).collect();
    while left > 0
        && let Some((len, Reverse(start))) = waiting.pop()
    {
        if len == 0 {
            continue;
        }
        let range = start..start + len;
        for (byte, &original) in bytes[range.clone()].iter_mut().zip(&input[range.clone()]) {
            *byte = other_of_its_kind(original, &mut rng);
        }
        left -= 1;
        if run(&bytes) == path {
            free.push(range);
            continue;
        }
        bytes[range.clone()].copy_from_slice(&input[range]);
        if len > 1 {
            let half = len / 2;
            waiting.push((half, Reverse(start)));
            waiting.push((len - half, Reverse(start + half)));
        }
    }
    Colorized { bytes, free: merged(free) }
}

/// Draws for one byte. One of three at least is of the right kind, so that it practically never
/// stays as it is.
const DRAWS_MAX: u32 = 64;

/// A random byte that most parsers take for the same kind: a digit for a digit, a letter of the
/// same case for a letter, other printable for printable, any other for any other. Never
/// the same byte.
fn other_of_its_kind(byte: u8, rng: &mut Rng) -> u8 {
    let (first, last, kind): (u8, u8, fn(u8) -> bool) = match byte {
        b'0'..=b'9' => (b'0', b'9', |_| true),
        b'a'..=b'z' => (b'a', b'z', |_| true),
        b'A'..=b'Z' => (b'A', b'Z', |_| true),
        b' '..=b'~' => (b' ', b'~', |byte| !byte.is_ascii_alphanumeric()),
        _ => (0, u8::MAX, |byte| !(b' '..=b'~').contains(&byte)),
    };
    for _ in 0..DRAWS_MAX {
        let step = u8::try_from(rng.below(usize::from(last - first) + 1)).unwrap_or(0);
        let other = first + step;
        if other != byte && kind(other) {
            return other;
        }
    }
    byte
}

/// A seed from the input itself (FNV-1a), so that equal inputs are colorized equally.
fn seed_of(input: &[u8]) -> u64 {
    input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Ranges in order, adjacent ones joined.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}
