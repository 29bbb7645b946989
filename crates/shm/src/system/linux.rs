//! Linux: sealed memory files, and descriptors inherited by number.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{FallocateFlags, FileType, MemfdFlags, SealFlags};
use rustix::io::FdFlags;

use crate::error::ShmError;
use crate::limits::{INHERITED_FD_MAX, INHERITED_FD_MIN};

/// A new memory file of `len` zero bytes, and a mapping of it.
///
/// The seals come after the allocation, which grows the file: from then on its size is fixed and
/// all its pages are accounted for, so neither side can make the other die of SIGBUS.
pub(crate) fn create(len: usize) -> Result<(OwnedFd, MmapRaw), ShmError> {
    let failed = |step| move |source: io::Error| ShmError::Create { step, bytes: len, source };
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = rustix::fs::memfd_create("fuzzd-memory", flags)
        .map_err(|error| failed("create")(error.into()))?;
    rustix::fs::fallocate(&fd, FallocateFlags::empty(), 0, len as u64)
        .map_err(|error| failed("allocate")(error.into()))?;
    rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
        .map_err(|error| failed("seal")(error.into()))?;
    let map = map(&fd, len).map_err(failed("map"))?;
    Ok((fd, map))
}

/// A new memory file of `len` zero bytes without pages, and a mapping of it: the only one that can
/// ever write, because the seal against writers comes after it.
pub(crate) fn create_reserved(len: usize) -> Result<(OwnedFd, MmapRaw), ShmError> {
    let failed = |step| move |source: io::Error| ShmError::Create { step, bytes: len, source };
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = rustix::fs::memfd_create("fuzzd-shared", flags)
        .map_err(|error| failed("create")(error.into()))?;
    rustix::fs::ftruncate(&fd, len as u64).map_err(|error| failed("size")(error.into()))?;
    let map = map(&fd, len).map_err(failed("map"))?;
    rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW)
        .map_err(|error| failed("seal")(error.into()))?;
    rustix::fs::fcntl_add_seals(&fd, SealFlags::FUTURE_WRITE | SealFlags::SEAL)
        .map_err(|error| ShmError::NoFutureWriteSeal(error.into()))?;
    Ok((fd, map))
}

/// Whether a file can be read without fear: nobody can shrink it, or map it anew for writing.
pub(crate) fn is_sealed_for_readers(fd: &OwnedFd) -> Result<bool, ShmError> {
    match rustix::fs::fcntl_get_seals(fd) {
        Ok(seals) => Ok(seals.contains(SealFlags::SHRINK)
            && seals.intersects(SealFlags::FUTURE_WRITE | SealFlags::WRITE)),
        // A file of a kind that knows no seals.
        Err(rustix::io::Errno::INVAL) => Ok(false),
        Err(error) => Err(ShmError::Adopt { step: "inspect", source: error.into() }),
    }
}

/// The size of the file behind `fd`, if it is a file.
pub(crate) fn file_bytes(fd: &OwnedFd) -> Result<u64, ShmError> {
    let inspect = |source| ShmError::Adopt { step: "inspect", source };
    let stat = rustix::fs::fstat(fd).map_err(|error| inspect(error.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(inspect(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")));
    }
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

/// Maps the first `len` bytes, shared and writable.
pub(crate) fn map(fd: &OwnedFd, len: usize) -> io::Result<MmapRaw> {
    MmapOptions::new().len(len).map_raw(fd)
}

/// Maps the first `len` bytes, shared and for reading only.
pub(crate) fn map_read_only(fd: &OwnedFd, len: usize) -> io::Result<MmapRaw> {
    MmapOptions::new().len(len).map_raw_read_only(fd)
}

pub(crate) fn borrow(fd: &OwnedFd) -> BorrowedFd<'_> {
    fd.as_fd()
}

/// Which descriptors were taken: one bit each.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// Takes a descriptor that the parent process passed under a fixed number, once. It is closed on
/// exec from now on, so that children of the target do not hold it.
///
/// # Errors
/// When the number is out of range, was taken before, or is not open. An inherited descriptor must
/// be taken before anything else could have opened one under its number.
pub fn take_inherited_fd(number: i32) -> Result<OwnedFd, ShmError> {
    if !(INHERITED_FD_MIN..=INHERITED_FD_MAX).contains(&number) {
        return Err(ShmError::FdNumber { number });
    }
    let bit = 1u64 << number;
    if TAKEN.fetch_or(bit, Relaxed) & bit != 0 {
        return Err(ShmError::FdTaken { number });
    }
    let not_open = |error: rustix::io::Errno| {
        // Nothing was taken, so the number may be tried again.
        TAKEN.fetch_and(!bit, Relaxed);
        ShmError::FdNotOpen { number, source: error.into() }
    };
    // SAFETY: the borrow ends within this function and is only used to ask the system about the
    // number, which answers EBADF if it is not open.
    let probe = unsafe { BorrowedFd::borrow_raw(number) };
    let flags = rustix::io::fcntl_getfd(probe).map_err(not_open)?;
    rustix::io::fcntl_setfd(probe, flags | FdFlags::CLOEXEC).map_err(not_open)?;
    // SAFETY: the descriptor is open, and `TAKEN` makes this its only owner among our callers; the
    // number was passed by the parent for this purpose, so nobody else in the process owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod reserved;
