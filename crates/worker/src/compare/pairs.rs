//! The operand pairs that one input, or recent inputs, brought into comparisons.
//!
//! Owns what the mutator substitutes: find one side of a pair in the input, write the other. Must
//! not hold more than [`PAIRS_MAX`] pairs, and depends on the order of the records only.

use super::limits::{LENGTH_TARGET_MAX, LENGTHS_MAX, PAIRS_MAX, PAIRS_PER_PC_MAX, SIDE_BYTES_MAX};
use super::log::{Kind, Record};
use crate::rng::Rng;

#[cfg(test)]
mod tests;

/// Bytes of one operand. An integer lies there little-endian, in its full width.
#[derive(Clone, Copy)]
pub(crate) struct Side {
    len: u8,
    bytes: [u8; SIDE_BYTES_MAX],
}

impl Side {
    /// The first [`SIDE_BYTES_MAX`] of `bytes`.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let len = bytes.len().min(SIDE_BYTES_MAX);
        let mut all = [0; SIDE_BYTES_MAX];
        all[..len].copy_from_slice(&bytes[..len]);
        Self { len: u8::try_from(len).unwrap_or(0), bytes: all }
    }

    /// The `width` (at most 8) low bytes of `value`, little-endian.
    pub(crate) fn integer(value: u64, width: u8) -> Self {
        Self::new(&value.to_le_bytes()[..usize::from(width.min(8))])
    }

    /// The number that the first eight bytes are, little-endian, or all if they are fewer.
    #[inline]
    pub(crate) fn number(&self) -> u64 {
        // What lies behind the bytes is 0.
        self.bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// Equal for equal sides, and mostly different for others.
    #[inline]
    fn mark(&self) -> u64 {
        let end = usize::from(self.len).saturating_sub(8);
        let last = self.bytes[end..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let mixed = self.number() ^ last.rotate_left(23) ^ u64::from(self.len).rotate_left(56);
        mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// The bytes.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl PartialEq for Side {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Side {}

impl std::fmt::Debug for Side {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "\"{}\"", self.bytes().escape_ascii())
    }
}

/// The two sides of one comparison. They differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The constant if `is_const`.
    pub(crate) left: Side,
    /// The other operand.
    pub(crate) right: Side,
    /// Integers: may lie in the input in either byte order and in fewer bytes; the neighbours of
    /// the value (ranges) are of interest too. Otherwise runs of bytes.
    pub(crate) is_number: bool,
    /// The code names `left`; only `right` can come from the input.
    pub(crate) is_const: bool,
}

impl Pair {
    /// Whether its sides have more than a byte.
    pub(crate) fn is_wide(&self) -> bool {
        self.left.bytes().len() > 1 || self.right.bytes().len() > 1
    }

    /// Equal for pairs that are alike, and mostly different for others.
    #[inline]
    fn mark(&self) -> u32 {
        // A sum, which does not tell one orientation from the other.
        let both = self.left.mark().wrapping_add(self.right.mark());
        u32::try_from(both >> 32).unwrap_or(0) ^ u32::from(self.is_number)
    }

    /// The pair with this orientation or the other: the same comparison.
    fn is_like(&self, other: &Self) -> bool {
        self.is_number == other.is_number
            && ((self.left == other.left && self.right == other.right)
                || (self.left == other.right && self.right == other.left))
    }
}

/// A bounded set of pairs and length targets. The oldest makes room for a new one; within one
/// place of the code that has its share already, the oldest of that place.
#[derive(Debug, Clone, Default)]
pub(crate) struct PairTable {
    pairs: Vec<Pair>,
    /// The mark of each pair: most comparisons are known already, and are looked for here.
    marks: Vec<u32>,
    /// The place in the code and the age (number of the addition) of each pair.
    origins: Vec<(usize, u64)>,
    added: u64,
    lengths: Vec<usize>,
}

impl PairTable {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds the pairs of a log, in its order.
    pub(crate) fn add_records(&mut self, records: &[Record]) {
        for record in records {
            for pair in pairs_of(&record.kind).into_iter().flatten() {
                self.add(record.pc, pair);
            }
        }
    }

