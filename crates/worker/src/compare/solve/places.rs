//! Where in both inputs certain bytes lie at the same place.
//!
//! Owns the index over pairs of bytes (one of the base, one of the colorized input at the same
//! position). Must not look beyond the first [`SOLVE_BYTES_MAX`] bytes.

use std::ops::Range;

use fuzzd_protocol::input::Field;

use crate::compare::limits::{PLACES_PER_OPERAND_MAX, PROBES_MAX, SOLVE_BYTES_MAX};

/// One value of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// Its bytes.
    pub(super) range: Range<usize>,
    /// Offset of its length, of packed values of variable length.
    pub(super) prefix: Option<usize>,
    /// Whether it may change its length.
    pub(super) grows: bool,
}

impl Span {
    /// The values at these fields.
    pub(super) fn of_fields(fields: &[Field]) -> Vec<Self> {
        let span = |field: &Field| Self {
            range: field.bytes.clone(),
            prefix: field.prefix,
            grows: field.value_type.width().is_none(),
        };
        fields.iter().map(span).collect()
    }
}

/// Both inputs and the index over them.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) base: Vec<u8>,
    pub(super) colorized: Vec<u8>,
    pub(super) spans: Vec<Span>,
    /// Positions by pair of bytes, then ascending.
    sorted: Vec<(u16, u32)>,
    /// Positions at which the inputs differ.
    pub(super) changed: Vec<usize>,
}

impl Places {
    /// The index over two inputs. A colorized one of another length is cut, or filled up with the
    /// base.
    pub(super) fn new(base: &[u8], colorized: &[u8], spans: Vec<Span>) -> Self {
        let mut same_length = base.to_vec();
        let common = base.len().min(colorized.len());
        same_length[..common].copy_from_slice(&colorized[..common]);
        let pairs = base.iter().zip(&same_length).take(SOLVE_BYTES_MAX).zip(0_u32..);
        let mut sorted: Vec<_> = pairs.map(|((&old, &new), at)| (key(old, new), at)).collect();
        sorted.sort_unstable();
        let seen = base.len().min(SOLVE_BYTES_MAX);
        let changed = (0..seen).filter(|&at| base[at] != same_length[at]).collect();
        Self { base: base.to_vec(), colorized: same_length, spans, sorted, changed }
    }

    /// Positions of one pair of bytes.
    pub(super) fn of_pair(&self, old: u8, new: u8) -> impl Iterator<Item = usize> + '_ {
        self.bucket(old, new).iter().map(|&(_, at)| at as usize)
    }

    fn bucket(&self, old: u8, new: u8) -> &[(u16, u32)] {
        let key = key(old, new);
        let start = self.sorted.partition_point(|entry| entry.0 < key);
        let len = self.sorted[start..].partition_point(|entry| entry.0 == key);
        &self.sorted[start..start + len]
    }

    /// Places at which the base has `old` and the colorized input has `new`: a few, in order. Both
    /// have the same length. The place lies in one value.
    pub(super) fn find(&self, old: &[u8], new: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        let rarest = (0..old.len().min(new.len()))
            .min_by_key(|&position| self.bucket(old[position], new[position]).len());
        let Some(position) = rarest else { return found };
        for at in self.of_pair(old[position], new[position]).take(PROBES_MAX) {
            let Some(start) = at.checked_sub(position) else { continue };
            let range = start..start + old.len();
            let is_there = self.base.get(range.clone()) == Some(old)
                && self.colorized.get(range.clone()) == Some(new);
            if is_there && self.span_of(&range).is_some() {
                found.push(start);
                if found.len() == PLACES_PER_OPERAND_MAX {
                    break;
                }
            }
        }
        found
    }

    /// The value that `range` lies in as a whole.
    pub(super) fn span_of(&self, range: &Range<usize>) -> Option<&Span> {
        let is_inside = |span: &&Span| {
            span.range.start <= range.start
                && range.end <= span.range.end
                && range.start < span.range.end
        };
        self.spans.iter().find(is_inside)
    }
}

fn key(old: u8, new: u8) -> u16 {
    u16::from_be_bytes([old, new])
}
