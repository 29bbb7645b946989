//! A memory that somebody else writes and we only read.
//!
//! Owns the descriptor and a mapping without write access. Must not trust what it reads to stay
//! the same: bytes are copied out, words are loaded once.

use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Acquire};

use memmap2::MmapRaw;

use crate::atomic_copy::load_bytes;
use crate::error::{OutOfBounds, ShmError};
use crate::limits::MEMORY_BYTES_MAX;
use crate::system::{self, OwnedFd};

/// A memory made by [`SharedMemory::create_reserved`](crate::SharedMemory::create_reserved) on the
/// other side of a process boundary.
pub struct ReadOnlyMemory {
    map: MmapRaw,
}

impl ReadOnlyMemory {
    /// Maps the memory behind `fd` for reading. The descriptor is closed: nothing needs it then.
    ///
    /// # Errors
    /// When it is no file that can be mapped, is empty or too large, or is not sealed against
    /// shrinking (reading it could then kill this process) and against further writers.
    pub fn adopt(fd: OwnedFd) -> Result<Self, ShmError> {
        let bytes = system::file_bytes(&fd)?;
        let len = usize::try_from(bytes)
            .ok()
            .filter(|len| (1..=MEMORY_BYTES_MAX).contains(len))
            .ok_or(ShmError::Length { bytes })?;
        if !system::is_sealed_for_readers(&fd)? {
            return Err(ShmError::NotSealed);
        }
        let map = system::map_read_only(&fd, len)
            .map_err(|source| ShmError::Adopt { step: "map", source })?;
        Ok(Self { map })
    }

    /// Length in bytes.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is not a single byte. Never: an empty file is not adopted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies bytes out. Bytes that the other side changes meanwhile are old or new, each for
    /// itself.
    ///
    /// # Errors
    /// When the range does not lie within the memory; nothing is copied then.
    #[inline]
    pub fn read(&self, offset: usize, into: &mut [u8]) -> Result<(), OutOfBounds> {
        let from = self.pointer(offset, into.len(), 1)?;
        // SAFETY: `pointer` checked that so many bytes lie within the mapping, which is readable
        // and of a file that cannot shrink.
        unsafe { load_bytes(from.as_ptr(), into) };
        Ok(())
    }

    /// Reads one word (acquire).
    ///
    /// # Errors
    /// When the word does not lie within the memory or `offset` is not a multiple of 4.
    #[inline]
    pub fn load_u32(&self, offset: usize) -> Result<u32, OutOfBounds> {
        let word = self.pointer(offset, size_of::<u32>(), align_of::<AtomicU32>())?;
        // SAFETY: in bounds and aligned; only ever loaded, in one access that needs no write.
        Ok(unsafe { AtomicU32::from_ptr(word.as_ptr().cast()) }.load(Acquire))
    }

    /// Reads one word (acquire).
    ///
    /// # Errors
    /// When the word does not lie within the memory or `offset` is not a multiple of 8.
    #[inline]
    pub fn load_u64(&self, offset: usize) -> Result<u64, OutOfBounds> {
        let word = self.pointer(offset, size_of::<u64>(), align_of::<AtomicU64>())?;
        // SAFETY: in bounds and aligned; only ever loaded, in one access that needs no write.
        Ok(unsafe { AtomicU64::from_ptr(word.as_ptr().cast()) }.load(Acquire))
    }

    #[inline]
    fn pointer(
        &self,
        offset: usize,
        bytes: usize,
        align: usize,
    ) -> Result<NonNull<u8>, OutOfBounds> {
        let refused = OutOfBounds { offset, bytes, len: self.len() };
        let is_within = offset <= self.len() && bytes <= self.len() - offset;
        if !is_within || !offset.is_multiple_of(align) {
            return Err(refused);
        }
        // SAFETY: `offset <= len`, so the result is inside the mapping or one past its end.
        NonNull::new(unsafe { self.map.as_mut_ptr().add(offset) }).ok_or(refused)
    }
}

impl fmt::Debug for ReadOnlyMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReadOnlyMemory").field("len", &self.len()).finish_non_exhaustive()
    }
}
