//! One value being mutated, where it lies.
//!
//! Owns the edits of its content: they stay within the bounds, move what follows the value, and
//! remember what they touched. Must not decide what to change.

use std::ops::Range;

use super::base::{Field, Shape};
use super::matches::Match;
use crate::rng::Rng;

/// What edits touched, in offsets of the content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Dirty {
    /// First place changed.
    pub(super) start: usize,
    /// End of the last place changed. Not beyond `start`: nothing was changed.
    pub(super) end: usize,
    /// Whether everything from `start` on may have moved.
    pub(super) has_moved: bool,
}

impl Dirty {
    /// Whether nothing was touched.
    #[inline]
    pub(super) fn is_clean(self) -> bool {
        self.end <= self.start
    }

    #[inline]
    fn mark(&mut self, range: Range<usize>) {
        // An empty range is a place where bytes were taken out: what now stands there counts.
        let (start, end) = (range.start, range.end.max(range.start + 1));
        let is_clean = self.is_clean();
        self.start = if is_clean { start } else { self.start.min(start) };
        self.end = if is_clean { end } else { self.end.max(end) };
    }
}

/// Where the content of one value lies at the moment, and what was done to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    /// Offset of the content.
    pub(super) start: usize,
    /// Bytes of the content.
    pub(super) len: usize,
    /// What was touched.
    pub(super) dirty: Dirty,
}

impl Slot {
    /// A slot as it is in the base.
    pub(super) fn of(field: &Field) -> Self {
        Self { start: field.bytes.start, len: field.bytes.len(), dirty: Dirty::default() }
    }
}

/// One value, to be changed; offsets count from the start of its content.
#[derive(Debug)]
pub(super) struct Value<'a> {
    /// From the start of the content on.
    bytes: &'a mut [u8],
    /// Kept in its place from input to input: a copy of it, read in larger pieces than were just
    /// written, would stall.
    slot: &'a mut Slot,
    /// Bytes of the input that follow the content.
    tail: usize,
    /// Bytes by which the input may grow.
    room: usize,
    field: &'a Field,
}

impl<'a> Value<'a> {
    /// The value of `slot`, whose content begins with `bytes`, with `tail` more of the input behind
    /// it. The input may grow by `room`, for which `bytes` has the place.
    #[inline]
    pub(super) fn new(
        bytes: &'a mut [u8],
        slot: &'a mut Slot,
        tail: usize,
        room: usize,
        field: &'a Field,
    ) -> Self {
        debug_assert!(slot.len + tail + room <= bytes.len());
        Self { bytes, slot, tail, room, field }
    }

    /// Whether it should stay text.
    #[inline]
    pub(super) fn is_string(&self) -> bool {
        self.field.is_string
    }

