//! Changes to try, most promising first.
//!
//! Owns their order, their bounds and that none is there twice. Must not know how they were found.

use std::collections::{BTreeMap, BTreeSet};

use fuzzd_protocol::input::LENGTH_BYTES;

use super::places::Span;
use crate::compare::limits::{
    CANDIDATES_MAX, CANDIDATES_MIN, CANDIDATES_PER_BYTE, CANDIDATES_PER_PC_MAX,
};
use crate::compare::pairs::Side;

/// How promising a kind of change is; higher is tried first.
pub(super) mod promise {
    /// The operand lay in the input as it is, and changed with it.
    pub(in super::super) const COPIED: u32 = 1_000;
    /// Several of those at once.
    pub(in super::super) const TOGETHER: u32 = 960;
    /// The operand was a number in text.
    pub(in super::super) const NUMBER: u32 = 900;
    /// The operand was text in another case.
    pub(in super::super) const FOLDED: u32 = 880;
    /// The operand was the length of the input.
    pub(in super::super) const LENGTH: u32 = 700;
    /// The operand was computed from bytes of the input.
    pub(in super::super) const COMPUTED: u32 = 600;
    /// The operand lies in the input, but these bytes decide the path.
    pub(in super::super) const PINNED: u32 = 400;
    /// As before, by chance perhaps.
    pub(in super::super) const GUESSED: u32 = 200;
    /// Taken off for the neighbours of a value, which only ranges ask for.
    pub(in super::super) const NEIGHBOUR: u32 = 70;
    /// Taken off for each further place of the same operand.
    pub(in super::super) const FURTHER: u32 = 20;
}

/// One change of the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// `remove` bytes at `at` give way to `with`.
    Splice { at: usize, remove: usize, with: Side },
    /// The value number `span` gets this length: cut, or continued by itself. `patch`: bytes that
    /// state the length, in the base.
    Resize { span: usize, len: usize, patch: Option<(usize, Side)> },
    /// Several replacements of equal length.
    Together(Vec<(usize, Side)>),
}

/// The collection.
#[derive(Debug)]
pub(super) struct Candidates {
    changes: Vec<(u32, usize, Change)>,
    known: BTreeSet<(usize, usize, Vec<u8>)>,
    per_pc: BTreeMap<usize, usize>,
    most: usize,
}

impl Candidates {
    /// No changes of a base with `len` bytes.
    pub(super) fn new(len: usize) -> Self {
        let most = CANDIDATES_MIN.saturating_add(len.saturating_mul(CANDIDATES_PER_BYTE));
        Self {
            changes: Vec::new(),
            known: BTreeSet::new(),
            per_pc: BTreeMap::new(),
            most: most.min(CANDIDATES_MAX),
        }
    }

    /// Whether code at `pc` may propose more.
    pub(super) fn has_room(&self, pc: usize) -> bool {
        self.changes.len() < self.most
            && self.per_pc.get(&pc).is_none_or(|&count| count < CANDIDATES_PER_PC_MAX)
    }

    /// Adds a change that `pc` proposes. `order` is the position of the record in the log: of equal
    /// promise, the last comparisons, which stopped the execution, come first.
    pub(super) fn add(&mut self, pc: usize, order: usize, promise: u32, change: Change) {
        if !self.has_room(pc) {
            return;
        }
        let key = match &change {
            Change::Splice { at, remove, with } => (*at, *remove, with.bytes().to_vec()),
            Change::Resize { span, len, patch } => {
                let stated = patch.map_or(0, |(at, _)| at + 1).to_le_bytes();
                (usize::MAX - span, *len, stated.to_vec())
            }
            Change::Together(parts) => {
                let all = parts.iter().flat_map(|(at, side)| {
                    at.to_le_bytes().into_iter().chain(side.bytes().iter().copied())
                });
                (usize::MAX / 2, parts.len(), all.collect())
            }
        };
        if self.known.insert(key) {
            *self.per_pc.entry(pc).or_default() += 1;
            self.changes.push((promise, order, change));
        }
    }

    /// All changes of several inputs, each with the number of its input; the least promising first.
    pub(super) fn into_stack(all: [Self; 2]) -> Vec<(usize, Change)> {
        let numbered = all.into_iter().enumerate().flat_map(|(input, one)| {
            one.changes
                .into_iter()
                .map(move |(promise, order, change)| (promise, order, input, change))
        });
        let mut changes: Vec<_> = numbered.collect();
        changes.reverse();
        changes.sort_by_key(|&(promise, order, ..)| (promise, order));
        changes.into_iter().map(|(.., input, change)| (input, change)).collect()
    }
}

/// Puts the changed base into `buffer`; false if the change does not apply.
pub(super) fn apply(change: &Change, base: &[u8], spans: &[Span], buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    buffer.extend_from_slice(base);
    match change {
        Change::Splice { at, remove, with } => splice(*at, *remove, with.bytes(), spans, buffer),
        Change::Resize { span, len, patch } => {
            overwrite(patch.as_slice(), buffer);
            resize(*span, *len, spans, buffer)
        }
        Change::Together(parts) => {
            overwrite(parts, buffer);
            true
        }
    }
}

fn overwrite(parts: &[(usize, Side)], buffer: &mut [u8]) {
    for (at, side) in parts {
        if let Some(place) = buffer.get_mut(*at..*at + side.bytes().len()) {
            place.copy_from_slice(side.bytes());
        }
    }
}

/// Replaces within the one value that `at` lies in or ends.
fn splice(at: usize, remove: usize, with: &[u8], spans: &[Span], buffer: &mut Vec<u8>) -> bool {
    let of_place = |span: &&Span| span.range.start <= at && at < span.range.end;
    let at_end = |span: &&Span| span.grows && at == span.range.end;
    let Some(span) = spans.iter().find(of_place).or_else(|| spans.iter().find(at_end)) else {
        return false;
    };
    let remove = remove.min(span.range.end - at);
    if span.grows || with.len() == remove {
        buffer.splice(at..at + remove, with.iter().copied());
        let len = span.range.len() + with.len() - remove;
        return write_length(span, len, buffer);
    }
    // A value of fixed width: what fits.
    let fits = with.len().min(span.range.end - at);
    buffer[at..at + fits].copy_from_slice(&with[..fits]);
    true
}

fn resize(span: usize, len: usize, spans: &[Span], buffer: &mut Vec<u8>) -> bool {
    let Some(span) = spans.get(span).filter(|span| span.grows) else { return false };
    let old = span.range.clone();
    if len <= old.len() {
        buffer.drain(old.start + len..old.end);
    } else {
        let more = (0..len - old.len()).map(|step| match old.len() {
            0 => b'0',
            period => buffer[old.start + step % period],
        });
        let more: Vec<u8> = more.collect();
        buffer.splice(old.end..old.end, more);
    }
    write_length(span, len, buffer)
}

/// Brings the length before a packed value up to date.
fn write_length(span: &Span, len: usize, buffer: &mut [u8]) -> bool {
    let Some(prefix) = span.prefix else { return true };
    let Ok(len) = u32::try_from(len) else { return false };
    match buffer.get_mut(prefix..prefix + LENGTH_BYTES) {
        Some(place) => {
            place.copy_from_slice(&len.to_le_bytes());
            true
        }
        None => false,
    }
}
