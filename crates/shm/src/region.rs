//! A piece of memory that somebody else may write to at any moment.
//!
//! Owns the pointer and every load and store through it. Must not hand out a reference to bytes.

use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::Release};

use memmap2::MmapRaw;

use crate::area::ByteArea;
use crate::atomic_copy::{WORD, load_bytes, store_bytes};
use crate::error::{ExclusiveError, OutOfBounds};
use crate::exclusive::{ExclusiveArea, Lent};

/// Where the bytes come from, and how they are given back.
enum Backing {
    Map {
        #[expect(dead_code, reason = "held for its drop, which unmaps")]
        map: MmapRaw,
        /// Somebody else made it and answers for who writes when.
        is_adopted: bool,
    },
    Heap(*mut [AtomicU64]),
}

/// A piece of memory that is read and written by copies and by atomic words only.
///
/// Its length never changes. All accesses are checked; nothing here panics on a bad offset.
pub struct Region {
    start: NonNull<u8>,
    len: usize,
    backing: Backing,
    lent: Lent,
}

// SAFETY: the pointer is owned by the region and valid as long as it is, whichever thread holds it;
// all shared access goes through atomics, or through `ByteArea`, whose contract is exclusive use.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// A zeroed region on the heap: for tests, and for Miri, which cannot map files.
    #[must_use]
    pub fn heap(len: usize) -> Self {
        let words: Box<[AtomicU64]> = (0..len.div_ceil(WORD)).map(|_| AtomicU64::new(0)).collect();
        let words = Box::into_raw(words);
        let start = NonNull::new(words.cast::<u8>()).unwrap_or(NonNull::dangling());
        Self { start, len, backing: Backing::Heap(words), lent: Lent::default() }
    }

    /// A region over a mapping, which it keeps.
    pub(crate) fn over(map: MmapRaw, is_adopted: bool) -> Self {
        let start = NonNull::new(map.as_mut_ptr()).unwrap_or(NonNull::dangling());
        let len = map.len();
        Self { start, len, backing: Backing::Map { map, is_adopted }, lent: Lent::default() }
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

    /// Copies bytes out. Bytes that the other side changes meanwhile are old or new, each for
    /// itself.
    ///
    /// # Errors
    /// When the range does not lie within the region; nothing is copied then.
    #[inline]
    pub fn read(&self, offset: usize, into: &mut [u8]) -> Result<(), OutOfBounds> {
        let from = self.pointer(offset, into.len(), 1)?;
        // SAFETY: `pointer` checked that so many bytes lie within the region.
        unsafe { load_bytes(from, into) };
        Ok(())
    }

    /// Copies bytes in.
    ///
    /// # Errors
    /// When the range does not lie within the region; nothing is copied then.
    #[inline]
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), OutOfBounds> {
        let to = self.pointer(offset, bytes.len(), 1)?;
        // SAFETY: `pointer` checked that so many bytes lie within the region.
        unsafe { store_bytes(to, bytes) };
        Ok(())
    }

    /// The aligned word at `offset`, for those who use it often.
    ///
    /// # Errors
    /// When the word does not lie within the region or `offset` is not a multiple of 4.
    #[inline]
    pub fn atomic_u32(&self, offset: usize) -> Result<&AtomicU32, OutOfBounds> {
        let word = self.short_word(offset)?;
        self.lent.add_word(offset, size_of::<u32>());
        Ok(word)
    }

    /// The same, for the length of one access.
    #[inline]
    fn short_word(&self, offset: usize) -> Result<&AtomicU32, OutOfBounds> {
        let word = self.pointer(offset, size_of::<u32>(), align_of::<AtomicU32>())?;
        // SAFETY: in bounds and aligned, valid as long as `self`; an atomic may be changed by
        // others at any time.
        Ok(unsafe { AtomicU32::from_ptr(word.cast()) })
    }

    /// The aligned word at `offset`, for those who use it often.
    ///
    /// # Errors
    /// When the word does not lie within the region or `offset` is not a multiple of 8.
    #[inline]
    pub fn atomic_u64(&self, offset: usize) -> Result<&AtomicU64, OutOfBounds> {
        let word = self.word(offset)?;
        self.lent.add_word(offset, size_of::<u64>());
        Ok(word)
    }

    /// The same, for the length of one access.
    #[inline]
    pub(crate) fn word(&self, offset: usize) -> Result<&AtomicU64, OutOfBounds> {
        let word = self.pointer(offset, size_of::<u64>(), align_of::<AtomicU64>())?;
        // SAFETY: in bounds and aligned, valid as long as `self`; an atomic may be changed by
        // others at any time.
        Ok(unsafe { AtomicU64::from_ptr(word.cast()) })
    }

    /// Reads one word (relaxed).
    ///
    /// # Errors
    /// See [`atomic_u32`](Self::atomic_u32).
    pub fn load_u32(&self, offset: usize) -> Result<u32, OutOfBounds> {
        Ok(self.short_word(offset)?.load(Relaxed))
    }

    /// Writes one word (relaxed).
    ///
    /// # Errors
    /// See [`atomic_u32`](Self::atomic_u32).
    pub fn store_u32(&self, offset: usize, value: u32) -> Result<(), OutOfBounds> {
        self.short_word(offset)?.store(value, Relaxed);
        Ok(())
    }

    /// Reads one word (relaxed).
    ///
    /// # Errors
    /// See [`atomic_u64`](Self::atomic_u64).
    pub fn load_u64(&self, offset: usize) -> Result<u64, OutOfBounds> {
        Ok(self.word(offset)?.load(Relaxed))
    }

    /// Writes one word (relaxed).
    ///
    /// # Errors
    /// See [`atomic_u64`](Self::atomic_u64).
    pub fn store_u64(&self, offset: usize, value: u64) -> Result<(), OutOfBounds> {
        self.word(offset)?.store(value, Relaxed);
        Ok(())
    }

    /// Writes one word so that whoever reads it there (acquire) sees all that was written before.
    ///
    /// # Errors
    /// See [`atomic_u32`](Self::atomic_u32).
    pub fn publish_u32(&self, offset: usize, value: u32) -> Result<(), OutOfBounds> {
        self.short_word(offset)?.store(value, Release);
        Ok(())
    }

    /// Writes one word so that whoever reads it there (acquire) sees all that was written before.
    ///
    /// # Errors
    /// See [`atomic_u64`](Self::atomic_u64).
    pub fn publish_u64(&self, offset: usize, value: u64) -> Result<(), OutOfBounds> {
        self.word(offset)?.store(value, Release);
        Ok(())
    }

    /// Adds to one word (relaxed, wrapping) and gives its value before.
    ///
    /// # Errors
    /// See [`atomic_u64`](Self::atomic_u64).
    pub fn add_u64(&self, offset: usize, value: u64) -> Result<u64, OutOfBounds> {
        Ok(self.word(offset)?.fetch_add(value, Relaxed))
    }

    /// A part of the region to edit in place, by the side that owns it at the moment.
    ///
    /// # Errors
    /// When the part does not lie within the region.
    pub fn area(&self, offset: usize, len: usize) -> Result<ByteArea<'_>, OutOfBounds> {
        let start = self.pointer(offset, len, 1)?;
        // SAFETY: `pointer` checked the range, which stays valid as long as `self` is borrowed.
        Ok(unsafe { ByteArea::new(start, len, &self.lent) })
    }

    /// A part of the region as a slice, for a worker between a call and its reply; see
    /// [`ExclusiveArea`]. The region must not be used by other threads meanwhile.
    ///
    /// # Errors
    /// When the part does not lie within the region, is in use otherwise, or another part is lent,
    /// and on the side that made the memory, which the protocol never gives sole access.
    pub fn exclusive(
        &self,
        offset: usize,
        len: usize,
    ) -> Result<ExclusiveArea<'_>, ExclusiveError> {
        if matches!(self.backing, Backing::Map { is_adopted: false, .. }) {
            return Err(ExclusiveError::NotAdopted);
        }
        if self.lent.is_lent() {
            return Err(ExclusiveError::Taken);
        }
        let start = self.pointer(offset, len, 1)?;
        self.lent.lend(offset..offset + len)?;
        // SAFETY: `pointer` checked the range, which stays valid as long as `self` is borrowed, and
        // it is lent.
        Ok(unsafe { ExclusiveArea::new(start, len, &self.lent) })
    }

    /// The address of `bytes` bytes at `offset`, if all of them lie within the region, none of them
    /// is lent, and `offset` is a multiple of `align` (the region itself is aligned to words).
    #[inline]
    fn pointer(&self, offset: usize, bytes: usize, align: usize) -> Result<*mut u8, OutOfBounds> {
        let within = offset <= self.len && bytes <= self.len - offset;
        if !within || !offset.is_multiple_of(align) || self.lent.overlaps(offset, bytes) {
            return Err(OutOfBounds { offset, bytes, len: self.len });
        }
        // SAFETY: `offset <= len`, so the result is inside the allocation or one past its end.
        Ok(unsafe { self.start.as_ptr().add(offset) })
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Region").field("len", &self.len).finish_non_exhaustive()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        match &self.backing {
            // The mapping is undone by its own drop.
            Backing::Map { .. } => {}
            Backing::Heap(words) => {
                // SAFETY: made by `Box::into_raw` in `heap`, and freed here only.
                drop(unsafe { Box::from_raw(*words) });
            }
        }
    }
}

#[cfg(test)]
mod tests;
