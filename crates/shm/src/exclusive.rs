//! A part of a region as a plain slice, for the one who owns it at the moment.
//!
//! Owns who holds such a part. Must not be used while the other side may write: a slice promises
//! the compiler that nobody else changes it.
//!
//! ```text
//! Free ── Region::exclusive ──► Lent ── drop of ExclusiveArea ──► Free
//! ```
//!
//! While a part is lent, every other access of this process to it is refused, and a part of which
//! a word or a [`ByteArea`](crate::ByteArea) was handed out is not lent: within one thread there is
//! never a second way to the bytes. What remains is the other process, and the protocol: between a
//! call and its reply the worker has sole write access, and the coordinator only reads.

use std::fmt;
use std::ops::{Deref, DerefMut, Range};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Acquire, Ordering::Relaxed};
use std::sync::atomic::{Ordering::Release, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use crate::error::ExclusiveError;

/// What of a region is lent, and what keeps it from being lent.
#[derive(Debug, Default)]
pub(crate) struct Lent {
    is_lent: AtomicBool,
    start: AtomicUsize,
    /// At or below `start` while nothing is lent.
    end: AtomicUsize,
    /// [`ByteArea`](crate::ByteArea)s that live.
    areas: AtomicUsize,
    /// Words handed out by reference; nobody knows when such a reference ends. A few per region.
    words: Mutex<Vec<Range<usize>>>,
}

impl Lent {
    /// Whether any part is lent.
    pub(crate) fn is_lent(&self) -> bool {
        self.is_lent.load(Relaxed)
    }

    /// Whether bytes at `offset` are lent. No byte is within no part.
    #[inline]
    pub(crate) fn overlaps(&self, offset: usize, bytes: usize) -> bool {
        let (start, end) = (self.start.load(Relaxed), self.end.load(Relaxed));
        offset < end && start < offset.saturating_add(bytes)
    }

    pub(crate) fn add_area(&self) {
        self.areas.fetch_add(1, SeqCst);
    }

    pub(crate) fn remove_area(&self) {
        self.areas.fetch_sub(1, SeqCst);
    }

    /// Notes that a word is handed out by reference.
    pub(crate) fn add_word(&self, offset: usize, bytes: usize) {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let word = offset..offset + bytes;
        if !words.contains(&word) {
            words.push(word);
        }
    }

    /// Lends `range`, which lies within the region.
    pub(crate) fn lend(&self, range: Range<usize>) -> Result<(), ExclusiveError> {
        if self.is_lent.swap(true, Acquire) {
            return Err(ExclusiveError::Taken);
        }
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let is_handed_out =
            words.iter().any(|word| word.start < range.end && range.start < word.end);
        if is_handed_out || self.areas.load(SeqCst) != 0 {
            self.is_lent.store(false, Release);
            return Err(ExclusiveError::Borrowed);
        }
        self.start.store(range.start, Relaxed);
        self.end.store(range.end, Relaxed);
        Ok(())
    }

    fn take_back(&self) {
        self.end.store(0, Relaxed);
        self.start.store(0, Relaxed);
        self.is_lent.store(false, Release);
    }
}

/// A part of a [`Region`](crate::Region) as a slice; see the module for what that takes. At most
/// one per region.
///
/// If the other side breaks the protocol and writes meanwhile, the bytes are no longer what this
/// process wrote. A worker must therefore not hold one while it waits for a call.
pub struct ExclusiveArea<'a> {
    bytes: &'a mut [u8],
    lent: &'a Lent,
}

impl<'a> ExclusiveArea<'a> {
    /// # Safety
    /// `len` bytes from `start` on are valid for reads and writes during the lifetime, and `lent`
    /// has lent them.
    pub(crate) unsafe fn new(start: *mut u8, len: usize, lent: &'a Lent) -> Self {
        // SAFETY: valid by the contract of this function. Nobody else reads or writes the bytes in
        // this process, because `lent` refuses; and not in the other one, by the protocol.
        Self { bytes: unsafe { std::slice::from_raw_parts_mut(start, len) }, lent }
    }
}

impl Deref for ExclusiveArea<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl DerefMut for ExclusiveArea<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes
    }
}

impl Drop for ExclusiveArea<'_> {
    fn drop(&mut self) {
        self.lent.take_back();
    }
}

impl fmt::Debug for ExclusiveArea<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.bytes.len();
        formatter.debug_struct("ExclusiveArea").field("len", &len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Region;

    #[test]
    fn what_is_written_to_the_slice_is_in_the_region() {
        let region = Region::heap(32);
        let mut area = region.exclusive(8, 16).unwrap();
        area.copy_from_slice(&[7; 16]);
        area[15] = 8;
        drop(area);
        let mut bytes = [0; 32];
        region.read(0, &mut bytes).unwrap();
        assert_eq!(bytes[7..25], [0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 0]);
    }

    #[test]
    fn a_region_lends_one_part_at_a_time() {
        let region = Region::heap(32);
        let first = region.exclusive(8, 8).unwrap();
        assert_eq!(region.exclusive(16, 8).err(), Some(ExclusiveError::Taken));
        drop(first);
        assert_eq!(region.exclusive(16, 8).unwrap().len(), 8);
    }

    #[test]
    fn a_lent_part_is_reached_by_nobody_else() {
        let region = Region::heap(32);
        let area = region.exclusive(8, 8).unwrap();
        assert!(region.write(4, &[1; 5]).is_err());
        assert!(region.read(15, &mut [0]).is_err());
        assert!(region.load_u64(8).is_err());
        assert!(region.area(0, 32).is_err());
        region.write(0, &[1; 8]).unwrap();
        region.store_u64(16, 5).unwrap();
        assert_eq!(&*area, [0; 8]);
        drop(area);
        region.write(4, &[1; 5]).unwrap();
    }

    #[test]
    fn a_part_that_is_in_use_is_not_lent() {
        let region = Region::heap(32);
        let word = region.atomic_u64(8).unwrap();
        assert_eq!(region.exclusive(0, 9).err(), Some(ExclusiveError::Borrowed));
        let area = region.area(24, 1).unwrap();
        assert_eq!(region.exclusive(16, 16).err(), Some(ExclusiveError::Borrowed));
        drop(area);
        assert_eq!(region.exclusive(16, 16).unwrap().len(), 16);
        assert_eq!(word.load(Relaxed), 0);
    }

    #[test]
    fn a_part_beyond_the_end_is_refused() {
        let region = Region::heap(32);
        let refused = region.exclusive(20, 13).err();
        assert!(matches!(refused, Some(ExclusiveError::OutOfBounds(_))), "{refused:?}");
        assert_eq!(region.exclusive(20, 12).unwrap().len(), 12);
    }
}
