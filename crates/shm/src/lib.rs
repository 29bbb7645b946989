//! Shared memory between the coordinator and its workers: the fence around unsafe.
//!
//! Owns: creating, sealing, adopting and mapping a memory, and every access to its bytes. Must not
//! know what the bytes mean (that is `fuzzd-protocol`).
//!
//! The other side of a shared memory may write to it at any moment and may be hostile, so no
//! reference to its bytes ever leaves this crate: bytes are copied out and in, single words are
//! handed out as atomics, and [`ByteArea`] edits in place through a raw pointer. The one exception
//! is [`ExclusiveArea`]: a slice for the time in which the protocol gives a worker sole access.
//!
//! What differs by operating system is one module, `system`, with one interface. Linux has it; a
//! system without it refuses with [`ShmError::Unsupported`].

#![expect(unsafe_code, reason = "this crate is the fence around shared memory")]

mod area;
mod atomic_copy;
mod error;
mod exclusive;
pub mod limits;
mod read_only;
mod region;
pub mod ring;
mod shared;
mod system;

pub use area::ByteArea;
pub use error::{ExclusiveError, OutOfBounds, ShmError};
pub use exclusive::ExclusiveArea;
pub use read_only::ReadOnlyMemory;
pub use region::Region;
pub use ring::{RingError, RingReader, RingWriter};
pub use shared::SharedMemory;
pub use system::{BorrowedFd, OwnedFd, take_inherited_fd};
