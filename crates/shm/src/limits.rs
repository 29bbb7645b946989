//! Every bound of this crate, with its unit and its reason.

/// Bytes of one shared memory. Go's own is 100 MiB; a length beyond this comes from a mistake.
pub const MEMORY_BYTES_MAX: usize = 1 << 32;

/// The descriptors that may be inherited: 0 to 2 belong to the process, the protocol uses 3 to 7.
pub const INHERITED_FD_MIN: i32 = 3;

/// See [`INHERITED_FD_MIN`]. One bit each in one word records which were taken.
pub const INHERITED_FD_MAX: i32 = 63;
