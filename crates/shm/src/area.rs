//! Editing in place, for mutators.
//!
//! Owns byte-wise edits of one part of a region. Must not be used by two sides at once: the
//! protocol says who owns the memory at which time, and only the owner edits.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::atomic_copy::{load_bytes, store_bytes};
use crate::exclusive::Lent;

/// A part of a [`Region`](crate::Region), to be edited in place by the side that owns it at the
/// moment.
///
/// If the other side breaks the protocol and writes meanwhile, the bytes are any mixture of the
/// two; nothing else can happen. An index or a range outside the area panics, as with a slice.
pub struct ByteArea<'a> {
    start: *mut u8,
    len: usize,
    lent: &'a Lent,
}

impl<'a> ByteArea<'a> {
    /// # Safety
    /// `len` bytes from `start` on are valid for reads and writes during the lifetime.
    pub(crate) unsafe fn new(start: *mut u8, len: usize, lent: &'a Lent) -> Self {
        lent.add_area();
        Self { start, len, lent }
    }

    /// Length in bytes.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is not a single byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The byte at `index`.
    ///
    /// # Panics
    /// When `index` is not within the area; so do all methods.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> u8 {
        self.byte(index).load(Relaxed)
    }

    /// Sets the byte at `index`.
    #[inline]
    pub fn set(&mut self, index: usize, byte: u8) {
        self.byte(index).store(byte, Relaxed);
    }

    /// Moves `from` so that it begins at `to`; the two may overlap.
    #[inline]
    pub fn copy_within(&mut self, from: Range<usize>, to: usize) {
        let bytes = self.check(from.clone());
        self.check(to..to.saturating_add(bytes));
        // SAFETY: both ranges were checked. The bytes are moved as a whole and never looked at, so
        // a write by another process can change their values only.
        unsafe { std::ptr::copy(self.start.add(from.start), self.start.add(to), bytes) };
    }

    /// Sets every byte of `range`.
    #[inline]
    pub fn fill(&mut self, range: Range<usize>, byte: u8) {
        let bytes = self.check(range.clone());
        // SAFETY: the range was checked.
        unsafe { std::ptr::write_bytes(self.start.add(range.start), byte, bytes) };
    }

    /// Copies `bytes` to `at`.
    #[inline]
    pub fn write(&mut self, at: usize, bytes: &[u8]) {
        self.check(at..at.saturating_add(bytes.len()));
        // SAFETY: the range was checked.
        unsafe { store_bytes(self.start.add(at), bytes) };
    }

    /// Copies the bytes at `at` out.
    #[inline]
    pub fn read(&self, at: usize, into: &mut [u8]) {
        self.check(at..at.saturating_add(into.len()));
        // SAFETY: the range was checked.
        unsafe { load_bytes(self.start.add(at), into) };
    }

    #[inline]
    fn byte(&self, index: usize) -> &AtomicU8 {
        assert!(index < self.len, "index {index} in an area of {} bytes", self.len);
        // SAFETY: within the area, which is valid as long as `self`.
        unsafe { AtomicU8::from_ptr(self.start.add(index)) }
    }

    /// The length of `range`, which must lie within the area.
    #[inline]
    fn check(&self, range: Range<usize>) -> usize {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "range {range:?} in an area of {} bytes",
            self.len
        );
        range.end - range.start
    }
}

impl Drop for ByteArea<'_> {
    fn drop(&mut self) {
        self.lent.remove_area();
    }
}

impl fmt::Debug for ByteArea<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ByteArea").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::Region;
    use proptest::prelude::*;

    fn content(region: &Region) -> Vec<u8> {
        let mut bytes = vec![0; region.len()];
        region.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn edits_stay_within_the_area() {
        let region = Region::heap(16);
        let mut area = region.area(3, 10).unwrap();
        area.fill(0..10, 1);
        area.write(0, &[2, 3]);
        area.set(9, 4);
        area.copy_within(0..2, 7);
        assert_eq!(content(&region), [0, 0, 0, 2, 3, 1, 1, 1, 1, 1, 2, 3, 4, 0, 0, 0]);
    }

    #[test]
    #[should_panic(expected = "index 10 in an area of 10 bytes")]
    fn an_index_outside_panics() {
        let region = Region::heap(16);
        assert_eq!(region.area(3, 10).unwrap().get(10), 0);
    }

    #[test]
    #[should_panic(expected = "in an area of 10 bytes")]
    fn a_move_beyond_the_end_panics() {
        let region = Region::heap(16);
        region.area(3, 10).unwrap().copy_within(0..2, 9);
    }

    proptest! {
        #[test]
        fn moves_equal_those_of_a_slice(
            bytes in proptest::collection::vec(any::<u8>(), 1..80),
            a in 0usize..80, b in 0usize..80, to in 0usize..80,
        ) {
            let (from, end) = (a.min(b).min(bytes.len()), a.max(b).min(bytes.len()));
            let to = to.min(bytes.len() - (end - from));
            let region = Region::heap(bytes.len() + 5);
            let mut area = region.area(5, bytes.len()).unwrap();
            area.write(0, &bytes);
            area.copy_within(from..end, to);
            let mut expected = bytes.clone();
            expected.copy_within(from..end, to);
            let mut found = vec![0; bytes.len()];
            area.read(0, &mut found);
            prop_assert_eq!(found, expected);
        }
    }
}
