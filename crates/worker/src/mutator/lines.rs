//! Operators on the lines of a text, and on parts between other separators.
//!
//! Owns finding a part around a random place, and removing, repeating and moving it.

use std::ops::Range;

use super::blocks::duplicate;
use super::context::Context;
use super::limits::LINE_BYTES_MAX;
use super::mix::donor;
use super::value::Value;
use crate::rng::Rng;

/// The part between two separators around a random place, and the separator behind it if there is
/// one. `None` if the separator is not near.
fn any_part(content: &[u8], separator: u8, rng: &mut Rng) -> Option<Range<usize>> {
    if content.is_empty() {
        return None;
    }
    let at = rng.below(content.len());
    let from = at.saturating_sub(LINE_BYTES_MAX);
    let to = content.len().min(at + LINE_BYTES_MAX);
    let before = content[from..at].iter().rposition(|byte| *byte == separator);
    let behind = content[at..to].iter().position(|byte| *byte == separator);
    if before.is_none() && behind.is_none() {
        return None;
    }
    Some(before.map_or(from, |before| from + before + 1)..behind.map_or(to, |end| at + end + 1))
}

/// Removes, repeats, moves or swaps a line, or another part of the text.
pub(super) fn change(value: &mut Value<'_>, context: Context<'_>, rng: &mut Rng) -> bool {
    let separators = &value.shape().separators;
    let Some(&separator) = separators.get(rng.below(separators.len())) else { return false };
    let Some(part) = any_part(value.content(), separator, rng) else { return false };
    let len = part.len();
    match rng.below(8) {
        0 | 1 => {
            value.remove(part);
            true
        }
        2 | 3 => {
            if len > value.room() {
                return false;
            }
            let Some(other) = any_part(value.content(), separator, rng) else { return false };
            duplicate(value, part.start, len, other.end);
            true
        }
        4 => {
            let room = len <= value.room();
            room && {
                duplicate(value, part.start, len, part.end);
                true
            }
        }
        5 | 6 => {
            let Some(other) = any_part(value.content(), separator, rng) else { return false };
            let (first, second) =
                if part.start < other.start { (part, other) } else { (other, part) };
            if first.end > second.start {
                return false;
            }
            // The second one moves before the first one.
            let (start, turn) = (first.start, second.start - first.start);
            value.edit(start..second.end).rotate_left(turn);
            true
        }
        _ => {
            let Some(donor) = donor(context, rng) else { return false };
            let Some(other) = any_part(donor, separator, rng) else { return false };
            let place = if rng.chance(1, 2) { part } else { part.start..part.start };
            value.splice(place, &donor[other])
        }
    }
}
