//! Operators on what stands in brackets or quotes.
//!
//! Owns them: removing, repeating, moving and nesting, always with both brackets.

use super::blocks::duplicate;
use super::limits::{NEST_BYTES_MAX, NEST_TIMES_EXPONENT_MAX};
use super::shape::{Bracket, closing};
use super::value::Value;
use super::words::any_word;
use crate::rng::Rng;

/// A pair of brackets that still is one, as far as can be told.
fn any_bracket(value: &Value<'_>, rng: &mut Rng) -> Option<Bracket> {
    let known = &value.shape().brackets;
    for _ in 0..2 {
        let bracket = known.get(rng.below(known.len()))?;
        let (open, close) = (value.moved(bracket.open), value.moved(bracket.close));
        if open < close && close < value.len() {
            let (first, last) = (value.get(open), value.get(close));
            let is_quote = matches!(first, b'"' | b'\'' | b'`') && first == last;
            if is_quote || closing(first) == Some(last) {
                return Some(Bracket { open, close });
            }
        }
    }
    None
}

/// Changes what stands in brackets, or puts brackets around something.
pub(super) fn change(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let Some(Bracket { open, close }) = any_bracket(value, rng) else {
        return wrap_word(value, rng);
    };
    let (end, len) = (close + 1, close + 1 - open);
    match rng.below(16) {
        0 | 1 => {
            value.remove(open..end);
            true
        }
        2 => {
            value.remove(open + 1..close);
            close > open + 1
        }
        3 => {
            value.remove(close..end);
            value.remove(open..open + 1);
            true
        }
        4 | 5 => repeat(value, open, end, rng),
        6 | 7 => wrap(value, open, end, value.get(open), value.get(close), rng),
        8..=10 => {
            // Into another pair of brackets, or over it; also into itself.
            let Some(other) = any_bracket(value, rng) else { return false };
            if len > NEST_BYTES_MAX || len > value.room() {
                return false;
            }
            let to = if rng.chance(1, 2) { other.open + 1 } else { other.close };
            duplicate(value, open, len, to);
            true
        }
        11 | 12 => replace(value, open..end, rng),
        13 => {
            // The content in other brackets.
            let (first, last) = any_kind(rng);
            value.set(open, first);
            value.set(close, last);
            true
        }
        _ => wrap_word(value, rng),
    }
}

/// Repeats brackets with all in them, with the separator they have.
fn repeat(value: &mut Value<'_>, open: usize, end: usize, rng: &mut Rng) -> bool {
    let is_separator = |byte: u8| matches!(byte, b',' | b';' | b' ' | b'\n' | b':' | b'|');
    let mut start = open;
    let mut stop = end;
    if end < value.len() && is_separator(value.get(end)) {
        stop = end + 1;
    } else if open > 0 && is_separator(value.get(open - 1)) {
        start = open - 1;
    }
    let len = stop - start;
    if len > value.room() || len > NEST_BYTES_MAX {
        return false;
    }
    duplicate(value, start, len, stop);
    if start == open && stop == end && value.room() > 0 && rng.chance(1, 2) {
        value.splice(stop..stop, b",");
    }
    true
}

/// Puts the span of one pair of brackets in the place of another one that lies apart.
fn replace(value: &mut Value<'_>, span: std::ops::Range<usize>, rng: &mut Rng) -> bool {
    let Some(other) = any_bracket(value, rng) else { return false };
    let (from, to) = (other.open..other.close + 1, span);
    let is_inside = to.start <= from.start && from.end <= to.end && from != to;
    if is_inside {
        // What is around goes: the inner one stays.
        value.remove(from.end..to.end);
        value.remove(to.start..from.start);
        return true;
    }
    let is_apart = from.end <= to.start || to.end <= from.start;
    if !is_apart || from.len() > NEST_BYTES_MAX || from.len() > value.room() {
        return false;
    }
    duplicate(value, from.start, from.len(), to.end);
    value.remove(to);
    true
}

/// An opening and a closing bracket, or twice a quote.
fn any_kind(rng: &mut Rng) -> (u8, u8) {
    rng.pick(&[
        (b'(', b')'),
        (b'[', b']'),
        (b'{', b'}'),
        (b'<', b'>'),
        (b'"', b'"'),
        (b'\'', b'\''),
    ])
}

/// Puts brackets around a word, or around nothing.
fn wrap_word(value: &mut Value<'_>, rng: &mut Rng) -> bool {
    let known = &value.shape().brackets;
    let (first, last) = match known.get(rng.below(known.len())) {
        Some(bracket) if rng.chance(3, 4) => {
            let open = value.moved(bracket.open).min(value.len().saturating_sub(1));
            let first = value.content().get(open).copied().unwrap_or(b'(');
            (first, closing(first).unwrap_or(first))
        }
        _ => any_kind(rng),
    };
    let word = if rng.chance(3, 4) { any_word(value.content(), rng) } else { None };
    let word = word.unwrap_or_else(|| {
        let at = rng.below(value.len() + 1);
        at..at
    });
    wrap(value, word.start, word.end, first, last, rng)
}

/// Puts `first` before and `last` behind, mostly once, sometimes many times.
fn wrap(
    value: &mut Value<'_>,
    start: usize,
    end: usize,
    first: u8,
    last: u8,
    rng: &mut Rng,
) -> bool {
    let times = if rng.chance(7, 8) { 1 } else { 1 << rng.below(NEST_TIMES_EXPONENT_MAX + 1) };
    if 2 * times > value.room() {
        return false;
    }
    value.insert_gap(end, times);
    value.edit(end..end + times).fill(last);
    value.insert_gap(start, times);
    value.edit(start..start + times).fill(first);
    true
}
