//! Operands that are the length of the input, or of a word in it.
//!
//! Owns the proposals to make a value longer or shorter. Must not propose more than
//! [`LENGTH_TARGET_MAX`] bytes.

use super::candidates::Change;
use super::integers::Operand;
use super::places::Places;
use super::{Origin, Search, Side, integers, promise};
use crate::compare::limits::{
    ASKED_MAX, LENGTH_SLACK_MAX, LENGTH_TARGET_MAX, PLACES_PER_OPERAND_MAX, SIDE_BYTES_MAX,
    STATED_MAX, STATED_OFFSET_MAX,
};

/// Proposes lengths: the operand is one and the target asks for another, or (`is_in_input`) the
/// operand is a length in the input that should be true.
pub(super) fn solve(search: &mut Search<'_>, operand: &Operand, is_in_input: bool) {
    if is_in_input {
        of_a_field(search, operand);
    } else if !operand.is_free() && !search.is_alone {
        of_a_value(search, operand);
        of_a_word(search, operand);
    }
}

/// The operand is the length of a value, less some constant.
fn of_a_value(search: &mut Search<'_>, operand: &Operand) {
    for span in 0..search.places.spans.len() {
        let value = &search.places.spans[span];
        let Some(slack) = (value.range.len() as u64).checked_sub(operand.base) else { continue };
        if !value.grows || slack > LENGTH_SLACK_MAX {
            continue;
        }
        let base_promise = if slack == 0 { promise::LENGTH } else { promise::GUESSED };
        for (target, loss) in operand.targets() {
            propose(search, operand, span, target.checked_add(slack), base_promise - loss);
        }
    }
}

/// The operand is a field with the length of what follows: let it be as long as it says.
fn of_a_field(search: &mut Search<'_>, operand: &Operand) {
    for span in 0..search.places.spans.len() {
        let len = search.places.spans[span].range.len() as u64;
        match len.checked_sub(operand.target) {
            Some(slack) if slack <= LENGTH_SLACK_MAX => {
                note_stated(search, operand, span, slack);
                let target = operand.base.checked_add(slack);
                propose(search, operand, span, target, promise::COMPUTED);
            }
            Some(_) | None => {}
        }
    }
}

fn propose(
    search: &mut Search<'_>,
    operand: &Operand,
    span: usize,
    len: Option<u64>,
    promise: u32,
) {
    let len = len.and_then(|len| usize::try_from(len).ok());
    let Some(len) = len.filter(|&len| len <= LENGTH_TARGET_MAX) else { return };
    if search.asked.len() < ASKED_MAX {
        search.asked.push(Asked { origin: operand.origin, span, len, promise });
    }
    let patches: Vec<_> =
        search.stated.iter().filter_map(|stated| stated.patch(span, len)).collect();
    search.add(operand.origin, promise, Change::Resize { span, len, patch: None });
    for patch in patches {
        search.add(operand.origin, promise - 1, Change::Resize { span, len, patch: Some(patch) });
    }
}

/// A value is asked to have this length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    origin: Origin,
    span: usize,
    len: usize,
    promise: u32,
}

/// A field is compared with the length of its value: notes where it lies.
fn note_stated(search: &mut Search<'_>, operand: &Operand, span: usize, slack: u64) {
    let range = search.places.spans[span].range.clone();
    for (at, width, is_big) in integers::places_of(search, operand) {
        let Some(slack) = usize::try_from(slack).ok().filter(|_| range.contains(&at)) else {
            continue;
        };
        let stated = Stated { span, at, width, is_big, slack };
        if search.stated.len() < 2 * STATED_MAX && !search.stated.contains(&stated) {
            search.stated.push(stated);
        }
    }
}

/// Proposes the lengths that were asked for once more, with all fields that are to state them: one
/// comparison asks for a length, another one for a field that says it.
pub(super) fn finish(search: &mut Search<'_>) {
    for Asked { origin, span, len, promise } in std::mem::take(&mut search.asked) {
        let patches: Vec<_> =
            search.stated.iter().filter_map(|stated| stated.patch(span, len)).collect();
        for patch in patches {
            search.add(origin, promise - 1, Change::Resize { span, len, patch: Some(patch) });
        }
        search.asked.push(Asked { origin, span, len, promise });
    }
}

/// A field of the input that states the length of its value, less a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stated {
    span: usize,
    at: usize,
    width: usize,
    is_big: bool,
    slack: usize,
}

impl Stated {
    /// What the field must hold when the value gets this length.
    fn patch(&self, span: usize, len: usize) -> Option<(usize, Side)> {
        if span != self.span {
            return None;
        }
        let mut bytes = len.checked_sub(self.slack)?.to_le_bytes();
        let is_cut = bytes[self.width..].iter().any(|&byte| byte != 0);
        if self.is_big {
            bytes[..self.width].reverse();
        }
        (!is_cut).then(|| (self.at, Side::new(&bytes[..self.width])))
    }
}

/// The fields near the start of each value that state its length, or what is left behind them.
pub(super) fn stated(places: &Places) -> Vec<Stated> {
    let mut found = Vec::new();
    for (span, value) in places.spans.iter().enumerate().filter(|(_, value)| value.grows) {
        let len = value.range.len();
        for offset in 0..len.min(STATED_OFFSET_MAX) {
            let at = value.range.start + offset;
            for (width, is_big) in
                [(8, false), (8, true), (4, false), (4, true), (2, false), (2, true), (1, false)]
            {
                let Some(field) = places.base.get(at..at + width) else { continue };
                let place = |sum: usize, &byte: &u8| sum << 8 | usize::from(byte);
                let number = if is_big {
                    field.iter().fold(0, place)
                } else {
                    field.iter().rev().fold(0, place)
                };
                let is_length = number == len || number == len - (offset + width).min(len);
                if is_length && number > 0 && found.len() < STATED_MAX {
                    found.push(Stated { span, at, width, is_big, slack: len - number });
                }
            }
        }
    }
    found
}

/// The operand is the length of a word: continue or cut the words of that length.
fn of_a_word(search: &mut Search<'_>, operand: &Operand) {
    let lengths = (usize::try_from(operand.base), usize::try_from(operand.target));
    let (Ok(old), Ok(new)) = lengths else { return };
    if old == 0 || new == 0 || new > SIDE_BYTES_MAX {
        return;
    }
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let places = search.places;
    let mut at = 0;
    let mut found = 0_u32;
    for run in places.base.chunk_by(|one, other| is_word(one) == is_word(other)) {
        let start = at;
        at += run.len();
        let is_of_length = run.len() == old && is_word(&run[0]);
        if !is_of_length || places.span_of(&(start..at)).is_none() {
            continue;
        }
        if found as usize == PLACES_PER_OPERAND_MAX {
            break;
        }
        let word: Vec<u8> = run.iter().copied().cycle().take(new).collect();
        let promise = promise::GUESSED - found;
        found += 1;
        search.splice(operand.origin, promise, start, old, &word);
    }
}
