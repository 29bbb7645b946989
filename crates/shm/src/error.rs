//! What can go wrong with a shared memory.

use std::io;

/// Why a shared memory, or a descriptor for one, could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ShmError {
    /// There is no implementation for this operating system.
    #[error("shared memory is not implemented for {}, only for linux", std::env::consts::OS)]
    Unsupported,
    /// A length of zero, or one beyond the limit.
    #[error("a shared memory of {bytes} bytes: must be 1 to {}", crate::limits::MEMORY_BYTES_MAX)]
    Length {
        /// The length asked for, or found.
        bytes: u64,
    },
    /// The system refused to make the memory.
    #[error("cannot {step} a shared memory of {bytes} bytes")]
    Create {
        /// What was being done: `create`, `allocate`, `seal` or `map`.
        step: &'static str,
        /// Bytes asked for.
        bytes: usize,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A descriptor that was given as a shared memory is none.
    #[error("cannot {step} the given descriptor as a shared memory")]
    Adopt {
        /// What was being done: `inspect` or `map`.
        step: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system cannot keep other processes from writing: its kernel is older than Linux 5.1.
    #[error("the system cannot seal a memory against further writers (F_SEAL_FUTURE_WRITE)")]
    NoFutureWriteSeal(#[source] io::Error),
    /// A memory to be read only is not sealed against shrinking and further writers.
    #[error("the given memory is not sealed against shrinking and further writers")]
    NotSealed,
    /// The descriptor number cannot be an inherited one.
    #[error(
        "descriptor {number} cannot be inherited: must be {} to {}",
        crate::limits::INHERITED_FD_MIN,
        crate::limits::INHERITED_FD_MAX
    )]
    FdNumber {
        /// The number.
        number: i32,
    },
    /// The descriptor was taken before; two owners would close it twice.
    #[error("descriptor {number} was taken before")]
    FdTaken {
        /// The number.
        number: i32,
    },
    /// The parent did not pass this descriptor.
    #[error("descriptor {number} is not open")]
    FdNotOpen {
        /// The number.
        number: i32,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// An access that does not lie within its memory, or to a part that is lent (see
/// [`ExclusiveArea`](crate::ExclusiveArea)), or to a word that is not aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes at {offset} are not within a memory of {len} bytes, or not aligned")]
pub struct OutOfBounds {
    /// Where the access begins.
    pub offset: usize,
    /// How many bytes it takes.
    pub bytes: usize,
    /// Length of the memory.
    pub len: usize,
}

/// Why a part of a memory is not lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExclusiveError {
    /// Another part is lent already.
    #[error("a part of the memory is lent already")]
    Taken,
    /// A word or an area within it was handed out.
    #[error("a word or an area of this part of the memory is in use")]
    Borrowed,
    /// This side made the memory.
    #[error("only the side that was given a memory can have a part of it to itself")]
    NotAdopted,
    /// It does not lie within the memory.
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
}
