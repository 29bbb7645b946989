//! What differs by operating system, with the same interface everywhere.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::take_inherited_fd;
#[cfg(target_os = "linux")]
pub(crate) use linux::{
    borrow, create, create_reserved, file_bytes, is_sealed_for_readers, map, map_read_only,
};
#[cfg(target_os = "linux")]
pub use std::os::fd::{BorrowedFd, OwnedFd};

#[cfg(not(target_os = "linux"))]
mod unsupported;
#[cfg(not(target_os = "linux"))]
pub use unsupported::{BorrowedFd, OwnedFd, take_inherited_fd};
#[cfg(not(target_os = "linux"))]
pub(crate) use unsupported::{
    borrow, create, create_reserved, file_bytes, is_sealed_for_readers, map, map_read_only,
};
