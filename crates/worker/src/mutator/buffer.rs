//! The input being mutated, where it lies.
//!
//! Owns the edits of one input in the shared memory: they keep its length within bounds, and the
//! length before each value in step with its content. Must not decide what to change.

use std::ops::Range;

use fuzzd_protocol::input::LENGTH_BYTES;
use fuzzd_protocol::value::ValueType;
use fuzzd_shm::ByteArea;

/// Where the content of one value lies at the moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    /// Its type.
    pub(super) value_type: ValueType,
    /// Offset of the content.
    pub(super) start: usize,
    /// Bytes of the content.
    pub(super) len: usize,
    /// Whether the content follows its own length.
    pub(super) prefixed: bool,
    /// First and last place changed, in offsets of the content. Empty: nothing was changed.
    pub(super) dirty: (usize, usize),
}

impl Slot {
    fn mark(&mut self, range: Range<usize>) {
        let clean = self.dirty.0 >= self.dirty.1;
        let (start, end) = (range.start, range.end.max(range.start + 1));
        self.dirty =
            if clean { (start, end) } else { (self.dirty.0.min(start), self.dirty.1.max(end)) };
    }
}

/// One input in memory, and where its values lie.
#[derive(Debug)]
pub(super) struct InputBuffer<'a> {
    area: ByteArea<'a>,
    slots: &'a mut [Slot],
    len: usize,
    len_max: usize,
}

impl<'a> InputBuffer<'a> {
    /// The first `len` bytes of `area`, which may grow to `len_max`.
    pub(super) fn new(
        area: ByteArea<'a>,
        slots: &'a mut [Slot],
        len: usize,
        len_max: usize,
    ) -> Self {
        let len_max = len_max.min(area.len());
        Self { area, slots, len, len_max }
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many values there are.
    pub(super) fn values(&self) -> usize {
        self.slots.len()
    }

    /// The value at `position`.
    #[inline]
    pub(super) fn value(&mut self, position: usize) -> ValueView<'_, 'a> {
        ValueView { buffer: self, position }
    }
}

/// One value, to be changed; offsets count from the start of its content.
#[derive(Debug)]
pub(super) struct ValueView<'b, 'a> {
    buffer: &'b mut InputBuffer<'a>,
    position: usize,
}

impl ValueView<'_, '_> {
    #[inline]
    fn slot(&self) -> &Slot {
        &self.buffer.slots[self.position]
    }

    #[inline]
    fn touch(&mut self, range: Range<usize>) -> usize {
        let slot = &mut self.buffer.slots[self.position];
        debug_assert!(range.end <= slot.len, "{range:?} in a value of {} bytes", slot.len);
        slot.mark(range);
        slot.start
    }

    /// The type.
    #[inline]
    pub(super) fn value_type(&self) -> ValueType {
        self.slot().value_type
    }

    /// Bytes of the content.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slot().len
    }

    /// Bytes by which the input may still grow.
    #[inline]
    pub(super) fn room(&self) -> usize {
        self.buffer.len_max.saturating_sub(self.buffer.len)
    }

    /// The part of the content that was changed since the input was put here.
    pub(super) fn dirty(&self) -> Range<usize> {
        let slot = self.slot();
        slot.dirty.0.min(slot.len)..slot.dirty.1.min(slot.len)
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> u8 {
        debug_assert!(at < self.len(), "byte {at} of a value of {} bytes", self.len());
        self.buffer.area.get(self.slot().start + at)
    }

    #[inline]
    pub(super) fn set(&mut self, at: usize, byte: u8) {
        let start = self.touch(at..at + 1);
        self.buffer.area.set(start + at, byte);
    }

    pub(super) fn read(&self, at: usize, into: &mut [u8]) {
        debug_assert!(at + into.len() <= self.len());
        self.buffer.area.read(self.slot().start + at, into);
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        let start = self.touch(at..at + bytes.len());
        self.buffer.area.write(start + at, bytes);
    }

    pub(super) fn fill(&mut self, range: Range<usize>, byte: u8) {
        let start = self.touch(range.clone());
        self.buffer.area.fill(start + range.start..start + range.end, byte);
    }

    pub(super) fn copy_within(&mut self, from: Range<usize>, to: usize) {
        let start = self.touch(to..to + from.len());
        self.buffer.area.copy_within(start + from.start..start + from.end, start + to);
    }

    /// Makes `bytes` bytes of room at `at`; what they hold is undefined. The caller asked
    /// [`room`](Self::room) before.
    pub(super) fn insert_gap(&mut self, at: usize, bytes: usize) {
        debug_assert!(bytes <= self.room() && at <= self.len());
        let slot = &mut self.buffer.slots[self.position];
        if slot.dirty.1 > at {
            slot.dirty.1 += bytes;
        }
        slot.mark(at..at + bytes);
        let from = slot.start + at;
        self.buffer.area.copy_within(from..self.buffer.len, from + bytes);
        self.resized(self.len() + bytes);
    }

    /// Takes bytes out.
    pub(super) fn remove(&mut self, range: Range<usize>) {
        debug_assert!(range.start <= range.end && range.end <= self.len());
        let slot = &mut self.buffer.slots[self.position];
        if slot.dirty.1 > range.start {
            slot.dirty.1 = slot.dirty.1.saturating_sub(range.len()).max(range.start);
        }
        slot.mark(range.start..range.start);
        let start = slot.start;
        self.buffer.area.copy_within(start + range.end..self.buffer.len, start + range.start);
        self.resized(self.len() - range.len());
    }

    /// The content has `len` bytes now, and everything behind it has moved.
    fn resized(&mut self, len: usize) {
        let (before, rest) = self.buffer.slots.split_at_mut(self.position + 1);
        let slot = &mut before[self.position];
        let old = std::mem::replace(&mut slot.len, len);
        self.buffer.len = self.buffer.len - old + len;
        for later in rest {
            later.start = later.start - old + len;
        }
        if slot.prefixed {
            // The memory, and so every value, is smaller than 4 GiB.
            let length = u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
            self.buffer.area.write(slot.start - LENGTH_BYTES, &length);
        }
    }
}
