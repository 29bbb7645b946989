//! A memory that two processes see.
//!
//! Owns the descriptor and the mapping. Must not know who is on the other side.

use crate::error::ShmError;
use crate::limits::MEMORY_BYTES_MAX;
use crate::region::Region;
use crate::system::{self, BorrowedFd, OwnedFd};

/// A memory with a descriptor that can be passed to a child.
///
/// As made by [`create`](Self::create), it is backed by memory from the start and can be neither
/// shrunk nor grown by anyone: no access to it can fail, whatever the other side does.
#[derive(Debug)]
pub struct SharedMemory {
    region: Region,
    fd: OwnedFd,
}

impl SharedMemory {
    /// A new zeroed memory of `len` bytes. The descriptor is closed on exec unless passed on
    /// explicitly.
    ///
    /// # Errors
    /// When the length is 0 or too large, or the system has no memory or no such function.
    pub fn create(len: usize) -> Result<Self, ShmError> {
        if len == 0 || len > MEMORY_BYTES_MAX {
            return Err(ShmError::Length { bytes: len as u64 });
        }
        let (fd, map) = system::create(len)?;
        Ok(Self { region: Region::over(map, false), fd })
    }

    /// A new zeroed memory of `len` bytes that takes room only where it was written to, and that
    /// only this process can write, through this very mapping: whoever gets the descriptor can map
    /// it for reading only. It can be neither shrunk nor grown.
    ///
    /// Writing to it can fail for lack of memory as any allocation can: the system ends a process.
    ///
    /// # Errors
    /// When the length is 0 or too large, or the system has no such function
    /// ([`ShmError::NoFutureWriteSeal`]).
    pub fn create_reserved(len: usize) -> Result<Self, ShmError> {
        if len == 0 || len > MEMORY_BYTES_MAX {
            return Err(ShmError::Length { bytes: len as u64 });
        }
        let (fd, map) = system::create_reserved(len)?;
        Ok(Self { region: Region::over(map, false), fd })
    }

    /// The memory behind a descriptor that somebody else made, as long as the file is now.
    ///
    /// Whoever made it answers for it not being shrunk; a file that is shrunk while mapped kills
    /// the process that touches it.
    ///
    /// # Errors
    /// When the descriptor is no file that can be mapped, or is empty or too large.
    pub fn adopt(fd: OwnedFd) -> Result<Self, ShmError> {
        let bytes = system::file_bytes(&fd)?;
        let len = usize::try_from(bytes)
            .ok()
            .filter(|len| (1..=MEMORY_BYTES_MAX).contains(len))
            .ok_or(ShmError::Length { bytes })?;
        let map =
            system::map(&fd, len).map_err(|source| ShmError::Adopt { step: "map", source })?;
        Ok(Self { region: Region::over(map, true), fd })
    }

    /// The descriptor, to be passed to a child.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        system::borrow(&self.fd)
    }

    /// The bytes.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }
}