    /// What is known about the content as it was at first.
    #[inline]
    pub(super) fn shape(&self) -> &'a Shape {
        &self.field.shape
    }

    /// Where sides of compares stood in the content as it was at first.
    #[inline]
    pub(super) fn matches(&self) -> &'a [Match] {
        &self.field.matches
    }

    /// Bytes of the content.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slot.len
    }

    /// Bytes by which the input may still grow.
    #[inline]
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// What was touched since the input was put here.
    #[inline]
    pub(super) fn dirty(&self) -> Dirty {
        self.slot.dirty
    }

    /// The part of the content that was changed since the input was put here.
    pub(super) fn dirty_range(&self) -> Range<usize> {
        self.slot.dirty.start.min(self.slot.len)..self.slot.dirty.end.min(self.slot.len)
    }

    /// The content.
    #[inline]
    pub(super) fn content(&self) -> &[u8] {
        &self.bytes[..self.slot.len]
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> u8 {
        self.content()[at]
    }

    #[inline]
    pub(super) fn set(&mut self, at: usize, byte: u8) {
        self.edit(at..at + 1)[0] = byte;
    }

    /// A part of the content, to be changed.
    #[inline]
    pub(super) fn edit(&mut self, range: Range<usize>) -> &mut [u8] {
        debug_assert!(
            range.end <= self.slot.len,
            "{range:?} in a value of {} bytes",
            self.slot.len
        );
        self.slot.dirty.mark(range.clone());
        &mut self.bytes[range]
    }

    /// Eight bytes from `at` on, of which the first `width` are to be changed. `None` at the end of
    /// the buffer.
    #[inline]
    pub(super) fn window(&mut self, at: usize, width: usize) -> Option<&mut [u8; 8]> {
        debug_assert!(at + width <= self.slot.len);
        let window = self.bytes.get_mut(at..)?.first_chunk_mut()?;
        self.slot.dirty.mark(at..at + width);
        Some(window)
    }

    #[inline]
    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        copy_short(self.edit(at..at + bytes.len()), bytes);
    }

    #[inline]
    pub(super) fn copy_within(&mut self, from: Range<usize>, to: usize) {
        debug_assert!(from.end <= self.slot.len && to + from.len() <= self.slot.len);
        self.slot.dirty.mark(to..to + from.len());
        self.bytes.copy_within(from, to);
    }

    /// Makes `bytes` bytes of room at `at`; what they hold is undefined. The caller asked
    /// [`room`](Self::room) before.
    #[inline]
    pub(super) fn insert_gap(&mut self, at: usize, bytes: usize) {
        debug_assert!(bytes <= self.room && at <= self.slot.len);
        if self.slot.dirty.end > at {
            self.slot.dirty.end += bytes;
        }
        self.slot.dirty.mark(at..at + bytes);
        self.slot.dirty.has_moved = true;
        shift(self.bytes, at..self.slot.len + self.tail, at + bytes);
        self.slot.len += bytes;
        self.room -= bytes;
    }

    /// Takes bytes out.
    #[inline]
    pub(super) fn remove(&mut self, range: Range<usize>) {
        debug_assert!(range.start <= range.end && range.end <= self.slot.len);
        let bytes = range.len();
        if self.slot.dirty.end > range.start {
            self.slot.dirty.end = self.slot.dirty.end.saturating_sub(bytes).max(range.start);
        }
        self.slot.dirty.mark(range.start..range.start);
        self.slot.dirty.has_moved = true;
        shift(self.bytes, range.end..self.slot.len + self.tail, range.start);
        self.slot.len -= bytes;
        self.room += bytes;
    }

    /// Replaces a part of the content by `bytes`; false, and nothing is changed, without room.
    #[inline]
    pub(super) fn splice(&mut self, range: Range<usize>, bytes: &[u8]) -> bool {
        let old = range.len();
        if bytes.len() > old + self.room {
            return false;
        }
        if bytes.len() > old {
            self.insert_gap(range.end, bytes.len() - old);
        } else if bytes.len() < old {
            self.remove(range.start + bytes.len()..range.end);
        }
        self.write(range.start, bytes);
        true
    }

    /// Where a place of the original content is now, as far as can be told.
    #[inline]
    pub(super) fn moved(&self, at: usize) -> usize {
        if self.slot.dirty.is_clean() || at < self.slot.dirty.start || !self.slot.dirty.has_moved {
            return at;
        }
        (at + self.slot.len).saturating_sub(self.field.bytes.len())
    }

    /// A place for `span` bytes (no more than there are): mostly where the input has an effect, if
    /// that is known.
    #[inline]
    pub(super) fn place(&self, span: usize, rng: &mut Rng) -> usize {
        let last = self.slot.len - span;
        let effective = &self.field.effective;
        if !effective.is_empty() && rng.chance(7, 10) {
            let at = usize::try_from(rng.pick(effective)).unwrap_or(0);
            return self.moved(at).min(last);
        }
        rng.below(last + 1)
    }
}

/// Copies bytes to a place of the same length, a few of them without a call.
#[inline]
pub(super) fn copy_short(to: &mut [u8], from: &[u8]) {
    if !copy_ends::<8>(to, from) && !copy_ends::<4>(to, from) {
        if from.len() > 16 {
            to.copy_from_slice(from);
            return;
        }
        for (to, from) in to.iter_mut().zip(from).take(3) {
            *to = *from;
        }
    }
}

/// Copies `N` to `2 * N` bytes as two pieces, which may overlap; false: they are fewer or more.
#[inline]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) -> bool {
    if from.len() > 2 * N {
        return false;
    }
    let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) else {
        return false;
    };
    if let Some(place) = to.first_chunk_mut() {
        *place = *first;
    }
    if let Some(place) = to.last_chunk_mut() {
        *place = *last;
    }
    true
}

/// Bytes that are moved at once: few enough to need no call.
const MOVED_AT_ONCE: usize = 64;

/// Moves the end of an input. What follows the input is not kept.
#[inline]
fn shift(bytes: &mut [u8], from: Range<usize>, to: usize) {
    if from.len() <= MOVED_AT_ONCE
        && let Some(&moved) = bytes.get(from.start..).and_then(|at| at.first_chunk())
        && let Some(place) = bytes.get_mut(to..).and_then(|at| at.first_chunk_mut())
    {
        let moved: [u8; MOVED_AT_ONCE] = moved;
        *place = moved;
    } else {
        bytes.copy_within(from, to);
    }
}