    /// Adds the lengths that code compared one of `lengths` with: the lengths of the input's values
    /// of variable length, in the execution that `records` comes from.
    pub(crate) fn add_lengths(&mut self, records: &[Record], lengths: &[usize]) {
        let is_length = |value: u64| lengths.iter().any(|&length| length as u64 == value);
        for record in records {
            let (value, targets) = match record.kind {
                Kind::Integer { left, right, is_const, .. } => {
                    if is_length(right) {
                        (right, [left, left])
                    } else if !is_const && is_length(left) {
                        (left, [right, right])
                    } else {
                        continue;
                    }
                }
                Kind::Switch { value, below, above, .. } => (value, [below, above]),
                Kind::Memory { .. } => continue,
            };
            if !is_length(value) {
                continue;
            }
            for target in targets {
                self.add_length(target);
            }
        }
    }

    fn add_length(&mut self, target: u64) {
        let Ok(target) = usize::try_from(target) else { return };
        if target > LENGTH_TARGET_MAX || self.lengths.contains(&target) {
            return;
        }
        if self.lengths.len() == LENGTHS_MAX {
            self.lengths.remove(0);
        }
        self.lengths.push(target);
    }

    /// Adds one pair seen at `pc`, unless it is there, has equal sides or an empty one.
    pub(crate) fn add(&mut self, pc: usize, pair: Pair) {
        let is_empty = pair.left.bytes().is_empty() || pair.right.bytes().is_empty();
        let mark = pair.mark();
        if is_empty || pair.left == pair.right || self.has(&pair, mark) {
            return;
        }
        self.added += 1;
        let origin = (pc, self.added);
        let of_pc = self.origins.iter().filter(|old| old.0 == pc).count();
        let slot = if of_pc >= PAIRS_PER_PC_MAX {
            self.oldest(|old| old == pc)
        } else if self.pairs.len() >= PAIRS_MAX {
            self.oldest(|_| true)
        } else {
            None
        };
        match slot {
            Some(slot) => {
                self.pairs[slot] = pair;
                self.marks[slot] = mark;
                self.origins[slot] = origin;
            }
            None => {
                self.pairs.push(pair);
                self.marks.push(mark);
                self.origins.push(origin);
            }
        }
    }

    /// Whether a pair like this one is there, which has this mark.
    fn has(&self, pair: &Pair, mark: u32) -> bool {
        // All marks, without a branch for each.
        let has_mark = self.marks.iter().fold(false, |found, old| found | (*old == mark));
        let mut marked = self.marks.iter().zip(&self.pairs).filter(|(old, _)| **old == mark);
        has_mark && marked.any(|(_, old)| old.is_like(pair))
    }

    /// The position of the oldest pair whose place `is_eligible`.
    fn oldest(&self, is_eligible: impl Fn(usize) -> bool) -> Option<usize> {
        let eligible = self.origins.iter().enumerate().filter(|(_, origin)| is_eligible(origin.0));
        eligible.min_by_key(|(_, origin)| origin.1).map(|(slot, _)| slot)
    }

    /// A random pair.
    #[inline]
    pub(crate) fn pick(&self, rng: &mut Rng) -> Option<&Pair> {
        self.pairs.get(rng.below(self.pairs.len()))
    }

    /// A random length target.
    #[inline]
    pub(crate) fn pick_length(&self, rng: &mut Rng) -> Option<usize> {
        self.lengths.get(rng.below(self.lengths.len())).copied()
    }

    /// Number of pairs.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is no pair. There may be length targets.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// All pairs.
    pub(crate) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// All length targets, oldest first.
    pub(crate) fn lengths(&self) -> &[usize] {
        &self.lengths
    }
}

/// The pairs of one comparison: two for a switch, the nearest cases; two for a number with another
/// one in its upper half.
fn pairs_of(kind: &Kind) -> [Option<Pair>; 2] {
    let number = |left, right, width, is_const| {
        let (left, right) = (Side::integer(left, width), Side::integer(right, width));
        Some(Pair { left, right, is_number: true, is_const })
    };
    match kind {
        Kind::Integer { width, is_const, left, right } => {
            let payload = match kind.payload() {
                Some(Kind::Integer { width, is_const, left, right }) => {
                    number(left, right, width, is_const)
                }
                Some(Kind::Switch { .. } | Kind::Memory { .. }) | None => None,
            };
            [number(*left, *right, *width, *is_const), payload]
        }
        Kind::Switch { width, value, below, above } => {
            [number(*below, *value, *width, true), number(*above, *value, *width, true)]
        }
        Kind::Memory { left, right } => {
            let (left, right) = (Side::new(left.as_slice()), Side::new(right.as_slice()));
            [Some(Pair { left, right, is_number: false, is_const: false }), None]
        }
    }
}
